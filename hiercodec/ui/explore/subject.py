"""What the Explore page shows: a shipped trace, or one computed now, whose first steps come first."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.components.v2 import component
from streamlit.delta_generator import DeltaGenerator

from hiercodec.classify import permitted
from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.evaluation.photos.uploads import endings
from hiercodec.evaluation.traces import bundle as bundles
from hiercodec.evaluation.traces.bundle import Bundle
from hiercodec.evaluation.traces.trace import Trace, opening_step, story_strength
from hiercodec.evaluation.traces.tracing import turning_points
from hiercodec.ui.frame import cached, chrome, state
from hiercodec.ui.frame.cached import TraceSettings
from hiercodec.ui.frame.work import Background

KEEP = 3
"""How many traces a visitor's session holds."""

CAMERA_WIDTH = 480
"""Pixels of the page that the camera's view is wide: enough to aim, and the picture stays in sight below it."""

MAX_UPLOAD = 32
"""Megabytes of a file: the largest cameras' JPEGs."""

AT_ONCE = 3
"""Budgets between two looks at `cancel`, and between two turns at a worker: others wait no longer for their first view."""

TURNS = 6
"""Steps that are added in the end where answers change."""

More = Callable[[Trace, Sequence[int]], tuple[Trace, dict[int, Any]]]
"""(a trace, budgets) → (the longer trace, what was decoded, by bytes)."""

Pack = Callable[[Bundle, Trace, dict[int, Any]], Bundle]
"""(the bundle, the longer trace, what was decoded, by bytes) → the longer bundle."""

NOTES = "explore_notes"
"""Where the session keeps what was mended in files of the visitor's, by the same keys as their traces."""

DROP = """<style>
:has(> .st-key-explore_drop) { display: contents; }
.st-key-explore_drop { %s }
[data-drag] .st-key-explore_drop { z-index: 1000001; }
[data-drag] .st-key-explore_drop [data-testid=stFileUploaderDropzone] {
  visibility: visible; position: fixed; inset: 1rem; height: auto; }
</style>"""
"""While a file is dragged over the page, the uploader covers it; out of sight, it leaves no gap."""

_DRAGS = component(
    "hiercodec_drags",
    html="<span\n hidden></span>",
    js="""export default () => {
      const over = (event) => {
        if (event.dataTransfer?.types.includes("Files")) document.documentElement.dataset.drag = "";
      };
      const away = (event) => {
        if (event.type === "drop" || !event.relatedTarget) delete document.documentElement.dataset.drag;
      };
      addEventListener("dragenter", over);
      for (const name of ["dragleave", "drop"]) addEventListener(name, away);
      return () => {
        removeEventListener("dragenter", over);
        for (const name of ["dragleave", "drop"]) removeEventListener(name, away);
      };
    }""",
)
"""Tells when a file is dragged over the page."""

STAYS = "It stays in the memory of this computer and is forgotten when you leave."

Progress = Callable[[int, int, str], None]

SHIP = "python -m tools.assets traces"


class Refinement(Background):
    """A trace that grows to more steps in a thread of its own, begun at once; `problem` says why it ended early."""

    def __init__(self, bundle: Bundle, budgets: Sequence[int], more: More, pack: Pack = bundles.refined) -> None:
        self.bundle, self.total, self.done, self.problem = bundle, len(budgets), 0, ""
        self._pack = pack
        self._begin("refinement", self._run, list(budgets), more)

    def _run(self, budgets: list[int], more: More) -> None:
        trace, decoded, turns = self.bundle.trace, {}, TURNS
        try:
            while budgets and not self.cancelled:
                part, budgets = budgets[:AT_ONCE], budgets[AT_ONCE:]
                trace, new = more(trace, part)
                decoded |= new
                self.done += len(part)
                if not budgets and turns:
                    budgets, turns = turning_points(trace, turns), 0
                    self.total += len(budgets)
            self.bundle = self._pack(self.bundle, trace, decoded)
        except HiercodecError as error:
            self.problem = str(error)
        except Exception:  # the first steps stand; a thread has nobody else to tell
            logging.getLogger(__name__).exception("the finer steps of a trace could not be made")


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page shows: a title, the trace with its pictures, identities for the browser, and the sample, if any.

    `origin` names the picture and how it was traced; `identity` tells one set of pictures and answers from another.
    `judge` is the classifier (None: none) and the hierarchy; `finer` the block with finer steps, if any; `growing` the
    work that makes more steps, while it runs.
    """

    title: str
    bundle: Bundle
    origin: str
    judge: tuple[str | None, str]
    sample: Sample | None = None
    finer: str | None = None
    growing: Refinement | None = None

    @property
    def identity(self) -> str:
        """What the browser knows this set of pictures and answers by."""
        judge = "" if self.judge == TraceSettings().judge else "-".join(map(str, self.judge))
        growing = f"{len(self.bundle.trace.steps)} steps" if self.growing else ""
        return "-".join(part for part in (self.origin, judge, growing, self.finer) if part)


def opening() -> tuple[str, int]:
    """Title and step of what the page opens with: of the photographs with a story the one that tells it best.

    Found in the shipped traces, so that it stays true with other weights; the first photograph if none has a story.
    """
    traces = {}
    for row in samples():
        try:
            traces[row.title] = cached.shipped_bundle(row.id).trace
        except HiercodecError:
            continue
    if not traces:
        return samples()[0].title, 0
    title = max(traces, key=lambda name: story_strength(traces[name]))  # the first of equals
    return title, opening_step(traces[title])


def subject(chosen: Sample | None, settings: TraceSettings) -> Subject | None:
    """The trace to show; None (with words on the page) if there is none."""
    if chosen is None:
        drop(settings.side)
    line = st.container()  # the progress line has a place of its own: what stands below it stays while it moves
    whole = replace(settings, finer=cached.NO_FINER)
    shown = _own(whole, line) if chosen is None else _sample(chosen, whole, line)
    if shown is None or shown.growing is not None or settings.finer not in shown.bundle.trace.cuts:
        return shown
    return _with_finer(shown, settings, line)


def _sample(chosen: Sample, settings: TraceSettings, line: DeltaGenerator) -> Subject | None:
    settings = replace(settings, side=TraceSettings().side)  # samples have their own size
    if settings == TraceSettings(classifier=settings.classifier, hierarchy=settings.hierarchy):
        try:
            shipped = cached.shipped_bundle(chosen.id)
        except HiercodecError:
            if not cached.models():
                chrome.empty("No trace of this photograph is shipped, and no codec is installed.", how=SHIP)
                return None
        else:
            shown = Subject(chosen.title, shipped, f"shipped-{chosen.id}", TraceSettings().judge, chosen)
            return _judged(shown, settings, line)
    return _computed(chosen.id, chosen.title, settings, chosen, line)


def _own(settings: TraceSettings, line: DeltaGenerator) -> Subject | None:
    kept = state.own_file()
    if kept is None:
        if st.toggle("Use this device's camera", key="explore_camera_on"):
            _camera(settings.side)
        return None
    with line, st.container(horizontal=True, vertical_alignment="center"):  # a line that was emptied leaves a gap
        st.caption(f"{kept[0]}. An address restores all of this page but a picture of your own.")
        st.button("Another", icon=":material/add_a_photo:", on_click=state.forget_own, type="tertiary")
    return _computed(kept[1], "Your picture", settings, None, line)


def drop(side: int, *, hidden: bool = False) -> None:
    """The uploader, which takes a file that is dropped anywhere; out of sight once it has one, or where it is `hidden`.

    A page that shows another photograph draws it last, where nothing moves when it goes out of sight. Its place among the
    elements must not change while it has a file: the browser would build it anew, and lose what it is just sending.
    """
    st.html(DROP % ("visibility: hidden; position: fixed; z-index: -1;" if hidden or state.own_file() else ""))
    key = state.own_key()
    with st.container(key="explore_drop"):
        _DRAGS(key="explore_drags", height="content")
        st.file_uploader(
            f"A photograph of yours (shrunk to {side} pixels a side), or a .hc stream. {STAYS}",
            type=[*endings(), "hc"],
            max_upload_size=MAX_UPLOAD,
            key=key,
            on_change=state.own_changed,
            args=(key,),
        )


def _camera(side: int) -> None:
    """The browser asks for permission as soon as this is drawn, so it is drawn when the visitor has chosen it."""
    st.camera_input(
        f"A photograph from your camera, shrunk to at most {side} pixels a side. {STAYS}",
        resolution="720p",
        width=CAMERA_WIDTH,
        key=state.CAMERA,
        on_change=state.own_changed,
        args=(state.CAMERA,),
    )


def _refused(classifier: str | None) -> bool:
    """Whether a classifier cannot be used here, which the page then says. Asked before anything is built."""
    refused = classifier is not None and not permitted(classifier)
    if refused:
        chrome.notice("error", "This classifier is not installed here. Choose another one in the settings.")
    return refused


def _judged(shown: Subject, settings: TraceSettings, line: DeltaGenerator) -> Subject:
    """The same pictures with the answers asked for; as they were (with words on the page) where these cannot be had."""
    if settings.judge == shown.judge or _refused(settings.classifier):
        return shown
    truth = shown.sample.truth if shown.sample else ()

    def make(tell: Progress) -> Bundle:
        tell(0, 1, "asking the classifier")
        return cached.judge_again(shown.bundle, settings.judge, truth)

    other = replace(shown, judge=settings.judge)
    found = _kept(other.identity, make, line)
    return shown if found is None else replace(other, bundle=found)


def _computed(
    source: str | bytes, title: str, settings: TraceSettings, chosen: Sample | None, line: DeltaGenerator
) -> Subject | None:
    """Trace now: the first steps while the visitor waits, the others in the background; the session keeps the last few."""
    if not cached.models():
        chrome.empty("No codec is installed, so only shipped traces can be shown.", how="python -m hiercodec models")
        return None
    if _refused(settings.classifier):
        return None
    key = cached.key_of(source, settings)
    jobs: dict[str, Refinement] = st.session_state.setdefault("explore_jobs", {})
    for other in set(jobs) - {key}:
        jobs.pop(other).cancel()  # nobody looks at it any more
    picture = st.empty()  # there even when nothing is computed, so that what follows keeps its place on the page

    def show(file: bytes) -> None:
        with picture:
            chrome.picture(file, "The picture as far as it has been decoded", width="content")

    notes: list[str] = st.session_state.setdefault(NOTES, {}).setdefault(key, [])

    def make(tell: Progress) -> Bundle:
        notes.clear()
        try:
            found, rest = cached.compute(source, settings, progress=tell, show=show, note=notes.append)
        finally:
            picture.empty()
        if rest:
            jobs[key] = Refinement(found, rest, cached.more(found, settings), cached.pack())
        return found

    found = _kept(key, make, line)
    if found is None:
        return None
    if notes:
        chrome.notice("info", f"Of this file: {'; '.join(notes)}.")
    job = jobs.get(key)
    if job is not None and job.finished:
        found = _keep(key, jobs.pop(key).bundle)
        if job.problem:
            chrome.notice("warning", f"The finer steps could not be made: {job.problem}")
    return Subject(title, found, key, settings.judge, chosen, growing=jobs.get(key))


def _with_finer(shown: Subject, settings: TraceSettings, line: DeltaGenerator) -> Subject:
    """The same with finer steps in one block; as it was (with words on the page) where they cannot be made."""
    finer = replace(shown, finer=settings.finer)
    found = _kept(finer.identity, lambda tell: cached.compute_finer(shown.bundle, settings, shown.judge, tell), line)
    return shown if found is None else replace(finer, bundle=found)


def _kept(key: str, make: Callable[[Progress], Bundle], line: DeltaGenerator) -> Bundle | None:
    """What the session has under `key`, else `make(tell)` with a progress line; None (with words) if it fails."""
    kept: OrderedDict[str, Bundle] = st.session_state.setdefault("explore_kept", OrderedDict())
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    bar = line.progress(0.0, text="Loading the codec …")

    def tell(done: int, total: int, what: str) -> None:
        bar.progress(done / total, text=f"{what.capitalize()} …")

    try:
        return _keep(key, make(tell))
    except HiercodecError as error:
        chrome.notice("error", f"This cannot be used: {error}")
        return None
    finally:
        bar.empty()


def _keep(key: str, bundle: Bundle) -> Bundle:
    kept: OrderedDict[str, Bundle] = st.session_state.setdefault("explore_kept", OrderedDict())
    kept[key] = bundle
    while len(kept) > KEEP:
        kept.popitem(last=False)
    return bundle

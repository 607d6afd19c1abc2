"""Parts of the Explore page: choosing the photograph and the settings, the scrubber and what follows it.

Two components without a build step share the work in the browser. `_FRAMES` takes the pictures there once and shows nothing;
`_SCRUBBER` takes the numbers (some tens of kilobytes), draws, and reports the position once, when the hand lets go.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.components.v2 import component

from hiercodec import installed
from hiercodec.classify import ALLOWED, DEFAULT, offers, permitted
from hiercodec.errors import HiercodecError
from hiercodec.evaluation.codecs.purposes import PLAIN
from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.evaluation.traces.bundle import to_webp
from hiercodec.evaluation.traces.trace import opening_step
from hiercodec.levels import PAPER_PLAN, read_plan, spoken
from hiercodec.report import web
from hiercodec.report.answers import answers, first_right, format_bytes
from hiercodec.report.cards import about_switch, weaknesses
from hiercodec.report.measured import plain as plain_text
from hiercodec.report.numbers import decibels
from hiercodec.taxonomy.hierarchy_file import SHELF
from hiercodec.ui.explore import coach
from hiercodec.ui.explore.panels import panels
from hiercodec.ui.explore.subject import Refinement, Subject, drop, opening, subject
from hiercodec.ui.frame import cached, chrome, state
from hiercodec.ui.frame.cached import TraceSettings
from hiercodec.ui.vote import hall

if TYPE_CHECKING:
    import numpy as np

    from hiercodec.evaluation.traces.trace import Ranked

__all__ = ["choose", "drop", "enter", "notices", "provenance", "settings", "subject", "view"]

SENTENCE = "The more of a photo arrives, the more a computer can tell: its **kind**, then **family**, then **class**."

STYLE = """<style>
.st-key-explore_scrubber { min-height: calc(100vh - 9rem); }
.st-key-photo { flex: 1 1 40rem; min-height: 38px; }
@media (max-width: 699px) {
  .st-key-photo button:first-of-type { position: sticky; left: 0; z-index: 1; box-shadow: 0 0 0 0.4rem var(--ground); }
}
</style>"""
"""Scrubber and photographs are drawn later than what follows them, so their place is kept: the tabs begin below the fold.
On a phone one's own photograph is at hand."""

_FRAMES = component("hiercodec_frames", html="<span\n hidden></span>", js=web.joined("app_frames.mjs"))
_SCRUBBER = component(
    "hiercodec_scrubber",
    html=web.read("scrubber.html"),
    css=web.style(),
    js=web.joined("app_scrubber.mjs"),
)

PURPOSES = {
    PLAIN: "Everything alike (fast)",
    "people": "People: search for less error in fewer bytes",
    "machines": "Machines: keep what lite0 sees",
    "both": "Both",
}


def enter() -> None:
    """Begin a run: an address is a wish, else the memory counts, else what the page opens with."""
    st.html(STYLE)
    title, step = opening()
    state.enter({state.PHOTO: title, state.STEP: str(step + 1)})


def choose() -> Sample | None:
    """The row of photographs; None means the visitor's own."""
    titles = [state.UPLOAD, *(row.title for row in samples())]
    state.recall(titles)
    chosen = st.pills("Photograph", titles, required=True, key=state.PHOTO, label_visibility="collapsed")
    state.remember(state.PHOTO, chosen)
    return next((row for row in samples() if row.title == chosen), None)


def settings() -> TraceSettings:
    """What is chosen in a popover; the address carries what is not plain."""
    plain, cards = TraceSettings(), cached.models()
    with st.popover("Settings", icon=":material/tune:"):
        model = chrome.menu(
            "Codec model", "model", sorted(cards, key=lambda name: name != plain.model) or [plain.model]
        )
        for words in about_switch(cards, model):
            st.caption(words)
        purpose = chrome.menu("What are the bits for?", "purpose", list(PURPOSES), format_func=PURPOSES.__getitem__)
        label = st.toggle(
            "Begin the file with a label", key="label", bind="query-params",
            help="What lite0 says of the original, in 8 bytes. Explore then compares it with what the pixels show.",
        )  # fmt: skip
        classifier = _classifier()
        hierarchy = chrome.menu("Hierarchy", "hierarchy", cached.hierarchy_names())
        for line in (*installed.MODELS.own().wrong, *SHELF.own().wrong):
            st.caption(plain_text(line))
        steps = chrome.menu("Steps", "steps", [plain.steps, 12, 48])
        side = chrome.menu("Longest side of your own photograph, in pixels", "side", cached.SIDES)
        levels = read_plan(cards.get(model, {}).get("preset", {}).get("plan", PAPER_PLAN)).names
        finer = chrome.menu("Finer steps in block", state.FINER, [cached.NO_FINER, *levels], format_func=spoken)
        st.caption(
            "Shipped traces are made with the defaults. Another classifier or hierarchy looks at the same pictures anew; "
            "any other choice computes the trace now. Larger photographs take longer: 768 pixels about four times as long."
        )
    return TraceSettings(model, purpose, label, classifier, hierarchy, steps, side, finer)


def _classifier() -> str | None:
    """The menu of what is installed; what is not is named with its reason, also where an address asks for it."""
    offered = offers()
    classifiers = [spec for spec in offered if spec == DEFAULT or permitted(spec)]
    if st.query_params.get("classifier", DEFAULT) not in classifiers:
        st.toast("The address asks for a classifier that is not installed here.", icon=":material/info:")
    more = f"More can be offered by whoever starts the app: `{ALLOWED}` lists them."
    chosen = chrome.menu("Classifier", "classifier", classifiers, help=more)
    for spec, lacks in offered.items():
        if lacks:
            st.caption(f"{spec}: {lacks}.")
    return None if chosen == "none" else chosen


def notices(shown: Subject, settings: TraceSettings) -> None:
    """Say where the trace is older than the weights, and where the weights are weak."""
    trace = shown.bundle.trace
    card = cached.models().get(settings.model, {})
    made_with = trace.provenance.get("fingerprint")
    if card and card.get("fingerprint") != made_with:
        chrome.notice(
            "warning", f"Made with other weights ({made_with}) than those installed ({card.get('fingerprint')})."
        )
        return
    words = weaknesses(card) if card else []
    if words:
        chrome.notice("info", " ".join(words))


def view(shown: Subject, taught: coach.Taught | None = None) -> None:
    """The scrubber and all that follows its position, which is that of the page whenever the whole page runs."""
    trace = shown.bundle.trace
    sizes = [step.bytes for step in trace.steps]
    start = len(sizes) - 1 if trace.provenance.get("reference") else opening_step(trace)
    position = state.stand(shown.origin, sizes, start, carry=shown.sample is not None)
    state.write_address()
    progress = st.empty()  # always there, so that the scrubber keeps its place: else the browser would make it anew
    if shown.growing is not None:
        with progress.container():
            _growing(shown.growing)
    _view(shown, sizes, position, state.next_seek(), state.memory().get(state.LOOK, state.PLAIN_LOOK), taught)
    if state.voting():
        hall.hall(shown.identity, trace)


@st.fragment(run_every=1.0)
def _growing(job: Refinement) -> None:
    """How far the steps are that are still being made, and a way to stop; the page runs again when they are there."""
    if job.finished:
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.done / job.total, text=f"First view. {job.total - job.done} finer steps are being made …")
        st.button("Enough", on_click=job.cancel, help="Stop and keep the steps made so far")


@st.fragment
def _view(shown: Subject, sizes: list[int], told: int, seek: int, look: str, taught: coach.Taught | None) -> None:
    """The scrubber and the panels. A release reruns this part of the page only, with the same arguments.

    `told`, `seek` and `look` are what the scrubber is told; they stay the same here, so that it is not sent anew. It obeys
    the position when the identity or `seek` changes, and otherwise goes its own way.
    """
    if state.page_asked():
        st.rerun(scope="app")
    position = state.here(shown.origin, sizes)
    rival, pictures = rival_of(shown)
    data = web.data(shown.bundle, shown.identity, position=told, alt=shown.title)
    data |= {"seek": seek, "look": look, "finer": shown.finer, "rival": rival}
    data |= {"votable": hall.ballot(shown.bundle.trace) is not None, "look_at": "", "strip": ""}
    if taught is not None:  # the part that the lesson is about, and a line that Present shows over the picture
        head = taught.lesson.head
        data |= {"look_at": head.look_at or "", "strip": f"{taught.number + 1}. {head.title}"}
    data["sources"] = [[key, f"{name}, same bytes"] for key, name in formats(shown).items()]
    _SCRUBBER(
        key=state.SCRUBBER,
        data=data,
        on_k_change=state.released,
        on_codec_change=lambda: None,
        on_look_change=state.looked,
        on_finer_change=state.finer_asked,
        on_vote_change=state.vote_asked,
        on_next_change=lambda: _next(taught),
    )
    panels(shown, position, None if rival is None else (rival, pictures))
    own = {"original": [shown.bundle.original], "frames": shown.bundle.changes, "bits": [shown.bundle.bits]}
    send_frames(shown.identity, own, key="explore_frames", changes=["frames"])
    if rival is not None:
        send_frames(rival["id"], {"frames": pictures}, key="explore_classical")


def formats(shown: Subject) -> dict[str, str]:
    """Key → name of the formats to compare with; none where the original is not at hand."""
    from hiercodec.evaluation.codecs.peers import available

    known = not shown.bundle.trace.provenance.get("reference")
    return {rival.name: rival.title for rival in available()} if known else {}


def rival_of(shown: Subject) -> tuple[dict[str, Any] | None, list[bytes]]:
    """The format that was asked for: what it gives at every step, and its pictures on their way to the browser."""
    codec = state.codec_asked()
    if codec is None or codec not in formats(shown):
        return None, []
    from hiercodec.evaluation.measure import best_within

    trace = shown.bundle.trace
    sha, rgb = trace.provenance["image_sha256"], shown.bundle.original_pixels()
    rows = cached.rival_rows(codec, sha, trace.file_bytes, rgb)
    indexes = [best_within(rows, step.bytes) for step in trace.steps]
    used = [rows[index] for index in sorted({index for index in indexes if index is not None})]
    seen = _seen(shown, codec, [row.point.picture for row in used])
    told = [
        {
            "size": format_bytes(row.point.bytes),
            "quality": decibels(row.psnr),
            "frame": frame,
            "answers": answers(trace, *seen[frame]),
        }
        for frame, row in enumerate(used)
    ]
    points = [None if index is None else told[used.index(rows[index])] for index in indexes]
    sizes = [row.point.bytes for row in used]
    tops = [top for top, _ in seen]
    first = {
        level: first_right(trace, level, sizes, [top[level][0][0] for top in tops])
        for level in (tops[-1] if tops else ())
    }
    facts = {"codec": codec, "label": formats(shown)[codec], "points": points, "first": first}
    facts |= {"smallest": format_bytes(rows[0].point.bytes), "id": f"{shown.identity}-{codec}"}
    return facts, [to_webp(row.point.picture, 1) for row in used]


def _seen(shown: Subject, codec: str, pictures: list[np.ndarray]) -> list[tuple[dict[str, Ranked], float | None]]:
    """(ranked groups, WUP) of every picture; nothing where there is no classifier to ask."""
    trace, (classifier, hierarchy) = shown.bundle.trace, shown.judge
    nothing: list[tuple[dict[str, Ranked], float | None]] = [({}, None)] * len(pictures)
    if classifier is None or not trace.steps[-1].top:
        return nothing
    truth = shown.sample.truth if shown.sample else ()
    key = f"{codec} {trace.provenance['image_sha256']} {trace.file_bytes} {len(pictures)}"
    try:
        return cached.ranked(key, classifier, hierarchy, truth, pictures)
    except HiercodecError:
        return nothing


def send_frames(
    identity: str, pictures: Mapping[str, Sequence[bytes]], *, key: str, changes: Sequence[str] = ()
) -> None:
    """Take pictures (lossless WebP files) to the browser under `identity`, once.

    Of the rows named in `changes` only the first is a picture, the others what changed since (see `Bundle`).
    """
    encoded = {name: [base64.b64encode(data).decode("ascii") for data in row] for name, row in pictures.items()}
    _FRAMES(key=key, data={"id": identity, "pictures": encoded, "changes": list(changes)}, height="content")


def _next(taught: coach.Taught | None) -> None:
    """Present goes on: to the next lesson of a course, else to the next photograph."""
    if taught is None or not coach.go_on(taught):
        state.choose_next([row.title for row in samples()])
    state.whole_page()


def provenance(trace: Any) -> dict[str, Any]:
    """What the footer says of a trace."""
    p = trace.provenance
    versions = p.get("versions", {})
    return {
        "model": f"{p.get('model')} {p.get('fingerprint')}",
        "classifier": f"{p.get('classifier')} {p.get('classifier_weights')}" if p.get("classifier") else "none",
        "hierarchy": p.get("hierarchy"),
        "size": f"{trace.width}×{trace.height}",
        "device": p.get("device"),
        "torch": versions.get("torch"),
    }

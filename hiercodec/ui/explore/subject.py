"""What the Explore page shows: a shipped trace, or one computed now with a progress line."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hiercodec.classify import DEFAULT, permitted
from hiercodec.errors import HiercodecError
from hiercodec.evaluation.bundle import Bundle
from hiercodec.evaluation.samples import Sample
from hiercodec.ui.frame import cached, chrome, state

KEEP = 3
"""How many traces of their own photographs a visitor's session holds."""

Progress = Callable[[int, int, str], None]

SHIP = "python -m hiercodec assets traces"


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page shows: a title, the trace with its pictures, identities for the browser, and the sample, if any.

    `origin` names the picture and how it was traced, `identity` also the block with finer steps (`finer`), if any.
    """

    title: str
    bundle: Bundle
    origin: str
    sample: Sample | None = None
    finer: str | None = None

    @property
    def identity(self) -> str:
        """What tells one set of pictures from another."""
        return f"{self.origin}-{self.finer}" if self.finer else self.origin


def subject(chosen: Sample | None, settings: dict[str, Any]) -> Subject | None:
    """The trace to show; None (with words on the page) if there is none."""
    line = st.container()  # the progress line has a place of its own: what stands below it stays while it moves
    shown = _own(settings, line) if chosen is None else _sample(chosen, settings, line)
    level = st.session_state.get(state.FINER, state.NO_FINER)
    if shown is None or level not in shown.bundle.trace.cuts:
        return shown
    return _with_finer(shown, level, settings, line)


def default_settings() -> dict[str, Any]:
    """What the shipped traces were made with."""
    return {"model": "lite", "classifier": DEFAULT, "hierarchy": "consensus", "steps": 24}


def _sample(chosen: Sample, settings: dict[str, Any], line: DeltaGenerator) -> Subject | None:
    if settings == default_settings():
        try:
            return Subject(chosen.title, cached.shipped_bundle(chosen.id), f"shipped-{chosen.id}", chosen)
        except HiercodecError:
            if not cached.models():
                chrome.empty("No trace of this photograph is shipped, and no codec is installed.", how=SHIP)
                return None
    return _computed(chosen.id, chosen.title, settings, chosen, line)


def _own(settings: dict[str, Any], line: DeltaGenerator) -> Subject | None:
    upload = st.file_uploader(
        f"A photograph (JPEG, PNG or WebP, shrunk to at most {cached.LONGEST_SIDE} pixels a side) or a .hc stream "
        "(up to 1024×1024, cut ones welcome). It stays in the memory of this computer and is forgotten when you leave.",
        type=["jpg", "jpeg", "png", "webp", "hc"],
        max_upload_size=12,
        key=state.OWN,
    )
    if upload is None:
        st.caption("An address restores everything on this page but an uploaded file.")
        return None
    return _computed(upload.getvalue(), "Your picture", settings, None, line)


def _computed(
    source: str | bytes, title: str, settings: dict[str, Any], chosen: Sample | None, line: DeltaGenerator
) -> Subject | None:
    """Trace now, showing the picture as it comes, and remember the last few in this session."""
    if not cached.models():
        chrome.empty("No codec is installed, so only shipped traces can be shown.", how="python -m hiercodec models")
        return None
    classifier = settings["classifier"]
    if classifier is not None and not permitted(classifier):  # before anything is built
        chrome.notice("error", "This classifier is not installed here. Choose another one in the settings.")
        return None
    key = cached.key_of(source, *settings.values())
    picture = st.empty()  # there even when nothing is computed, so that what follows keeps its place on the page

    def make(tell: Progress) -> Bundle:
        def show(frame: Any) -> None:
            picture.image(frame, output_format="PNG", alt="The picture as far as it has been decoded")

        try:
            return cached.compute(source, **settings, progress=tell, show=show)
        finally:
            picture.empty()

    found = _kept(key, make, line)
    return found and Subject(title, found, key, chosen)


def _with_finer(shown: Subject, level: str, settings: dict[str, Any], line: DeltaGenerator) -> Subject:
    """The same with finer steps in one block; as it was (with words on the page) where they cannot be made."""
    asked = {name: settings[name] for name in ("model", "classifier", "hierarchy")}
    finer = dataclasses.replace(shown, finer=level)
    found = _kept(finer.identity, lambda tell: cached.compute_finer(shown.bundle, level, **asked, progress=tell), line)
    return shown if found is None else dataclasses.replace(finer, bundle=found)


def _kept(key: str, make: Callable[[Progress], Bundle], line: DeltaGenerator) -> Bundle | None:
    """What the session has traced under `key`, else `make(tell)` with a progress line; None (with words) if it fails."""
    kept: OrderedDict[str, Bundle] = st.session_state.setdefault("explore_kept", OrderedDict())
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    bar = line.progress(0.0, text="Loading the codec …")
    try:
        kept[key] = make(lambda done, total, what: bar.progress(done / total, text=f"{what.capitalize()} …"))
    except HiercodecError as error:
        chrome.notice("error", f"This cannot be used: {error}")
        return None
    finally:
        bar.empty()
    while len(kept) > KEEP:
        kept.popitem(last=False)
    return kept[key]

"""Parts of the Explore page: choosing the photograph, tracing a visitor's own, and the scrubber with what follows it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.bundle import Bundle
from hiercodec.evaluation.samples import Sample, samples
from hiercodec.ui import cached, chrome, export, state
from hiercodec.ui.scrubber import scrubber, send_frames

KEEP = 3
"""How many traces of their own photographs a visitor's session holds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page is about: a title, the trace with its pictures, an identity for the browser, the sample if it is one."""

    title: str
    bundle: Bundle
    identity: str
    sample: Sample | None = None


def choose() -> Sample | None:
    """The row of photographs; None means the visitor's own."""
    titles = {row.id: row.title for row in samples()} | {state.UPLOAD: "Your own …"}
    chosen = st.pills(
        "Photograph",
        list(titles),
        format_func=titles.__getitem__,
        default=state.DEFAULT_PHOTO,
        required=True,
        key=state.PHOTO,
        bind="query-params",
        label_visibility="collapsed",
    )
    return next((row for row in samples() if row.id == chosen), None)


def subject(chosen: Sample | None, settings: dict[str, str | None]) -> Subject | None:
    """The trace to show: a shipped one, or one computed now; None (with words on the page) if there is none."""
    if chosen is None:
        return _own(settings)
    if settings == default_settings():
        try:
            return Subject(chosen.title, cached.shipped_bundle(chosen.id), f"shipped-{chosen.id}", chosen)
        except HiercodecError:
            if not cached.models():
                chrome.empty("No trace of this photograph is shipped, and no codec is installed.", how=SHIP)
                return None
    return _computed(chosen.id, chosen.title, settings, chosen)


SHIP = "python -m hiercodec.evaluation.ship"


def default_settings() -> dict[str, str | None]:
    """The model, classifier and hierarchy the shipped traces were made with."""
    return {"model": "lite", "classifier": "bundled", "hierarchy": "consensus"}


def _own(settings: dict[str, str | None]) -> Subject | None:
    upload = st.file_uploader(
        f"A photograph (JPEG, PNG or WebP, shrunk to at most {cached.LONGEST_SIDE} pixels a side) or a .hc stream, "
        "cut ones welcome. It stays in the memory of this computer and is forgotten when you leave.",
        type=["jpg", "jpeg", "png", "webp", "hc"],
        max_upload_size=12,
        key=state.OWN,
    )
    if upload is None:
        st.caption("An address restores everything on this page but an uploaded file.")
        return None
    return _computed(upload.getvalue(), "Your picture", settings, None)


def _computed(source: str | bytes, title: str, settings: dict[str, Any], chosen: Sample | None) -> Subject | None:
    """Trace now, with a progress line, and remember the last few in this session."""
    if not cached.models():
        chrome.empty("No codec is installed, so only shipped traces can be shown.", how="python -m hiercodec models")
        return None
    kept: OrderedDict[str, Bundle] = st.session_state.setdefault("explore_kept", OrderedDict())
    key = cached.key_of(source, *settings.values())
    if key not in kept:
        line = st.progress(0.0, text="Loading the codec …")
        try:
            kept[key] = cached.compute(
                source, **settings, progress=lambda done, total, what: line.progress(done / total, text=f"{what} …")
            )
        except HiercodecError as error:
            chrome.notice("error", f"This cannot be used: {error}")
            return None
        finally:
            line.empty()
        while len(kept) > KEEP:
            kept.popitem(last=False)
    return Subject(title, kept[key], key, chosen)


@st.fragment
def view(shown: Subject) -> None:
    """The scrubber and the plain slider that mirrors it. A release reruns this part of the page and no more."""
    trace = shown.bundle.trace
    if st.session_state.get(state.SHOWN) != shown.identity:
        st.session_state[state.SHOWN] = shown.identity
        state.tell_scrubber()
    position = state.hold_step(len(trace.steps))
    scrubber(
        shown.bundle,
        shown.identity,
        key=state.SCRUBBER,
        position=position,
        seek=state.seek(),
        alt=shown.title,
        sources=_sources(),
        classical=_classical(shown),
        on_move=state.released,
        on_codec=state.codec_asked,
    )
    send_frames(
        shown.identity, {"original": [shown.bundle.original], "frames": shown.bundle.frames}, key="explore_frames"
    )
    st.select_slider(
        "The same position as a plain control",
        list(range(len(trace.steps))),
        value=min(state.DEFAULT_STEP, len(trace.steps) - 1) if state.STEP not in st.session_state else None,
        format_func=lambda i: f"{i + 1}: {trace.steps[i].bytes:,} bytes",
        key=state.STEP,
        bind="query-params",
        on_change=state.tell_scrubber,
    )


def _sources() -> list[tuple[str, str]]:
    from hiercodec.ui.classical import available

    return [(key, f"{name}, same bytes") for key, name in available()]


def _classical(shown: Subject) -> dict[str, Any] | None:
    """The classical codec that was asked for: its points, and its pictures on their way to the browser."""
    codec = st.session_state.get(state.CODEC)
    names = dict(_available())
    if codec not in names:
        return None
    from hiercodec.ui.classical import within

    trace = shown.bundle.trace
    files = cached.classical_sweep(codec, shown.identity, trace.file_bytes, shown.bundle.original_pixels())
    indexes = [within(files, step.bytes) for step in trace.steps]
    used = sorted({index for index in indexes if index is not None})
    identity = f"{shown.identity}-{codec}"
    from hiercodec.evaluation.bundle import to_webp

    send_frames(identity, {"frames": [to_webp(files[index].image, 1) for index in used]}, key="explore_classical")
    points = [
        None if index is None else {"bytes": files[index].bytes, "psnr": files[index].psnr, "frame": used.index(index)}
        for index in indexes
    ]
    return {"codec": codec, "label": names[codec], "id": identity, "points": points, "smallest": files[0].bytes}


def _available() -> list[tuple[str, str]]:
    from hiercodec.ui.classical import available

    return available()


def credit(chosen: Sample) -> None:
    """The lesson of a sample and whose photograph it is."""
    st.markdown(f"**{chosen.lesson}**")
    st.caption(f"Photograph: {chosen.author}, {chosen.licence}, [source]({chosen.source}), from {chosen.package}.")


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


__all__ = ["Subject", "choose", "credit", "default_settings", "export", "provenance", "subject", "view"]

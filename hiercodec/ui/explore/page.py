"""Parts of the Explore page: choosing the photograph and the settings, the scrubber and what follows it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hiercodec.classify import ALLOWED, DEFAULT, offers, permitted
from hiercodec.evaluation.bundle import to_webp
from hiercodec.evaluation.samples import Sample, samples
from hiercodec.levels import PAPER_PLAN
from hiercodec.ui.explore.panels import panels
from hiercodec.ui.explore.scrubber import scrubber, send_frames
from hiercodec.ui.explore.subject import Subject, default_settings, subject
from hiercodec.ui.frame import cached, chrome, state
from hiercodec.ui.results.cards import about_switch, weaknesses

__all__ = ["choose", "notices", "provenance", "settings", "subject", "view"]


def choose() -> Sample | None:
    """The row of photographs; None means the visitor's own."""
    chosen = st.pills(
        "Photograph",
        [*(row.title for row in samples()), state.UPLOAD],
        default=state.DEFAULT_PHOTO,
        required=True,
        key=state.PHOTO,
        bind="query-params",
        label_visibility="collapsed",
    )
    if chosen == state.UPLOAD:
        return None
    return next((row for row in samples() if row.title == chosen), samples()[0])


def settings() -> dict[str, Any]:
    """Model, classifier, hierarchy, number of steps, from a popover; the address carries those that are not default."""
    chosen = default_settings()
    with st.popover("Settings", icon=":material/tune:"):
        models = list(cached.models()) or [str(chosen["model"])]
        chosen["model"] = st.selectbox("Codec model", models, key="model", bind="query-params")
        for words in about_switch(cached.models(), str(chosen["model"])):
            st.caption(words)
        offered = offers()
        classifiers = [offer.spec for offer in offered if offer.spec == DEFAULT or permitted(offer.spec)]
        if st.query_params.get("classifier", DEFAULT) not in classifiers:
            st.toast("The address asks for a classifier that is not installed here.", icon=":material/info:")
        spec = st.selectbox(
            "Classifier",
            classifiers,
            key="classifier",
            bind="query-params",
            help=f"More can be offered by whoever starts the app: `{ALLOWED}` lists them.",
        )
        for offer in offered:
            if not offer.ready:
                st.caption(f"{offer.spec}: {offer.missing}.")
        hierarchies = cached.hierarchy_names()
        chosen["hierarchy"] = st.selectbox("Hierarchy", hierarchies, key="hierarchy", bind="query-params")
        chosen["steps"] = st.selectbox("Steps", [24, 12, 48], key="steps", bind="query-params")
        finer = [state.NO_FINER, *PAPER_PLAN.names]
        st.selectbox("Finer steps in block", finer, key=state.FINER, bind="query-params")
        st.caption("Shipped traces are made with the defaults. Any other choice computes the trace now.")
    chosen["classifier"] = None if spec == "none" else spec
    return chosen


def notices(shown: Subject, settings: dict[str, Any]) -> None:
    """Say where the trace is older than the weights, and where the weights are weak."""
    trace = shown.bundle.trace
    card = cached.models().get(str(settings["model"]), {})
    made_with = trace.provenance.get("fingerprint")
    if card and card.get("fingerprint") != made_with:
        chrome.notice(
            "warning", f"Made with other weights ({made_with}) than those installed ({card.get('fingerprint')})."
        )
        return
    words = weaknesses(card) if card else []
    if words:
        chrome.notice("info", " ".join(words))


def view(shown: Subject) -> None:
    """The scrubber and all that follows its position, which is that of the page whenever the whole page runs."""
    sizes = [step.bytes for step in shown.bundle.trace.steps]
    if st.session_state.get(state.SHOWN) != shown.identity:
        st.session_state[state.SHOWN] = shown.identity
        state.return_to_place(shown.origin, sizes)
    state.tell_scrubber()
    _view(shown, sizes)


@st.fragment
def _view(shown: Subject, sizes: list[int]) -> None:
    """The scrubber, the plain slider that mirrors it, and the panels. A release reruns this part of the page only."""
    if state.take_finer_asked():
        st.rerun(scope="app")
    trace = shown.bundle.trace
    position = state.settle_step(len(sizes))
    state.keep_place(shown.origin, sizes, position)
    classical, pictures = _classical(shown)
    scrubber(
        shown.bundle,
        shown.identity,
        key=state.SCRUBBER,
        position=state.told_to(position),
        seek=state.seek(),
        alt=shown.title,
        look=state.look(),
        finer=shown.finer,
        sources=[(key, f"{name}, same bytes") for key, name in _codecs(shown)],
        classical=classical,
        on_move=state.released,
        on_codec=state.codec_asked,
        on_look=state.looked,
        on_finer=state.finer_asked,
    )
    st.select_slider(
        f"Step (of {len(trace.steps)}): the same position as a plain control",
        list(range(len(trace.steps))),
        format_func=lambda index: str(index + 1),
        key=state.STEP,
        bind="query-params",
        on_change=state.slid,
    )
    panels(shown, position)
    own = {"original": [shown.bundle.original], "frames": shown.bundle.changes, "bits": [shown.bundle.bits]}
    send_frames(shown.identity, own, key="explore_frames", changes=["frames"])
    if classical is not None:
        send_frames(classical["id"], {"frames": pictures}, key="explore_classical")


def _codecs(shown: Subject) -> list[tuple[str, str]]:
    """Classical codecs to compare with; none where the original is not at hand."""
    from hiercodec.evaluation.peers import available

    known = not shown.bundle.trace.provenance.get("reference")
    return [(rival.name, rival.title) for rival in available()] if known else []


def _classical(shown: Subject) -> tuple[dict[str, Any] | None, list[bytes]]:
    """The classical codec that was asked for: what it gives at every step, and the pictures on their way out."""
    codec = st.session_state.get(state.CODEC)
    names = dict(_codecs(shown))
    if codec not in names:
        return None, []
    from hiercodec.evaluation.measure import best_within

    trace = shown.bundle.trace
    rows = cached.rival_rows(codec, trace.provenance["image_sha256"], trace.file_bytes, shown.bundle.original_pixels())
    indexes = [best_within(rows, step.bytes) for step in trace.steps]
    used = sorted({index for index in indexes if index is not None})
    points = [
        None if i is None else {"bytes": rows[i].point.bytes, "psnr": rows[i].psnr, "frame": used.index(i)}
        for i in indexes
    ]
    told = {"codec": codec, "label": names[codec], "points": points, "smallest": rows[0].point.bytes}
    return {**told, "id": f"{shown.identity}-{codec}"}, [to_webp(rows[i].point.picture, 1) for i in used]


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

"""Parts of the Explore page: choosing the photograph, tracing a visitor's own, the scrubber and what follows it."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.bundle import Bundle, to_webp
from hiercodec.evaluation.samples import Sample, samples
from hiercodec.ui import cached, chrome, state
from hiercodec.ui.cards import weaknesses
from hiercodec.ui.panels import panels
from hiercodec.ui.scrubber import scrubber, send_frames

CLASSIFIERS = ["bundled", "timm:mobilenetv3_large_100", "timm:resnet50", "timm:convnext_tiny", "none"]
_SPEC = re.compile(r"bundled|timm:[A-Za-z0-9_.]{1,80}")
"""What a visitor may name: no paths, so that an address cannot make the server read its own files."""

KEEP = 3
"""How many traces of their own photographs a visitor's session holds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the page shows: a title, the trace with its pictures, an identity for the browser, and the sample, if any."""

    title: str
    bundle: Bundle
    identity: str
    sample: Sample | None = None


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
    with st.popover("Settings", icon=":material/tune:", type="tertiary"):
        models = list(cached.models()) or [str(chosen["model"])]
        chosen["model"] = st.selectbox("Codec model", models, key="model", bind="query-params")
        spec = st.selectbox(
            "Classifier",
            CLASSIFIERS,
            key="classifier",
            bind="query-params",
            accept_new_options=True,
            help="timm:NAME takes any timm model; its weights are fetched once, which needs a network.",
        )
        hierarchies = cached.hierarchy_names()
        chosen["hierarchy"] = st.selectbox("Hierarchy", hierarchies, key="hierarchy", bind="query-params")
        chosen["steps"] = st.selectbox("Steps", [24, 12, 48], key="steps", bind="query-params")
        st.caption("Shipped traces are made with the defaults. Any other choice computes the trace now.")
    chosen["classifier"] = None if spec == "none" else spec
    return chosen


def subject(chosen: Sample | None, settings: dict[str, Any]) -> Subject | None:
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


def default_settings() -> dict[str, Any]:
    """What the shipped traces were made with."""
    return {"model": "lite", "classifier": "bundled", "hierarchy": "consensus", "steps": 24}


def _own(settings: dict[str, Any]) -> Subject | None:
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
    classifier = settings["classifier"]
    if classifier is not None and not _SPEC.fullmatch(classifier):
        chrome.notice("error", "This classifier cannot be used: write bundled, none, or timm: and a model's name.")
        return None
    kept: OrderedDict[str, Bundle] = st.session_state.setdefault("explore_kept", OrderedDict())
    key = cached.key_of(source, *settings.values())
    if key not in kept:
        line, picture = st.progress(0.0, text="Loading the codec …"), st.empty()

        def tell(done: int, total: int, what: str) -> None:
            line.progress(done / total, text=f"{what} …")

        def show(frame: Any) -> None:
            picture.image(frame, output_format="PNG", alt="The picture as far as it has been decoded")

        try:
            kept[key] = cached.compute(source, **settings, progress=tell, show=show)
        except HiercodecError as error:
            chrome.notice("error", f"This cannot be used: {error}")
            return None
        finally:
            line.empty()
            picture.empty()
        while len(kept) > KEEP:
            kept.popitem(last=False)
    return Subject(title, kept[key], key, chosen)


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
    classifier = cached.cards().get("classifier", {}) if settings["classifier"] == "bundled" else None
    words = weaknesses(card, classifier) if card else []
    if words:
        chrome.notice("info", " ".join(words))


@st.fragment
def view(shown: Subject) -> None:
    """The scrubber, the plain slider that mirrors it, and the panels. A release reruns this part of the page only."""
    trace = shown.bundle.trace
    if st.session_state.get(state.SHOWN) != shown.identity:
        st.session_state[state.SHOWN] = shown.identity
        state.tell_scrubber()
    position = state.settle_step(len(trace.steps))
    classical, pictures = _classical(shown)
    scrubber(
        shown.bundle,
        shown.identity,
        key=state.SCRUBBER,
        position=state.told_to(position),
        seek=state.seek(),
        alt=shown.title,
        sources=[(key, f"{name}, same bytes") for key, name in _codecs(shown)],
        classical=classical,
        on_move=state.released,
        on_codec=state.codec_asked,
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
    own = {"original": [shown.bundle.original], "frames": shown.bundle.changes}
    send_frames(shown.identity, own, key="explore_frames", changes=["frames"])
    if classical is not None:
        send_frames(classical["id"], {"frames": pictures}, key="explore_classical")


def _codecs(shown: Subject) -> list[tuple[str, str]]:
    """Classical codecs to compare with; none where the original is not at hand."""
    from hiercodec.ui.classical import available

    return [] if shown.bundle.trace.provenance.get("reference") else available()


def _classical(shown: Subject) -> tuple[dict[str, Any] | None, list[bytes]]:
    """The classical codec that was asked for: what it gives at every step, and the pictures on their way out."""
    codec = st.session_state.get(state.CODEC)
    names = dict(_codecs(shown))
    if codec not in names:
        return None, []
    from hiercodec.ui.classical import within

    trace = shown.bundle.trace
    files = cached.classical_sweep(
        codec, trace.provenance["image_sha256"], trace.file_bytes, shown.bundle.original_pixels()
    )
    indexes = [within(files, step.bytes) for step in trace.steps]
    used = sorted({index for index in indexes if index is not None})
    points = [
        None if i is None else {"bytes": files[i].bytes, "psnr": files[i].psnr, "frame": used.index(i)} for i in indexes
    ]
    told = {"codec": codec, "label": names[codec], "points": points, "smallest": files[0].bytes}
    return {**told, "id": f"{shown.identity}-{codec}"}, [to_webp(files[i].image, 1) for i in used]


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

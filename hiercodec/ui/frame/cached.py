"""Cached calls. Keys are names and content hashes, never arrays: Streamlit samples large arrays and may mix them up."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from hiercodec.errors import ImageTooLarge
from hiercodec.evaluation import bundle as bundles
from hiercodec.evaluation.bundle import Bundle
from hiercodec.evaluation.samples import sample
from hiercodec.fsio import locate

if TYPE_CHECKING:
    from hiercodec.evaluation import Judging
    from hiercodec.evaluation.measure import Row

TRACES = locate("traces")
MODELS = locate("models")
DEFAULT_HIERARCHY = "consensus"
LONGEST_SIDE = 384
"""A visitor's photograph is shrunk until neither side is longer than this many pixels."""

STREAM_PIXELS = 1024 * 1024
"""Pixels of a stream that a visitor may upload: some 1 s and 0.1 GB for each of its 24 prefixes, while others wait."""

_BUSY = threading.BoundedSemaphore(1)
"""One codec at a time: two cores are soon full, and a queue is kinder than a crowd."""


@st.cache_resource(max_entries=12, show_spinner=False)
def _read_bundle(name: str, stamp: float) -> Bundle:
    return bundles.read(TRACES / f"{name}.zip")


def shipped_bundle(name: str) -> Bundle:
    """The shipped trace of a sample; `InputError` if there is none. Shared between sessions: never change it."""
    path = TRACES / f"{name}.zip"
    return _read_bundle(name, path.stat().st_mtime if path.exists() else 0.0)


@st.cache_data(max_entries=4, show_spinner=False)
def _cards(stamp: tuple[float, ...]) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(MODELS.glob("*.json"))}


def cards() -> dict[str, dict[str, Any]]:
    """Name → card of everything in assets/models, without torch."""
    return _cards(tuple(path.stat().st_mtime for path in sorted(MODELS.glob("*.json"))))


def models() -> dict[str, dict[str, Any]]:
    """Name → card of the codec models that are shipped."""
    return {name: card for name, card in cards().items() if "preset" in card}


@st.cache_resource(max_entries=2, show_spinner="Loading the codec …")
def load_codec(name: str, fingerprint: str) -> Any:
    """A shipped codec, shared between sessions; `fingerprint` keeps a new file from hiding behind an old name."""
    from hiercodec.models import load

    return load(name)


@st.cache_resource(max_entries=2, show_spinner="Loading the classifier …")
def load_classifier(spec: str) -> Any:
    """A classifier by its spec, shared between sessions."""
    from hiercodec.classify import load_classifier as load

    return load(spec)


@st.cache_resource(max_entries=6, show_spinner=False)
def load_hierarchy(name: str) -> Any:
    """A shipped hierarchy, shared between sessions."""
    from hiercodec.taxonomy import load_hierarchy as load

    return load(name)


def hierarchy_names() -> list[str]:
    """Names of the shipped hierarchies, the default one first."""
    from hiercodec.taxonomy import available_hierarchies

    names = available_hierarchies()
    return sorted(names, key=lambda name: (name != DEFAULT_HIERARCHY, name)) or [DEFAULT_HIERARCHY]


@st.cache_data(max_entries=24, max_size="128MiB", show_spinner=False)
def rival_rows(name: str, image_sha256: str, budget: int, _rgb: np.ndarray) -> list[Row]:
    """A picture under another format at every quality, smallest file first, up to the first over `budget` bytes."""
    from hiercodec.evaluation.measure import measure
    from hiercodec.evaluation.peers import rival, up_to

    rows = measure(_rgb, up_to(rival(name).finely().points(_rgb), budget), peer=name)
    return sorted(rows, key=lambda row: row.point.bytes)


def _judging(classifier: str | None, hierarchy: str, truth: Sequence[int] = ()) -> Judging | None:
    from hiercodec.evaluation import Judging

    if classifier is None:
        return None
    return Judging(load_classifier(classifier), load_hierarchy(hierarchy)).knowing(truth)


def compute(
    source: str | bytes,
    *,
    model: str,
    classifier: str | None,
    hierarchy: str,
    steps: int,
    progress: Callable[[int, int, str], None],
    show: Callable[[Any], None] | None = None,
) -> Bundle:
    """Trace a sample (by name), a photograph or a .hc stream (by its bytes) with the real codec; this imports torch.

    Raises the project's errors on bytes it cannot use.
    """
    from hiercodec.evaluation import trace, trace_stream
    from hiercodec.images import read_rgb, resize_to
    from hiercodec.stream import parse
    from hiercodec.stream.container import MAGIC

    if isinstance(source, bytes) and source[:3] == MAGIC[:3]:
        header = parse(source).header  # damage and size show here, before torch is loaded
        if header.pixels > STREAM_PIXELS:
            raise ImageTooLarge(
                f"the stream holds a picture of {header.width}×{header.height}; this page decodes up to {STREAM_PIXELS:,} "
                "pixels, such as 1024×1024. Encode the photograph smaller, or decode the stream on your own computer: "
                "python -m hiercodec decode IN.hc OUT.png"
            )
        mark = header.fingerprint.hex()
        model = next((name for name, card in models().items() if card.get("fingerprint") == mark), model)
        rgb, truth = None, ()
    elif isinstance(source, bytes):
        rgb, truth = resize_to(read_rgb(source), LONGEST_SIDE), ()
    else:
        rgb, truth = sample(source).pixels(), sample(source).truth
    with _BUSY:
        codec = load_codec(model, str(models().get(model, {}).get("fingerprint")))
        judging = _judging(classifier, hierarchy, truth)
        if rgb is None:
            assert isinstance(source, bytes)
            data = source
            found, decoded = trace_stream(codec, data, judging, steps=steps, progress=progress, show=show)
            rgb = decoded[-1].image
        else:
            data = codec.encode(rgb)
            found, decoded = trace(codec, rgb, judging, steps=steps, data=data, progress=progress, show=show)
    return bundles.make(found, data, rgb, decoded)


def compute_finer(
    bundle: Bundle,
    level: str,
    *,
    model: str,
    classifier: str | None,
    hierarchy: str,
    progress: Callable[[int, int, str], None],
) -> Bundle:
    """Add finer steps inside the block of `level` to a trace; this imports torch. Raises the project's errors."""
    from hiercodec.evaluation import refine

    mark = bundle.trace.provenance.get("fingerprint")
    name = next((name for name, card in models().items() if card.get("fingerprint") == mark), model)
    with _BUSY:
        found, decoded = refine(
            load_codec(name, str(models().get(name, {}).get("fingerprint"))),
            bundle.trace,
            bundle.stream,
            bundle.original_pixels(),
            level,
            _judging(classifier, hierarchy),
            progress=progress,
        )
    return bundles.refined(bundle, found, decoded)


def key_of(source: str | bytes, *settings: str | int | None) -> str:
    """A short content hash for what `compute` would give."""
    raw = source.encode() if isinstance(source, str) else source
    digest = hashlib.sha256(type(source).__name__.encode() + raw)
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()[:20]

"""Cached calls. Keys are names and content hashes, never arrays: Streamlit samples large arrays and may mix them up."""

from __future__ import annotations

import dataclasses
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
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from hiercodec.evaluation import Judging
    from hiercodec.evaluation.measure import Row
    from hiercodec.evaluation.trace import Ranked, Trace

TRACES = locate("traces")
MODELS = locate("models")
SIDES = (384, 512, 768)
"""A visitor's photograph is shrunk until neither side is longer than this many pixels: the first, unless they choose."""

FIRST_STEPS = 6
"""How many steps are shown before the others are computed."""

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


@st.cache_data(max_entries=24, show_spinner=False)
def ranked(
    key: str, classifier: str, hierarchy: str, truth: tuple[int, ...], _pictures: Sequence[np.ndarray]
) -> list[tuple[dict[str, Ranked], float | None]]:
    """What a classifier takes pictures (which `key` names) for, and the WUP of that; this imports torch.

    Raises the project's errors.
    """
    from hiercodec.classify import path_of

    with _BUSY:
        judging = _judging(classifier, hierarchy, truth)
        assert judging is not None
        found = judging.verdicts(_pictures) if _pictures else []
        return [(dict(path_of(row.probabilities, judging.hierarchy)), row.wup) for row in found]


def codec_for(mark: str | None, model: str) -> Any:
    """The codec whose weights have the fingerprint `mark` (hex), else `model`."""
    name = next((name for name, card in models().items() if card.get("fingerprint") == mark), model)
    return load_codec(name, str(models().get(name, {}).get("fingerprint")))


def compute(
    source: str | bytes,
    *,
    model: str,
    classifier: str | None,
    hierarchy: str,
    steps: int,
    side: int,
    progress: Callable[[int, int, str], None],
    show: Callable[[Any], None] | None = None,
) -> tuple[Bundle, list[int]]:
    """Trace a sample (by name), a photograph or a .hc stream (by its bytes) with the real codec; this imports torch.

    Photographs are shrunk to at most `side` pixels a side. Returns a trace of FIRST_STEPS steps, and at which bytes the
    others are that it takes to make `steps`. Raises the project's errors on bytes it cannot use.
    """
    from hiercodec.evaluation import trace, trace_stream
    from hiercodec.evaluation.tracing import budgets_of
    from hiercodec.images import read_rgb, resize_to
    from hiercodec.stream import parse
    from hiercodec.stream.container import MAGIC

    mark, rgb, truth = None, None, ()
    if isinstance(source, bytes) and source[:3] == MAGIC[:3]:
        header = parse(source).header  # damage and size show here, before torch is loaded
        if header.pixels > STREAM_PIXELS:
            raise ImageTooLarge(
                f"the stream holds a picture of {header.width}×{header.height}; this page decodes up to {STREAM_PIXELS:,} "
                "pixels, such as 1024×1024. Encode the photograph smaller, or decode the stream on your own computer: "
                "python -m hiercodec decode IN.hc OUT.png"
            )
        mark = header.fingerprint.hex()
    elif isinstance(source, bytes):
        rgb = resize_to(read_rgb(source), side)
    else:
        rgb, truth = sample(source).pixels(), sample(source).truth
    with _BUSY:
        codec, judging = codec_for(mark, model), _judging(classifier, hierarchy, truth)
        if rgb is None:
            assert isinstance(source, bytes)
            data = source
        else:
            progress(0, FIRST_STEPS, "encoding")
            data = codec.encode(rgb)
        budgets = budgets_of(data, steps)
        first = few(budgets, list(parse(data, codec.plan).cuts().values()))
        if rgb is None:
            found, decoded = trace_stream(codec, data, judging, budgets=first, progress=progress, show=show)
            rgb = decoded[-1].image
        else:
            found, decoded = trace(codec, rgb, judging, data=data, budgets=first, progress=progress, show=show)
    return bundles.make(found, data, rgb, decoded), [n for n in budgets if n not in first]


def few(budgets: Sequence[int], ends: Sequence[int], count: int = FIRST_STEPS) -> list[int]:
    """The `count` of rising `budgets` to look at first: both ends, where blocks end, then evenly in between.

    >>> few([10, 20, 30, 40, 50, 60, 70, 80], [30, 60, 80], 6)
    [10, 20, 30, 60, 70, 80]
    """
    chosen = {budgets[0], budgets[-1], *(n for n in ends if n in budgets)}
    others = [n for n in budgets if n not in chosen]
    spare = max(0, count - len(chosen))
    chosen.update(others[i * (len(others) - 1) // max(1, spare - 1)] for i in range(min(spare, len(others))))
    return sorted(chosen)


def judge_again(bundle: Bundle, *, classifier: str | None, hierarchy: str, truth: tuple[int, ...]) -> Bundle:
    """The same pictures, judged by another classifier or hierarchy. Raises the project's errors."""
    from hiercodec.evaluation.tracing import judged_again

    provenance = bundle.trace.provenance
    original = None if provenance.get("reference") else bundle.original_pixels()
    with _BUSY:
        codec, judging = (
            codec_for(provenance["fingerprint"], provenance["model"]),
            _judging(classifier, hierarchy, truth),
        )
        return dataclasses.replace(bundle, trace=judged_again(codec, bundle.trace, bundle.frames(), original, judging))


def more(bundle: Bundle, settings: dict[str, Any]) -> Callable[[Trace, Sequence[int]], tuple[Trace, dict[int, Any]]]:
    """How to add steps to a trace made by `compute`, from any thread: models are loaded here, each call waits its turn."""
    from hiercodec.evaluation.tracing import extend

    codec = codec_for(bundle.trace.provenance.get("fingerprint"), settings["model"])
    judging = _judging(settings["classifier"], settings["hierarchy"])

    rgb = bundle.original_pixels()

    def extended(found: Trace, budgets: Sequence[int]) -> tuple[Trace, dict[int, Any]]:
        with _BUSY:
            return extend(codec, found, bundle.stream, rgb, budgets, judging)

    return extended


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

    with _BUSY:
        found, decoded = refine(
            codec_for(bundle.trace.provenance.get("fingerprint"), model),
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

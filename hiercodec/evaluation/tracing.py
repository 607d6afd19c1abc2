"""Making traces: encode, cut, decode, classify, measure.

    rgb ── codec.encode ──► stream bytes ── cut at ~24 budgets ──► codec.decode ──► frames ──► classifier ──► Trace

Each function also returns what was decoded at every step (`Decoded`: the picture, and where its bits went).
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from hiercodec.evaluation.judge import in_loss
from hiercodec.evaluation.trace import Step, Trace, byte_budgets, psnr

MASS_LIMIT = 128
"""Levels with at most this many groups keep the probability of every group, not only of the top ones."""

Progress = Callable[[int, int, str], None]
"""Called as (done, total, what is being done)."""


def trace(
    codec: Any,
    rgb: np.ndarray,
    *,
    steps: int = 24,
    classifier: Any = None,
    hierarchy: Any = None,
    progress: Progress | None = None,
    show: Callable[[np.ndarray], None] | None = None,
    data: bytes | None = None,
    truth: Sequence[int] = (),
) -> tuple[Trace, list[Any]]:
    """Encode a picture, decode about `steps` real prefixes of its file, and classify them in one batch.

    rgb: uint8[H, W, 3] at the working size, which is also what PSNR is measured against. `data`, if given, is the
    picture's stream already encoded; `truth` holds the class indexes that are right. `show(frame)` is called with each
    frame as it is decoded. Without a classifier and a hierarchy the steps carry no predictions. Returns the trace and
    what was decoded at each of its steps.
    """
    from hiercodec.images import sha256_of

    tell = progress or _silent
    tell(0, steps + 2, "encoding")
    coded: bytes = codec.encode(rgb) if data is None else data
    origin = {"image_sha256": sha256_of(rgb)}
    return _trace(codec, coded, rgb, origin, steps, classifier, hierarchy, tell, show, truth)


def trace_stream(
    codec: Any,
    data: bytes,
    *,
    steps: int = 24,
    classifier: Any = None,
    hierarchy: Any = None,
    progress: Progress | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> tuple[Trace, list[Any]]:
    """As `trace`, for a stream whose photograph is not at hand; a cut stream gives as many steps as it still holds.

    PSNR is then against the last frame, and `provenance["reference"]` says so.
    """
    origin = {"image_sha256": None, "reference": "last decoded frame"}
    return _trace(codec, data, None, origin, steps, classifier, hierarchy, progress or _silent, show, ())


def refine(
    codec: Any,
    found: Trace,
    data: bytes,
    reference: np.ndarray,
    level: str,
    *,
    steps: int = 24,
    classifier: Any = None,
    hierarchy: Any = None,
    progress: Progress | None = None,
) -> tuple[Trace, dict[int, Any]]:
    """Add up to `steps` finer steps inside the block of `level` to a trace of `data`.

    `reference` is what PSNR is measured against (uint8[H, W, 3]), the rest must be what the trace was made with. Returns
    the trace with the new steps in their places, and what was decoded at the new ones, by bytes.
    """
    end = min(found.cuts[level], len(data))
    start = max((cut for cut in found.cuts.values() if cut < found.cuts[level]), default=found.steps[0].bytes)
    known = {step.bytes for step in found.steps}
    budgets = [n for n in byte_budgets(start, [end], steps + 2) if n not in known and n < end] if start < end else []
    truth = found.answers.get(found.levels[-1], ())
    rows, decoded = _measure(codec, data, budgets, reference, classifier, hierarchy, progress or _silent, None, truth)
    both = sorted([*found.steps, *rows], key=lambda step: step.bytes)
    return dataclasses.replace(found, steps=tuple(both)), dict(zip(budgets, decoded, strict=True))


def budgets_of(data: bytes, steps: int) -> list[int]:
    """Where a stream is cut for a trace, rising; the last is its length.

    A stream that was itself cut gives the budgets it still holds, and one cut inside z gives that one step.
    """
    from hiercodec import stream

    parsed = stream.parse(data)
    return [n for n in byte_budgets(parsed.z.end, list(parsed.cuts().values()), steps) if n < len(data)] + [len(data)]


def _trace(
    codec: Any,
    data: bytes,
    reference: np.ndarray | None,
    origin: dict[str, Any],
    steps: int,
    classifier: Any,
    hierarchy: Any,
    tell: Progress,
    show: Callable[[np.ndarray], None] | None,
    truth: Sequence[int],
) -> tuple[Trace, list[Any]]:
    from hiercodec import stream

    parsed = stream.parse(data, codec.plan)
    budgets = budgets_of(data, steps)
    rows, decoded = _measure(codec, data, budgets, reference, classifier, hierarchy, tell, show, truth)
    small = _small_levels(hierarchy)
    found = Trace(
        width=parsed.header.width,
        height=parsed.header.height,
        file_bytes=len(data),
        parts=parsed.parts(),
        cuts=parsed.cuts(),
        steps=rows,
        provenance=provenance(codec, classifier, hierarchy) | origin,
        labels={level.name: tuple(level.labels) for level in small},
        parents={level.name: _parents(hierarchy, level.name) for level in small[1:] if hierarchy.nested},
        answers=answers_of(truth, hierarchy),
    )
    return found, decoded


def _measure(
    codec: Any,
    data: bytes,
    budgets: Sequence[int],
    reference: np.ndarray | None,
    classifier: Any,
    hierarchy: Any,
    tell: Progress,
    show: Callable[[np.ndarray], None] | None,
    truth: Sequence[int],
) -> tuple[tuple[Step, ...], list[Any]]:
    """Decode the prefixes of `data`, measure them against `reference` (None: the last of them) and classify them."""
    decoded, total = [], len(budgets) + 2
    decoder = codec.prefixes(data, bit_map=True)
    for done, n_bytes in enumerate(budgets, start=1):
        decoded.append(decoder.at(n_bytes))
        if show is not None:
            show(decoded[-1].image)
        tell(done, total, "decoding")
    tell(total - 1, total, "classifying")
    frames = [result.image for result in decoded]
    predictions = predict(frames, classifier, hierarchy, truth)
    against = frames[-1] if reference is None and frames else reference
    rows = tuple(
        Step(n, 8 * n / r.image[..., 0].size, psnr(against, r.image), r.level, float(r.fraction), **prediction)
        for n, r, prediction in zip(budgets, decoded, predictions, strict=True)
    )
    tell(total, total, "done")
    return rows, decoded


def predict(
    frames: Sequence[np.ndarray], classifier: Any, hierarchy: Any, truth: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """What a `Step` says of every frame's meaning, from one batch through the classifier; nothing without one."""
    if classifier is None or hierarchy is None or not frames:
        return [{} for _ in frames]
    from hiercodec.classify import level_probabilities, path_of

    rows = []
    for p in classifier.probabilities(list(frames)):
        path = path_of(p, hierarchy, top=3)
        top = {
            level.name: tuple((int(i), str(label), float(q)) for i, label, q in path[level.name])
            for level in hierarchy.levels
        }
        by_level = level_probabilities(p, hierarchy)
        mass = {
            level.name: tuple(round(float(q), 6) for q in by_level[level.name]) for level in _small_levels(hierarchy)
        }
        wup = similarity(top[hierarchy.levels[-1].name][0][0], truth) if truth else None
        rows.append({"top": top, "consistent": bool(path.consistent), "mass": mass, "wup": wup})
    return rows


def similarity(answer: int, truth: Sequence[int]) -> float:
    """WUP of a class to the nearest of the right ones; 1.0 for a right one (NLTK gives 107 classes less to themselves)."""
    from hiercodec.taxonomy.similarity import wup_matrix

    return 1.0 if answer in truth else round(max(float(wup_matrix()[answer, right]) for right in truth), 4)


def answers_of(truth: Sequence[int], hierarchy: Any) -> dict[str, tuple[int, ...]]:
    """The groups that are right at each level, given the right class indexes; empty where nothing is known."""
    if hierarchy is None or not truth:
        return {}
    return {level.name: tuple(sorted({int(level.assignment[c]) for c in truth})) for level in hierarchy.levels}


def _small_levels(hierarchy: Any) -> list[Any]:
    return [] if hierarchy is None else [level for level in hierarchy.levels if level.k <= MASS_LIMIT]


def _parents(hierarchy: Any, name: str) -> tuple[int, ...]:
    return tuple(int(group) for group in hierarchy.parents(name)[0])


def _silent(done: int, total: int, what: str) -> None:
    """Nobody listens."""


def provenance(codec: Any, classifier: Any = None, hierarchy: Any = None) -> dict[str, Any]:
    """Which weights, which hierarchy and which libraries stand behind a result."""
    versions = {name: metadata.version(name) for name in ("torch", "numpy", "pillow")}
    return {
        "model": codec.name,
        "fingerprint": codec.fingerprint.hex(),
        "classifier": getattr(classifier, "name", None),
        "classifier_weights": getattr(classifier, "weights_id", None),
        "temperature": getattr(classifier, "temperature", None),
        "in_loss": None if classifier is None else in_loss(classifier.name, getattr(codec, "card", None) or {}),
        "hierarchy": getattr(hierarchy, "name", None),
        "hierarchy_digest": getattr(hierarchy, "digest", None),
        "device": str(getattr(codec, "device", "cpu")),
        "versions": {"python": platform.python_version(), **versions},
    }

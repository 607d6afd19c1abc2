"""Making traces: encode, cut, decode, classify, measure.

    rgb ── codec.encode ──► stream bytes ── cut at ~24 budgets ──► codec.decode ──► frames ──► classifier ──► Trace

Each function also returns what was decoded at every step: the picture, and where its bits went. Without an `Evaluator` the
steps carry no predictions.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec import stream
from hiercodec.classify import path_of
from hiercodec.evaluation.codecs.peers import Prefix, prefixes
from hiercodec.evaluation.measure import Evaluator, Row, Verdict, measure
from hiercodec.evaluation.metrics import bits_of_meaning
from hiercodec.evaluation.provenance import of_trace
from hiercodec.evaluation.traces.label import FileLabel
from hiercodec.evaluation.traces.trace import Ranked, Step, Trace, byte_budgets
from hiercodec.images import is_flat, sha256_of
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.hierarchy import HierarchyLevel

if TYPE_CHECKING:
    from hiercodec.models.common import Decoded, EmbeddedCodec

MASS_LIMIT = 128
"""Levels with at most this many groups keep the probability of every group, not only of the top ones."""

CLOSE = 1.06
"""How many times as many bytes a step has at most as the one before it, where an answer changes between them."""


Progress = Callable[[int, int, str], object]
"""Called as (done, total, what is being done)."""

Show = Callable[[np.ndarray], object]
"""Called with each frame as it is decoded."""


def _silent(done: int, total: int, what: str) -> None:
    """Nobody listens."""


def trace(
    codec: EmbeddedCodec,
    rgb: np.ndarray | None,
    evaluator: Evaluator | None = None,
    *,
    steps: int = 24,
    data: bytes | None = None,
    budgets: Sequence[int] | None = None,
    progress: Progress = _silent,
    show: Show | None = None,
) -> tuple[Trace, list[Decoded]]:
    """Decode about `steps` real prefixes of a picture's file and classify them in one batch.

    rgb: uint8[H, W, 3] at the working size, which is encoded unless `data` is its stream already, and which PSNR is measured
    against; None where the photograph of `data` is not at hand: PSNR is then against the last frame, and
    `provenance["reference"]` says so. A cut stream gives as many steps as it still holds. `budgets`, if given, are where it
    is cut instead (rising; see `budgets_of`). Returns the trace and what was decoded at each of its steps.
    """
    if data is None:
        progress(0, steps, "encoding")
        assert rgb is not None
        data = codec.encode(rgb)
    parsed = stream.parse(data, codec.plan)
    points = _decode(codec, parsed, budgets or budgets_of(parsed, steps), progress, show)
    rows = measure(points[-1].picture if rgb is None else rgb, points, _judges(evaluator))
    about = (
        {"image_sha256": None, "reference": "last decoded frame"} if rgb is None else {"image_sha256": sha256_of(rgb)}
    )
    label = _label(parsed, evaluator)
    traced = Trace(
        width=parsed.header.width,
        height=parsed.header.height,
        file_bytes=parsed.size,
        parts=parsed.parts(),
        cuts=parsed.cuts(),
        steps=tuple(_step(row, evaluator, label) for row in rows),
        provenance=of_trace(codec, evaluator) | about,
        original={} if rgb is None else _original(rgb, evaluator),
        **_hierarchy_fields(evaluator),
        **_label_fields(label),
    )
    return traced, [row.point.decoded for row in rows]


def extend(
    codec: EmbeddedCodec,
    trace: Trace,
    data: bytes,
    reference: np.ndarray,
    budgets: Sequence[int],
    evaluator: Evaluator | None = None,
    *,
    progress: Progress = _silent,
) -> tuple[Trace, dict[int, Decoded]]:
    """Add steps at `budgets` (bytes, rising, none of them a step already) to a trace of `data`.

    `reference` is what PSNR is measured against (uint8[H, W, 3]), classifier and hierarchy must be those the trace was
    made with; what is right is taken from it. Returns the trace with the new steps in their places, and what was decoded
    at the new ones, by bytes.
    """
    knowing = evaluator and dataclasses.replace(evaluator, right=trace.answers)
    parsed = stream.parse(data, codec.plan)
    rows = measure(reference, _decode(codec, parsed, budgets, progress, None), _judges(knowing))
    label = _label(parsed, evaluator)
    both = sorted([*trace.steps, *(_step(row, knowing, label) for row in rows)], key=lambda step: step.bytes)
    return dataclasses.replace(trace, steps=tuple(both)), {row.point.bytes: row.point.decoded for row in rows}


def inside(trace: Trace, level: str, steps: int = 24) -> list[int]:
    """Up to `steps` budgets between those of a trace inside the block of `level`, as far as it has arrived; rising."""
    end = min(trace.cuts[level], trace.file_bytes)
    start = max((cut for cut in trace.cuts.values() if cut < trace.cuts[level]), default=trace.start)
    known = {step.bytes for step in trace.steps}
    there = sorted({n for n in known if start < n < end} | {end})
    budgets = byte_budgets(start, there, steps + len(there) + 1) if start < end else []
    return [n for n in budgets if n not in known and start < n < end]


def turning_points(trace: Trace, room: int) -> list[int]:
    """Up to `room` budgets halfway, by ratio, between neighbouring steps whose answers differ at a level; rising.

    Where steps are furthest apart, they come first; none between steps closer than `CLOSE`.
    """
    turns = [
        (later.bytes / step.bytes, round(math.sqrt(step.bytes * later.bytes)))
        for step, later in itertools.pairwise(trace.steps)
        if any(step.top[level][0][0] != top[0][0] for level, top in later.top.items())
    ]
    return sorted(middle for ratio, middle in sorted(turns, reverse=True)[:room] if ratio > CLOSE)


def judged_again(
    codec: EmbeddedCodec,
    trace: Trace,
    data: bytes,
    frames: Sequence[np.ndarray],
    original: np.ndarray | None,
    evaluator: Evaluator | None,
) -> Trace:
    """The same steps with other answers: the pictures stay, another classifier looks at them, or none.

    `codec` made the trace of the stream `data`, `frames` are the pictures of its steps, `original` the picture itself
    where it is at hand.
    """
    label = _label(stream.parse(data), evaluator)
    verdicts = evaluator.verdicts(frames) if evaluator else [None] * len(frames)
    kept = ("bytes", "bpp", "psnr", "level", "fraction", "flat")
    bare = (Step(**{name: getattr(step, name) for name in kept}) for step in trace.steps)
    steps = tuple(_judged(step, verdict, evaluator, label) for step, verdict in zip(bare, verdicts, strict=True))
    seen = {} if original is None else _original(original, evaluator)
    provenance = trace.provenance | of_trace(codec, evaluator)
    fields = _hierarchy_fields(evaluator) | _label_fields(label)
    return dataclasses.replace(trace, steps=steps, provenance=provenance, original=seen, **fields)


def budgets_of(parsed: stream.Stream, steps: int) -> list[int]:
    """Where a stream is cut for a trace, rising; the last is its length.

    A label comes first, by itself. A stream that was itself cut gives the budgets it still holds, and one cut inside z gives
    that one step.
    """
    first = [parsed.label_section.end] if parsed.label_section else []
    rest = byte_budgets(parsed.z.end, list(parsed.cuts().values()), steps - len(first))
    return [n for n in [*first, *rest] if n < parsed.size] + [parsed.size]


def _decode(
    codec: EmbeddedCodec, parsed: stream.Stream, budgets: Sequence[int], progress: Progress, show: Show | None
) -> list[Prefix]:
    """The prefixes of a stream of these lengths; what is left to do then is to classify them."""
    points, total = [], len(budgets)
    for point in prefixes(codec, parsed, {str(budget): budget for budget in budgets}, bit_map=True):
        points.append(point)
        if show is not None:
            show(point.picture)
        progress(len(points), total, "decoding" if len(points) < total else "classifying")
    return points


def _judges(evaluator: Evaluator | None) -> list[Evaluator]:
    return [] if evaluator is None else [evaluator]


def _label(parsed: stream.Stream, evaluator: Evaluator | None) -> FileLabel | None:
    return FileLabel.of(parsed, evaluator.hierarchy if evaluator else None)


def _label_fields(label: FileLabel | None) -> dict[str, Any]:
    """What a `Trace` says of what the file tells."""
    return {"label": label.answers, "labeller": label.reading.classifier} if label else {"label": {}, "labeller": ""}


def _hierarchy_fields(evaluator: Evaluator | None) -> dict[str, Any]:
    """What a `Trace` says once of its hierarchy and of the right answers."""
    if evaluator is None:
        return {"labels": {}, "parents": {}, "answers": {}, "groups": {}}
    small = _small_levels(evaluator.hierarchy)
    return {
        "labels": {level.name: tuple(level.labels) for level in small},
        "parents": _parents(evaluator.hierarchy, small[1:]),
        "answers": dict(evaluator.right),
        "groups": {level.name: level.k for level in evaluator.hierarchy.levels},
    }


def _original(rgb: np.ndarray, evaluator: Evaluator | None) -> dict[str, Ranked]:
    """What the original is taken for."""
    return dict(path_of(evaluator.verdicts([rgb])[0].probabilities, evaluator.hierarchy)) if evaluator else {}


def _step(row: Row[Prefix], evaluator: Evaluator | None, label: FileLabel | None) -> Step:
    decoded = row.point.decoded
    flat = is_flat(decoded.image)
    step = Step(row.point.bytes, row.bpp, row.psnr, decoded.level, float(decoded.fraction), flat=flat)
    return _judged(step, row.verdicts[evaluator.classifier.name] if evaluator else None, evaluator, label)


def _judged(step: Step, verdict: Verdict | None, evaluator: Evaluator | None, label: FileLabel | None) -> Step:
    """The step with what the verdict says of it; as it is where there is none."""
    if verdict is None or evaluator is None:
        return step
    hierarchy, right = evaluator.hierarchy, evaluator.right
    path, masses = path_of(verdict.probabilities, hierarchy), verdict.masses
    return dataclasses.replace(
        step,
        top=dict(path),
        consistent=path.consistent,
        mass={level.name: tuple(round(float(q), 6) for q in masses[level.name]) for level in _small_levels(hierarchy)},
        wup=None if verdict.wup is None else round(verdict.wup, 4),
        meaning={
            name: 0.0 if step.blank else round(bits_of_meaning(p, right.get(name, ())), 4) for name, p in masses.items()
        },
        fused=label.fused(verdict, evaluator.classifier.name, step.bytes) if label else {},
    )


def _small_levels(hierarchy: Hierarchy) -> list[HierarchyLevel]:
    return [level for level in hierarchy.levels if level.k <= MASS_LIMIT]


def _parents(hierarchy: Hierarchy, levels: Sequence[HierarchyLevel]) -> dict[str, tuple[int, ...]]:
    """The group above each group of these levels; nothing where the hierarchy is no tree."""
    rows = {level.name: hierarchy.parents(level.name)[0] for level in levels} if hierarchy.nested else {}
    return {name: tuple(int(group) for group in row) for name, row in rows.items()}

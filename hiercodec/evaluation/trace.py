"""The trace of one picture: what every prefix of its stream looks like and means.

    rgb ── codec.encode ──► stream bytes ── cut at ~24 budgets ──► codec.decode ──► frames ──► classifier ──► Trace

A `Trace` is the one thing pages draw. It is plain data (no pixels, no torch) and travels as JSON.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

SCHEMA = 1
MASS_LIMIT = 128
"""Levels with at most this many groups keep the probability of every group, not only of the top ones."""

Ranked = tuple[tuple[int, str, float], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One prefix: its size, how the picture looks (PSNR in dB against the original) and what it is taken for.

    `level` is the last complete level (None before the first), `fraction` the share of the open block that was
    decoded (0…1). `top` maps a level to its likeliest groups as (index, label, probability), best first; `mass` maps
    small levels to the probability of every group. `consistent` is False when a level's winner is not the parent of
    the next level's. `bpp` and all sizes count every byte of the file, container included.
    """

    bytes: int
    bpp: float
    psnr: float
    level: str | None
    fraction: float
    top: dict[str, Ranked] = field(default_factory=dict)
    consistent: bool = True
    mass: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def probability(self, level: str, group: int) -> float:
        """The probability of `group` at `level`; 0.0 where only the top groups are kept and it is not one of them."""
        if level in self.mass:
            return self.mass[level][group]
        return next((p for index, _, p in self.top.get(level, ()) if index == group), 0.0)


@dataclass(frozen=True, slots=True)
class Trace:
    """Every step of one picture's stream, the sizes of its parts, and where all of it came from.

    `parts` maps header, z and each block to bytes and sums to `file_bytes`; `cuts` maps a level to the byte offset at
    which it is complete. `labels` names every group of the levels that have `mass`; `answers` maps a level to the
    groups that are right, where the truth is known.
    """

    width: int
    height: int
    file_bytes: int
    parts: dict[str, int]
    cuts: dict[str, int]
    steps: tuple[Step, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(self.cuts)

    def settled(self, level: str, answers: Sequence[int] | None = None) -> int | None:
        """Index of the first step from which the level's winner is right and stays right to the end.

        Right means: one of `answers` (group indexes), or, without them, the winner of the last step. None if the last
        step is wrong or the level was not classified.
        """
        winners = [step.top[level][0][0] if step.top.get(level) else None for step in self.steps]
        if not winners or winners[-1] is None:
            return None
        right = set(answers) if answers is not None else {winners[-1]}
        if winners[-1] not in right:
            return None
        last_wrong = max((i for i, winner in enumerate(winners) if winner not in right), default=-1)
        return last_wrong + 1

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, with the schema version; infinite PSNR (identical pictures) becomes None."""
        plain = {"schema": SCHEMA, **asdict(self)}
        for step in plain["steps"]:
            step["psnr"] = None if math.isinf(step["psnr"]) else step["psnr"]
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Trace:
        """The inverse of `to_json`; raises `ValueError` on another schema."""
        if plain.get("schema") != SCHEMA:
            raise ValueError(f"a trace of schema {plain.get('schema')!r}; this release reads {SCHEMA}")
        fields = {name: plain[name] for name in ("width", "height", "file_bytes", "parts", "cuts", "provenance")}
        labels = {name: tuple(rows) for name, rows in plain["labels"].items()}
        answers = {name: tuple(groups) for name, groups in plain["answers"].items()}
        steps = tuple(_step_from_json(step) for step in plain["steps"])
        return cls(**fields, labels=labels, answers=answers, steps=steps)


def _step_from_json(plain: Mapping[str, Any]) -> Step:
    row = dict(plain)
    row["psnr"] = math.inf if row["psnr"] is None else row["psnr"]
    row["top"] = {
        name: tuple((int(i), str(label), float(p)) for i, label, p in top) for name, top in row["top"].items()
    }
    row["mass"] = {name: tuple(values) for name, values in row["mass"].items()}
    return Step(**row)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR in dB of two uint8 pictures of one shape, over all channels; infinite when they are equal.

    >>> round(psnr(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)), 6)
    0.0
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def byte_budgets(start: int, ends: Sequence[int], steps: int = 24) -> list[int]:
    """About `steps` cut positions: `start` (z has just arrived), equal byte steps inside each block, each block's end.

    `ends` are the offsets at which the levels are complete, rising. Every end is in the result exactly; blocks shorter
    than their share of steps give fewer.

    >>> byte_budgets(100, [200, 400], 7)
    [100, 133, 167, 200, 267, 333, 400]
    """
    if steps < len(ends) + 1:
        raise ValueError(f"{len(ends)} levels need at least {len(ends) + 1} steps, got {steps}")
    share, extra = divmod(steps - 1, len(ends))
    budgets, low = [start], start
    for index, high in enumerate(ends):
        count = share + (1 if index < extra else 0)
        budgets += [round(low + (high - low) * i / count) for i in range(1, count)] + [high]
        low = high
    return sorted(set(budgets))


def walk(codec: Any, data: bytes, *, steps: int = 24) -> Iterator[tuple[int, Any]]:
    """Cut a stream at its byte budgets and decode each prefix: yields (bytes, Decoded), shortest first.

    A stream that was itself cut gives the budgets it still holds, and one cut inside z gives that one step.
    """
    from hiercodec import stream

    parsed = stream.parse(data)
    budgets = [n for n in byte_budgets(parsed.z.end, list(parsed.cuts().values()), steps) if n < len(data)]
    for n_bytes in [*budgets, len(data)]:
        yield n_bytes, codec.decode(data[:n_bytes])


def trace(
    codec: Any,
    rgb: np.ndarray,
    *,
    steps: int = 24,
    classifier: Any = None,
    hierarchy: Any = None,
    progress: Callable[[int, int, str], None] | None = None,
    show: Callable[[np.ndarray], None] | None = None,
    data: bytes | None = None,
    truth: Sequence[int] = (),
) -> tuple[Trace, list[np.ndarray]]:
    """Encode a picture, decode about `steps` real prefixes of its file, and classify them in one batch.

    rgb: uint8[H, W, 3] at the working size, which is also what PSNR is measured against. `data`, if given, is the
    picture's stream already encoded; `truth` holds the class indexes that are right. `progress(done, total, what)` is
    called as work goes on, `show(frame)` with each frame as it is decoded. Without a classifier and a hierarchy the
    steps carry no predictions. Returns the trace and the frames, uint8[H, W, 3] each.
    """
    from hiercodec.images import sha256_of

    tell = progress or (lambda done, total, what: None)
    tell(0, steps + 2, "encoding")
    coded: bytes = codec.encode(rgb) if data is None else data
    origin = {"image_sha256": sha256_of(rgb)}
    return _measure(codec, coded, rgb, origin, steps, classifier, hierarchy, tell, show, truth)


def trace_stream(
    codec: Any,
    data: bytes,
    *,
    steps: int = 24,
    classifier: Any = None,
    hierarchy: Any = None,
    progress: Callable[[int, int, str], None] | None = None,
    show: Callable[[np.ndarray], None] | None = None,
) -> tuple[Trace, list[np.ndarray]]:
    """As `trace`, for a stream whose photograph is not at hand; a cut stream gives as many steps as it still holds.

    PSNR is then against the last frame, and `provenance["reference"]` says so.
    """
    tell = progress or (lambda done, total, what: None)
    reference = codec.decode(data).image
    origin = {"image_sha256": None, "reference": "last decoded frame"}
    return _measure(codec, data, reference, origin, steps, classifier, hierarchy, tell, show, ())


def _measure(
    codec: Any,
    data: bytes,
    reference: np.ndarray,
    origin: dict[str, Any],
    steps: int,
    classifier: Any,
    hierarchy: Any,
    tell: Callable[[int, int, str], None],
    show: Callable[[np.ndarray], None] | None,
    truth: Sequence[int],
) -> tuple[Trace, list[np.ndarray]]:
    """Decode every prefix of `data`, measure it against `reference` and classify it."""
    from hiercodec import stream

    decoded = []
    for n_bytes, result in walk(codec, data, steps=steps):
        decoded.append((n_bytes, result))
        if show is not None:
            show(result.image)
        tell(len(decoded), steps + 2, "decoding")
    frames = [result.image for _, result in decoded]
    tell(steps + 1, steps + 2, "classifying")
    predictions = predict(frames, classifier, hierarchy)
    height, width = reference.shape[:2]
    rows = tuple(
        Step(n, 8 * n / (height * width), psnr(reference, r.image), r.level, float(r.fraction), *prediction)
        for (n, r), prediction in zip(decoded, predictions, strict=True)
    )
    parsed = stream.parse(data)
    labels = {level.name: tuple(level.labels) for level in _small_levels(hierarchy)}
    origin = provenance(codec, classifier, hierarchy) | origin
    sizes = width, height, len(data), parsed.parts(), parsed.cuts()
    found = Trace(*sizes, rows, origin, labels, answers_of(truth, hierarchy))
    tell(steps + 2, steps + 2, "done")
    return found, frames


def predict(frames: Sequence[np.ndarray], classifier: Any, hierarchy: Any) -> list[tuple[dict, bool, dict]]:
    """(top, consistent, mass) of every frame, from one batch through the classifier; empty without one."""
    if classifier is None or hierarchy is None:
        return [({}, True, {}) for _ in frames]
    from hiercodec.classify import level_probabilities, path_of

    rows = []
    for p in classifier.probabilities(list(frames)):
        path = path_of(p, hierarchy, top=3)
        names = [level.name for level in hierarchy.levels]
        top = {name: tuple((int(i), str(label), float(q)) for i, label, q in path[name]) for name in names}
        by_level = level_probabilities(p, hierarchy)
        small = [level.name for level in _small_levels(hierarchy)]
        mass = {name: tuple(round(float(q), 6) for q in by_level[name]) for name in small}
        rows.append((top, bool(path.consistent), mass))
    return rows


def answers_of(truth: Sequence[int], hierarchy: Any) -> dict[str, tuple[int, ...]]:
    """The groups that are right at each level, given the right class indexes; empty where nothing is known."""
    if hierarchy is None or not truth:
        return {}
    return {level.name: tuple(sorted({int(level.assignment[c]) for c in truth})) for level in hierarchy.levels}


def _small_levels(hierarchy: Any) -> list[Any]:
    return [] if hierarchy is None else [level for level in hierarchy.levels if level.k <= MASS_LIMIT]


def provenance(codec: Any, classifier: Any = None, hierarchy: Any = None) -> dict[str, Any]:
    """Which weights, which hierarchy and which libraries stand behind a result."""
    versions = {name: metadata.version(name) for name in ("torch", "numpy", "pillow")}
    return {
        "model": codec.name,
        "fingerprint": codec.fingerprint.hex(),
        "classifier": getattr(classifier, "name", None),
        "classifier_weights": getattr(classifier, "weights_id", None),
        "hierarchy": getattr(hierarchy, "name", None),
        "hierarchy_digest": getattr(hierarchy, "digest", None),
        "device": str(getattr(codec, "device", "cpu")),
        "versions": {"python": platform.python_version(), **versions},
    }

"""The trace of one picture as plain data: what every prefix of its stream looks like and means.

A `Trace` is the one thing pages draw. It holds no pixels, needs no torch and travels as JSON; `tracing` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from hiercodec import values
from hiercodec.classify import Confidence
from hiercodec.errors import InputError
from hiercodec.levels import is_blank
from hiercodec.stream.header import CRC

SCHEMA = 4
"""What is written and read; a field with a default may be missing."""
Ranked = tuple[tuple[int, str, float], ...]
Decibels = Annotated[float, BeforeValidator(values.restored)]


@dataclass(frozen=True, slots=True)
class Step:
    """One prefix: its size, how the picture looks (PSNR in dB against the original) and what it is taken for.

    `level` is the last complete level (None before the first), `fraction` the share of the open block's bytes that
    arrived (0…1, see `Decoded`). `top` maps a level to its likeliest groups as (index, label, probability), best first;
    `mass` maps small levels to the probability of every group. `consistent` is False when a level's winner is not the
    parent of the next level's. `wup` is the WordNet similarity (WUP, 0…1) of the last level's winner to the nearest
    right class, None where that is not known. `meaning` maps a level to the bits of meaning told (see
    `bits_of_meaning`): of the right answer where the trace knows it, else how sure the classifier is; 0 of a blank
    picture. `fused` is `top` for pixels and label together, at the levels that the label holds. `bpp` and all sizes
    count every byte of the file. `flat`: bytes came, but the picture is of one colour still.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")
    bytes: int
    bpp: float
    psnr: Decibels
    level: str | None
    fraction: float
    top: dict[str, Ranked] = field(default_factory=dict)
    consistent: bool = True
    mass: dict[str, tuple[float, ...]] = field(default_factory=dict)
    wup: float | None = None
    meaning: dict[str, float] = field(default_factory=dict)
    fused: dict[str, Ranked] = field(default_factory=dict)
    flat: bool = False

    @property
    def blank(self) -> bool:
        """Whether the picture shows nothing yet: what a blank picture is taken for is nobody's success."""
        return self.flat or is_blank(self.level, self.fraction)

    def margin(self, level: str) -> float | None:
        """How far the winner of `level` leads, p₁ − p₂ (0…1); None where the level was not classified."""
        top = self.top.get(level, ())
        return top[0][2] - (top[1][2] if len(top) > 1 else 0.0) if top else None

    def probability(self, level: str, group: int) -> float:
        """The probability of `group` at `level`; 0.0 where only the top groups are kept and it is not one of them."""
        if level in self.mass:
            return self.mass[level][group]
        return _chance(self.top.get(level, ()), group)

    def together(self, level: str, group: int) -> float:
        """The probability of `group` by pixels and label together; 0.0 where it is not among the top groups."""
        return _chance(self.fused.get(level, ()), group)


def _chance(ranked: Ranked, group: int) -> float:
    return next((p for index, _, p in ranked if index == group), 0.0)


class LabelAnswer(NamedTuple):
    """What a file's label says at one level: a group, its name, how likely it is right (0…1), and from which byte on."""

    group: int
    name: str
    confidence: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Every step of one picture's stream, the sizes of its parts, and where all of it came from.

    `parts` maps header, z and each block to bytes and sums to `file_bytes`; `cuts` maps a level to the byte offset at
    which it is complete. `labels` names every group of the levels that have `mass`; `parents` maps such a level to the
    group of the level above that each of its groups belongs to, where the hierarchy is a tree; `answers` maps a level
    to the groups that are right, where the truth is known; `groups` maps a level to how many groups it has, and
    `original` to what the original itself is taken for (as `Step.top`), where it was classified. `label` maps a level to
    what the file's label says there, if it has one in this hierarchy; `labeller` is the classifier that said so.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")
    width: int
    height: int
    file_bytes: int
    parts: dict[str, int]
    cuts: dict[str, int]
    steps: tuple[Step, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parents: dict[str, tuple[int, ...]] = field(default_factory=dict)
    answers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    original: dict[str, Ranked] = field(default_factory=dict)
    label: dict[str, LabelAnswer] = field(default_factory=dict)
    labeller: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(self.cuts)

    @property
    def start(self) -> int:
        """The byte at which the first block begins: all that comes before it belongs to no level."""
        return sum(size for name, size in self.parts.items() if name not in self.cuts)

    @property
    def has_z(self) -> bool:
        """Whether there is side information: z holds more than its checksum, as it does in no file of `wave`."""
        return self.parts.get("z", 0) > CRC

    @property
    def is_cut(self) -> bool:
        """Whether the file ends before its last block does."""
        return self.file_bytes < max(self.cuts.values(), default=0)

    @property
    def known(self) -> bool:
        """Whether anybody knows what the picture shows, so that answers are right or wrong."""
        return any(self.answers.values())

    def measure_of(self, level: str) -> frozenset[int]:
        """The groups that answers of a level are held to.

        The right ones; where nobody knows the truth, what the original is taken for; where that is not at hand, what the
        last step is taken for. Empty where nothing was classified.
        """
        if self.known:
            return frozenset(self.answers.get(level, ()))
        top = self.original.get(level) or (self.steps[-1].top.get(level) if self.steps else None)
        return frozenset([top[0][0]] if top else ())

    def holds(self, index: int, level: str) -> bool:
        """Whether the answer of a step is one of `measure_of`; never on a picture that no block has reached."""
        step = self.steps[index]
        top = step.top.get(level)
        return bool(top) and not step.blank and top[0][0] in self.measure_of(level)

    def settled(self, level: str) -> int | None:
        """Index of the first step from which on the answer of a level holds at every step; None if the last does not."""
        return settles([self.holds(index, level) for index in range(len(self.steps))])

    def right_from(self, level: str) -> int | None:
        """The same in bytes, where the truth is known; None where it is not, or where the last answer is wrong."""
        index = self.settled(level) if self.known else None
        return None if index is None else self.steps[index].bytes

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, with the schema version; what is no number (the PSNR of equal pictures) as in `values`."""
        return values.plain({"schema": SCHEMA, **asdict(self)})

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Trace:
        """The inverse of `to_json`; `ValueError` names another schema, and fields that are missing, unknown or wrong."""
        if plain.get("schema") != SCHEMA:
            raise ValueError(f"a trace of schema {plain.get('schema')!r}; this release reads {SCHEMA}")
        try:
            return TypeAdapter(cls).validate_python({name: row for name, row in plain.items() if name != "schema"})
        except ValidationError as error:
            raise ValueError(
                "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
            ) from None


def settles(holds: Sequence[bool]) -> int | None:
    """Index of the first step from which on all hold; None if the last does not.

    >>> settles([True, False, True, True]), settles([True, False])
    (2, None)
    """
    if not any(holds[-1:]):
        return None
    return max((i + 1 for i, good in enumerate(holds) if not good), default=0)


def byte_budgets(start: int, ends: Sequence[int], steps: int = 24) -> list[int]:
    """About `steps` cut positions in nearly equal ratios from `start` (z has just arrived) to the last of `ends`.

    `ends` are the offsets at which the levels are complete, rising; each is in the result exactly. Ratios, because answers
    change where bytes are few. Where positions would fall together there are fewer.

    >>> byte_budgets(100, [200, 1600], 5)
    [100, 200, 400, 800, 1600]
    """
    if steps < len(ends) + 1:
        raise ValueError(f"{len(ends)} levels need at least {len(ends) + 1} steps, got {steps}")
    lows = [start, *ends[:-1]]
    ratios = [math.log(high / low) for low, high in zip(lows, ends, strict=True)]
    counts = [1] * len(ends)
    for _ in range(steps - 1 - len(ends)):  # one more where the ratio of two neighbours is largest
        counts[max(range(len(ends)), key=lambda i: ratios[i] / counts[i])] += 1
    budgets = {start, *ends}
    for low, ratio, count in zip(lows, ratios, counts, strict=True):
        budgets.update(round(low * math.exp(ratio * i / count)) for i in range(1, count))
    return sorted(budgets)


# ---- which step, and which trace, tells best what the codec is for ------------------------------------------------------
def story_step(trace: Trace) -> int | None:
    """The step that shows the idea best: all levels but the last are right and stay so, the last is right from the next on.

    None if there is no such step, or the truth is not known.
    """
    settled = [trace.settled(level) for level in trace.levels] if trace.known else []
    known = [index for index in settled if index is not None]
    if len(known) < len(settled) or len(known) < 2 or max(known[:-1]) >= known[-1]:
        return None
    return known[-1] - 1


def opening_step(trace: Trace) -> int:
    """The step a picture opens at: its story (see `story_step`), else where the first block is complete, else the last."""
    end = next(iter(trace.cuts.values()), 0)
    complete = next((index for index, step in enumerate(trace.steps) if step.bytes >= end), len(trace.steps) - 1)
    story = story_step(trace)
    return complete if story is None else story


def story_strength(trace: Trace) -> float:
    """How well a trace tells the story, 0…1: how sure the last level but one is there, and how early in the file it is."""
    index = story_step(trace)
    if index is None:
        return 0.0
    step = trace.steps[index]
    return step.top[trace.levels[-2]][0][2] * (1 - step.bytes / trace.file_bytes)


# ---- stop when sure: no further than the classifier is confident enough at a level --------------------------------------
# The adaptive decoding of PICM (Kim, Kim and Lee, arXiv 2512.20070) with a confidence at every level: `classify.Confidence`
# of a probability. `hiercodec.decode_until` decodes no further than it must; `results.stopping` has what it is worth.
class Until(NamedTuple):
    """Where to stop: the first cut at which the answer of `level` is at least `threshold` sure."""

    level: str
    threshold: float


def parse_until(text: str) -> Until:
    """ "LEVEL:CONFIDENCE" in words of ours; `InputError` says what is wrong.

    >>> parse_until("coarse:0.9")
    Until(level='coarse', threshold=0.9)
    """
    level, _, number = text.partition(":")
    try:
        threshold = float(number)
    except ValueError:
        threshold = 0.0
    if not level or not 0 < threshold < 1:
        raise InputError(f"stop at a level and how sure it should be, between 0 and 1: coarse:0.9, not {text!r}")
    return Until(level, threshold)


def confidences(trace: Trace, level: str, confidence: Confidence) -> list[float]:
    """How sure the answer of `level` is at every step of a trace; empty where nothing was classified."""
    if not all(step.top.get(level) for step in trace.steps):
        return []
    total = max(trace.file_bytes, *trace.cuts.values())  # of a file that was cut: what it was
    return [float(confidence(level, step.top[level][0][2], step.bytes / total)) for step in trace.steps]


def stop_step(trace: Trace, until: Until, confidence: Confidence) -> int | None:
    """The first step of a trace that is sure enough, and not of a blank picture; None if none is."""
    sure = confidences(trace, until.level, confidence)
    return next((i for i, p in enumerate(sure) if p >= until.threshold and not trace.steps[i].blank), None)

"""The trace of one picture as plain data: what every prefix of its stream looks like and means.

A `Trace` is the one thing pages draw. It holds no pixels, needs no torch and travels as JSON; `tracing` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

SCHEMA = 3
"""What is written and read; a field with a default may be missing."""
Ranked = tuple[tuple[int, str, float], ...]
Decibels = Annotated[float, BeforeValidator(lambda value: math.inf if value is None else value)]


@dataclass(frozen=True, slots=True)
class Step:
    """One prefix: its size, how the picture looks (PSNR in dB against the original) and what it is taken for.

    `level` is the last complete level (None before the first), `fraction` the share of the open block that was
    decoded (0…1). `top` maps a level to its likeliest groups as (index, label, probability), best first; `mass` maps
    small levels to the probability of every group. `consistent` is False when a level's winner is not the parent of
    the next level's. `wup` is the WordNet similarity (WUP, 0…1) of the last level's winner to the nearest right class,
    None where that is not known. `meaning` maps a level to the bits of meaning told (see `bits_of_meaning`): of the right
    answer where the trace knows it, else how sure the classifier is. `fused` is `top` for pixels and core together, at the
    levels that the core has told. `bpp` and all sizes count every byte of the file, container included.
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
        """The probability of `group` by pixels and core together; 0.0 where it is not among the top groups."""
        return _chance(self.fused.get(level, ()), group)


def _chance(ranked: Ranked, group: int) -> float:
    return next((p for index, _, p in ranked if index == group), 0.0)


class CoreAnswer(NamedTuple):
    """What a file's core says at one level: a group, its label, how likely it is right (0…1), and from which byte on."""

    group: int
    label: str
    confidence: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Every step of one picture's stream, the sizes of its parts, and where all of it came from.

    `parts` maps header, z and each block to bytes and sums to `file_bytes`; `cuts` maps a level to the byte offset at
    which it is complete. `labels` names every group of the levels that have `mass`; `parents` maps such a level to the
    group of the level above that each of its groups belongs to, where the hierarchy is a tree; `answers` maps a level
    to the groups that are right, where the truth is known; `groups` maps a level to how many groups it has, and
    `original` to what the original itself is taken for (as `Step.top`), where it was classified. `told` maps a level to
    what the file's core says there, if it has one in this hierarchy; `teller` is the classifier that said so.
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
    told: dict[str, CoreAnswer] = field(default_factory=dict)
    teller: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(self.cuts)

    @property
    def start(self) -> int:
        """The byte at which the first block begins: all that comes before it belongs to no level."""
        return sum(size for name, size in self.parts.items() if name not in self.cuts)

    def settled(self, level: str, answers: Sequence[int] | None = None) -> int | None:
        """Index of the first step from which the level's winner is right and stays right to the end.

        Right means: one of `answers` (group indexes), or, without them, the winner of the last step. None if the last
        step is wrong or the level was not classified.
        """
        winners = [step.top[level][0][0] if step.top.get(level) else None for step in self.steps]
        if not winners or winners[-1] is None:
            return None
        return settles(winners, set(answers) if answers is not None else {winners[-1]})

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, with the schema version; infinite PSNR (identical pictures) becomes None."""
        plain = {"schema": SCHEMA, **asdict(self)}
        for step in plain["steps"]:
            step["psnr"] = None if math.isinf(step["psnr"]) else step["psnr"]
        return plain

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


def settles(winners: Sequence[int | None], right: Collection[int]) -> int | None:
    """Index of the first of `winners` from which on all are among the `right` groups; None if the last is not.

    >>> settles([3, 7, 3, 7, 7], {7}), settles([7, 3], {7})
    (3, None)
    """
    if not winners or winners[-1] not in right:
        return None
    return max((i + 1 for i, winner in enumerate(winners) if winner not in right), default=0)


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

"""Semantic levels and the channel blocks that carry them.

A *level* is a semantic granularity (10 kinds, 100 families, 1000 classes). Each level owns one *block* of latent
channels; a prefix of the stream that holds blocks 0…j is what level j is decoded from (paper §3, Fig. 2).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_MODEL = "wave"
"""The shipped model that is meant where none is named."""

MAX_LEVELS = 15
"""Levels that a plan may have: what one hexadecimal digit of its id can count."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its name, the latent channels [start, stop) that its block carries, and K, how many groups it names."""

    name: str
    start: int
    stop: int
    k: int

    @property
    def channels(self) -> slice:
        """The block as a slice over the channel axis."""
        return slice(self.start, self.stop)

    @property
    def width(self) -> int:
        """How many channels the block has."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """An ordered list of levels whose blocks tile the latent channels 0…M without a gap. Any number of levels works."""

    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.levels) <= MAX_LEVELS:
            raise ValueError(f"a plan has 1 to {MAX_LEVELS} levels, got {len(self.levels)}")
        expected = 0
        for level in self.levels:
            if level.start != expected or level.stop <= level.start or level.stop > 65535:
                raise ValueError(f"{level.name!r} spans [{level.start}, {level.stop}); expected to start at {expected}")
            expected = level.stop
        if wrong := [name for name in self.names if not isinstance(name, str) or not name.strip() or name.isdigit()]:
            raise ValueError(f"levels are named by words, not {wrong[0]!r}")  # browsers sort keys that are numbers
        if len({*self.names, "header", "label", "z"}) != len(self.levels) + 3:
            raise ValueError("level names must differ, from the other parts of a file (header, label, z) too")

    @classmethod
    def from_cuts(cls, names: tuple[str, ...], cuts: tuple[int, ...], ks: tuple[int, ...]) -> LevelPlan:
        """Build a plan from cumulative channel cuts.

        >>> plan = LevelPlan.from_cuts(("coarse", "fine"), (128, 320), (10, 1000))
        >>> [(level.name, level.start, level.stop) for level in plan]
        [('coarse', 0, 128), ('fine', 128, 320)]
        """
        if not len(names) == len(cuts) == len(ks):
            raise ValueError("names, cuts and ks must have the same length")
        starts = (0, *cuts[:-1])
        return cls(tuple(Level(*row) for row in zip(names, starts, cuts, ks, strict=True)))

    @classmethod
    def numbered(cls, n: int) -> LevelPlan:
        """Stands for a plan of which only the number of levels is known: "level 1" to "level n"; the rest says nothing."""
        counted = tuple(range(1, n + 1))
        return cls.from_cuts(tuple(f"level {i}" for i in counted), counted, counted)

    @property
    def channels(self) -> int:
        """M, the number of latent channels."""
        return self.levels[-1].stop

    @property
    def cuts(self) -> tuple[int, ...]:
        """Cumulative channel cuts, one a level."""
        return tuple(level.stop for level in self.levels)

    @property
    def names(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(level.name for level in self.levels)

    def __len__(self) -> int:
        return len(self.levels)

    def __iter__(self):
        return iter(self.levels)

    def __getitem__(self, index: int) -> Level:
        return self.levels[index]


PAPER_PLAN = LevelPlan.from_cuts(("coarse", "intermediate", "fine"), (128, 224, 320), (10, 100, 1000))
"""The paper's plan: 128 | 96 | 96 channels for 10, 100 and 1000 groups (§5.3, its best split)."""


def _split(*cuts: int) -> LevelPlan:
    """The paper's three levels with other block widths."""
    return LevelPlan.from_cuts(PAPER_PLAN.names, cuts, tuple(level.k for level in PAPER_PLAN))


PLANS: dict[int, LevelPlan] = {
    1: PAPER_PLAN,
    2: _split(96, 224, 320),
    3: _split(96, 192, 320),
    4: _split(107, 214, 320),
    5: _split(6, 7, 9),
}
"""Level plan id (one byte of the stream header) → plan. Ids are never reused.

2 to 4 are the splits that §5.3 compares, 5 is that of `wave`, whose blocks are bit-planes instead of channels.
"""

OWN_LAYOUT = 0x80
"""Ids 0x80 + L: L levels whose channels, names and order of symbols are the model's own; its card says them."""


def plan_id(plan: LevelPlan, *, own: bool = False) -> int:
    """The id of a plan: that in `PLANS`, or, for any other and wherever `own` says so, that of a model's own layout."""
    known = next((i for i, other in PLANS.items() if other == plan), None)
    return OWN_LAYOUT + len(plan) if own or known is None else known


def plan_of(number: int) -> LevelPlan:
    """The plan with this id, of numbered levels where the id says that it is a model's own; `KeyError` for no id."""
    own = OWN_LAYOUT < number <= OWN_LAYOUT + MAX_LEVELS
    return LevelPlan.numbered(number - OWN_LAYOUT) if own else PLANS[number]


def read_plan(given: Any) -> Any:
    """A plan from its id in `PLANS`, or from its names, cuts and ks, as cards give it; anything else stays as it is."""
    if isinstance(given, Mapping):
        try:
            return LevelPlan.from_cuts(*(tuple(given[name]) for name in ("names", "cuts", "ks")))
        except KeyError as error:
            raise ValueError(f"a plan has names, cuts and ks; {error} is missing") from None
        except TypeError as error:
            raise ValueError(str(error)) from None
    if isinstance(given, int):
        if given not in PLANS:
            raise ValueError(f"no level plan {given}; known: {', '.join(map(str, PLANS))}")
        return PLANS[given]
    return given


SPOKEN = {"coarse": "kind", "intermediate": "family", "fine": "class"}
"""What the app calls the paper's levels, and the part of a file that says what the picture is."""


def spoken(level: str) -> str:
    """A level's name in plain words; another plan's levels keep their own.

    >>> spoken("coarse"), spoken("species")
    ('kind', 'species')
    """
    return SPOKEN.get(level, level)


def meant(level: str, known: Container[str]) -> str:
    """The level that a name stands for where levels are called as `known`: the plain words name the paper's levels too.

    >>> meant("kind", ["coarse", "fine"]), meant("kind", ["kind", "class"])
    ('coarse', 'kind')
    """
    return level if level in known else {word: name for name, word in SPOKEN.items()}.get(level, level)


def is_blank(level: str | None, fraction: float) -> bool:
    """Whether a picture that got so far (last complete level, share of the open block) holds nothing of any block."""
    return level is None and fraction == 0

"""Hierarchies: groups of classes, level by level, from coarse to fine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.levels import MAX_LEVELS, meant
from hiercodec.taxonomy.classes import classes

IMAGENET = "imagenet-1k"


@dataclass(frozen=True, slots=True, eq=False)
class HierarchyLevel:
    """One level: `assignment` int64[n] maps each class to its group 0…k−1; `labels` has k names, all different.

    `keys` are what the groups were first called, and a hierarchy is known by (see `Hierarchy.digest`), where `labels` were
    written later, for people; otherwise the labels.
    """

    name: str
    k: int
    assignment: np.ndarray
    labels: tuple[str, ...]
    keys: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"HierarchyLevel({self.name!r}: {self.k} groups of {self.assignment.size} classes)"

    def __post_init__(self) -> None:
        assignment = np.asarray(self.assignment)
        if assignment.ndim != 1 or not assignment.size or assignment.dtype.kind not in "iu":
            raise HierarchyError(f"level {self.name!r}: the assignment must be a list of whole numbers, one a class")
        if assignment.min() < 0 or assignment.max() >= self.k:
            bad = int(np.flatnonzero((assignment < 0) | (assignment >= self.k))[0])
            raise HierarchyError(
                f"level {self.name!r}: class {bad} is in group {assignment[bad]}, but groups run from 0 to {self.k - 1}"
            )
        empty = np.flatnonzero(np.bincount(assignment, minlength=self.k) == 0)
        if empty.size:
            raise HierarchyError(f"level {self.name!r}: group {int(empty[0])} has no class")
        object.__setattr__(self, "keys", self.keys or self.labels)
        for names, what in ((self.keys, "labels"), (self.labels, "names")):
            if len(names) != self.k:
                raise HierarchyError(f"level {self.name!r}: {len(names)} {what} for {self.k} groups")
            check_names(names, f"level {self.name!r}: group {what}")
        frozen = assignment.astype(np.int64)  # always a copy, so that freezing it touches nobody else's array
        frozen.setflags(write=False)
        object.__setattr__(self, "assignment", frozen)

    @property
    def sizes(self) -> np.ndarray:
        """Classes in each group, int64[k]."""
        return np.bincount(self.assignment, minlength=self.k)

    def members(self, group: int) -> np.ndarray:
        """Indexes of the classes in one group, ascending."""
        return np.flatnonzero(self.assignment == group)


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """Levels from coarse to fine over the same classes; the last level is the classes themselves."""

    name: str
    levels: tuple[HierarchyLevel, ...]
    description: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    class_set: str = IMAGENET

    def __repr__(self) -> str:
        return f"Hierarchy({self.name!r}: {', '.join(f'{level.name} {level.k}' for level in self.levels)})"

    def __post_init__(self) -> None:
        if not 1 <= len(self.levels) <= MAX_LEVELS:
            raise HierarchyError(f"a hierarchy has 1 to {MAX_LEVELS} levels, got {len(self.levels)}")
        check_names([level.name for level in self.levels], "level names")
        for upper, lower in zip(self.levels, self.levels[1:], strict=False):
            if lower.assignment.size != upper.assignment.size:
                raise HierarchyError(
                    f"level {lower.name!r} covers {lower.assignment.size} classes, "
                    f"{upper.name!r} {upper.assignment.size}"
                )
            if lower.k <= upper.k:
                raise HierarchyError(
                    f"levels go from coarse to fine: {lower.name!r} has {lower.k} groups "
                    f"after {upper.name!r} with {upper.k}"
                )
        last = self.levels[-1]
        if last.k != last.assignment.size or not np.array_equal(last.assignment, np.arange(last.k)):
            raise HierarchyError(f"the last level, {last.name!r}, must be the classes themselves, in their order")

    @property
    def n_classes(self) -> int:
        """How many classes the hierarchy covers."""
        return self.levels[-1].k

    @property
    def names(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(level.name for level in self.levels)

    @property
    def ks(self) -> tuple[int, ...]:
        """Groups per level, coarse first."""
        return tuple(level.k for level in self.levels)

    @property
    def nested(self) -> bool:
        """True where the hierarchy is a tree: every group lies inside one group of the level above."""
        return all(bool((self.parents(level.name)[1] == 1.0).all()) for level in self.levels[1:])

    @property
    def digest(self) -> str:
        """16 hex digits that name the content (levels, assignments, keys): a cache key, and what files refer to.

        Names for people are no part of it: they may be written better, and what refers to these groups still finds them.
        """
        sha = hashlib.sha256()
        for level in self.levels:
            sha.update(json.dumps([level.name, level.k, level.keys]).encode())
            sha.update(level.assignment.astype("<i8").tobytes())
        return sha.hexdigest()[:16]

    def level(self, name: str) -> HierarchyLevel:
        """The level called `name`, "kind" for the paper's coarse; `HierarchyError` names the levels there are."""
        for level in self.levels:
            if level.name == meant(name, self.names):
                return level
        raise HierarchyError(f"{self.name!r} has no level {name!r}; it has {', '.join(self.names)}")

    def parents(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """For each group of a level: the group above that holds most of it, int64[k], and the share it holds, 0…1.

        Ties go to the lower group number. In a tree every share is 1. The top level has no parents: `HierarchyError`.
        """
        index = self.names.index(self.level(name).name)
        if index == 0:
            raise HierarchyError(f"{name!r} is the top level of {self.name!r}")
        upper, lower = self.levels[index - 1], self.levels[index]
        counts = np.zeros((lower.k, upper.k), np.int64)
        np.add.at(counts, (lower.assignment, upper.assignment), 1)
        return counts.argmax(1), counts.max(1) / counts.sum(1)

    def path(self, index: int) -> tuple[str, ...]:
        """Labels of one class from coarse to fine."""
        return tuple(level.labels[level.assignment[index]] for level in self.levels)


def make_hierarchy(
    name: str,
    levels: list[HierarchyLevel],
    *,
    class_names: tuple[str, ...] | None = None,
    class_level: str | None = None,
    description: str = "",
    provenance: dict[str, Any] | None = None,
) -> Hierarchy:
    """A hierarchy from its group levels; the class level is added (named "fine" unless that name is taken)."""
    class_set = IMAGENET if class_names is None else "own"
    labels = tuple(c.name for c in classes()) if class_names is None else class_names
    if class_level is None:
        class_level = "fine" if all(level.name != "fine" for level in levels) else "class"
    for level in levels:
        if level.assignment.size != len(labels):
            raise HierarchyError(f"level {level.name!r} covers {level.assignment.size} classes, not {len(labels)}")
    fine = HierarchyLevel(class_level, len(labels), np.arange(len(labels)), labels)
    return Hierarchy(name, (*levels, fine), description, provenance or {}, class_set)


def named_levels(given: Sequence[str], plain: Sequence[str]) -> tuple[list[str], str | None]:
    """(names of the group levels, coarse first, name of the class level): as `given` by their author, or `plain` and None.

    `HierarchyError` unless a name is given for every group level; one more names that of the classes.
    """
    if given and len(given) not in (len(plain), len(plain) + 1):
        raise HierarchyError(f"{len(given)} names for {len(plain)} levels; one more may name that of the classes")
    return list(given[: len(plain)] or plain), given[-1] if len(given) > len(plain) else None


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON's escapes can say half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_names(names: Sequence[object], what: str) -> None:
    """Raise `HierarchyError` unless all names are text of a sane length and differ."""
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > 200 or not is_text(name):
            raise HierarchyError(f"{what} must be text of 1 to 200 characters, got {name!r:.60}")
        if name in seen:
            raise HierarchyError(f"{what} must differ; {name!r} occurs twice")
        seen.add(name)

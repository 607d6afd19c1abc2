"""From 1000 class probabilities to probabilities at every level of a hierarchy. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hiercodec.taxonomy import Hierarchy

Guess = tuple[int, str, float]
"""(group index, its label, its probability 0…1)."""


class Path(dict[str, tuple[Guess, ...]]):
    """The likeliest groups of one picture at every level, likeliest first: `path["coarse"][0]` is a `Guess`.

    `consistent` says whether each level's winner is the parent of the next level's winner: where it is False, the
    levels taken one by one do not describe one branch of the hierarchy, and a display should say so.
    """

    def __init__(self, levels: Mapping[str, tuple[Guess, ...]], consistent: bool) -> None:
        super().__init__(levels)
        self.consistent = consistent

    @property
    def names(self) -> tuple[str, ...]:
        """Level names, coarse first."""
        return tuple(self)

    @property
    def winners(self) -> tuple[Guess, ...]:
        """The likeliest group of each level, coarse first."""
        return tuple(guesses[0] for guesses in self.values())

    def __repr__(self) -> str:
        chain = " › ".join(f"{label} {p:.2f}" for _, label, p in self.winners)
        return f"Path({chain}{'' if self.consistent else ', not consistent'})"


def level_probabilities(p: np.ndarray, hierarchy: Hierarchy) -> dict[str, np.ndarray]:
    """Sums of class probabilities over the groups of each level: float32[n, k], or [k] for a single [classes] row.

    p: [n, classes] or [classes]; rows that sum to 1 still do at every level. `ValueError` where the number of classes
    is not the hierarchy's.
    """
    p = np.asarray(p)
    rows = np.atleast_2d(p).astype(np.float64)
    if p.ndim not in (1, 2) or rows.shape[1] != hierarchy.n_classes:
        raise ValueError(f"expected [n, {hierarchy.n_classes}] probabilities, got {list(p.shape)}")
    masses = {}
    for level in hierarchy.levels:
        sums = np.zeros((level.k, len(rows)))
        np.add.at(sums, level.assignment, rows.T)
        masses[level.name] = (sums.T if p.ndim == 2 else sums[:, 0]).astype(np.float32)
    return masses


def ranked(q: np.ndarray, labels: Sequence[str], top: int = 3) -> tuple[Guess, ...]:
    """The `top` likeliest of the groups [k] called `labels`, likeliest first, equal ones in group order.

    >>> ranked(np.array([0.25, 0.5, 0.25]), ["a", "b", "c"], top=2)
    ((1, 'b', 0.5), (0, 'a', 0.25))
    """
    return tuple((i, labels[i], float(q[i])) for i in map(int, np.argsort(-q, kind="stable")[:top]))


def path_of(p: np.ndarray, hierarchy: Hierarchy, top: int = 3) -> Path:
    """The `top` likeliest groups at every level for one picture's class probabilities [classes].

    Equal probabilities are listed in group order. A group's parent is the group above that holds most of its classes
    (all of them where the hierarchy is a tree).
    """
    if np.ndim(p) != 1:
        raise ValueError(f"expected the probabilities of one picture, got {list(np.shape(p))}")
    levels: dict[str, tuple[Guess, ...]] = {}
    consistent, above = True, None
    for level, q in zip(hierarchy.levels, level_probabilities(p, hierarchy).values(), strict=True):
        levels[level.name] = ranked(q, level.labels, top)
        winner = levels[level.name][0][0]
        if above is not None:
            consistent = consistent and int(hierarchy.parents(level.name)[0][winner]) == above
        above = winner
    return Path(levels, consistent)

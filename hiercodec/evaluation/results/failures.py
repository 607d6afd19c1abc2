"""Failures in a table of measurements: which photographs fail and how, in what order, and what is confused with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hiercodec.evaluation.results.table import Table

SURE = 0.8
"""From which calibrated probability on a wrong answer counts as a confident one."""

MOST = 0.9
"""Of the photographs that are ever right, those beyond this share by their bytes need the most."""


# ---- which photographs fail, and how: masks bool[n] --------------------------------------------------------------------
def everything(table: Table, level: int, cut: int) -> np.ndarray:
    """Every photograph."""
    return np.ones(len(table), bool)


def right_then_wrong(table: Table, level: int, cut: int) -> np.ndarray:
    """Right at some cut, wrong at a later one."""
    right = table.right[:, :, level]
    return (np.maximum.accumulate(right, 1) & ~right).any(1)


def kind_without_class(table: Table, level: int, cut: int) -> np.ndarray:
    """At this cut the coarsest level is right and the finest wrong."""
    return table.right[:, cut, 0] & ~table.right[:, cut, -1]


def contradiction(table: Table, level: int, cut: int) -> np.ndarray:
    """At this cut some level's answer does not lie in the answer of the level above."""
    tree, answers = table.tree, table.path[:, cut]
    above = [tree.parents(name)[0][answers[:, i]] != answers[:, i - 1] for i, name in enumerate(tree.names) if i]
    return np.array(above).reshape(-1, len(table)).any(0)


def confident_and_wrong(table: Table, level: int, cut: int) -> np.ndarray:
    """At this cut the answer is wrong and at least `SURE`."""
    return ~table.right[:, cut, level] & (table.probability[:, cut, level] >= SURE)


def most_bytes(table: Table, level: int, cut: int) -> np.ndarray:
    """Right at some cut, but among the last tenth of those that are, by bytes."""
    needed = table.bytes_to_right(level)
    ever = np.isfinite(needed)
    return ever & (needed > np.quantile(needed[ever], MOST)) if ever.any() else ever


def never_right(table: Table, level: int, cut: int) -> np.ndarray:
    """Wrong at every cut."""
    return table.first_right(level) < 0


def wrong(table: Table, level: int, cut: int) -> np.ndarray:
    """Wrong at this cut."""
    return ~table.right[:, cut, level]


Mask = Callable[[Table, int, int], np.ndarray]
FAILURES: dict[str, Mask] = {
    "everything": everything,
    "wrong here": wrong,
    "right, then wrong again": right_then_wrong,
    "kind right, class wrong": kind_without_class,
    "answers contradict each other": contradiction,
    "confident and wrong": confident_and_wrong,
    "needs the most bytes": most_bytes,
    "never right": never_right,
}
"""What the filter of the page offers: a mask (answers, level, cut) → bool[n] by the name people read."""


def disagree(a: Table, b: Table, level: int, cut: int) -> np.ndarray:
    """bool[n]: whether two judges of the same photographs and cuts answer differently."""
    return a.path[:, cut, level] != b.path[:, cut, level]


ORDERS: dict[str, Callable[[Table, int, int], np.ndarray]] = {
    "late right answers first": lambda table, level, cut: -table.bytes_to_right(level),
    "early right answers first": lambda table, level, cut: table.bytes_to_right(level),
    "worst mistakes first (WUP)": lambda table, level, cut: table.wup[:, cut],
    "mildest mistakes first (WUP)": lambda table, level, cut: np.where(
        table.right[:, cut, -1], np.inf, -table.wup[:, cut]
    ),
    "close calls first": lambda table, level, cut: table.margin[:, cut],
    "clear calls first": lambda table, level, cut: -table.margin[:, cut],
}
"""Keys to sort by, smallest first; equal ones stay in the order of names."""


def meaning_first(table: Table) -> np.ndarray:
    """bool[n]: whether the coarsest level is right at some cut, and no later than the finest."""
    kind, name = table.bytes_to_right(0), table.bytes_to_right(-1)
    return np.isfinite(kind) & (kind <= name)


# ---- what is confused with what ----------------------------------------------------------------------------------------
def confusion(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """int[k, k]: how often the truth (row) was taken for the prediction (column).

    >>> confusion(np.array([0, 0, 1]), np.array([1, 0, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    counts = np.zeros((k, k), int)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def confused_pairs(table: Table, level: int, cut: int, limit: int = 20) -> list[tuple[int, int, int]]:
    """(truth, taken for, how often), the most frequent mistakes first, at most `limit`."""
    counts = confusion(table.truth[:, level], table.path[:, cut, level], table.tree.levels[level].k)
    np.fill_diagonal(counts, 0)
    rows = np.argsort(-counts, axis=None, kind="stable")[:limit]
    pairs = zip(*np.unravel_index(rows, counts.shape), strict=True)
    return [(int(t), int(p), int(counts[t, p])) for t, p in pairs if counts[t, p]]


# ---- how bad mistakes are ----------------------------------------------------------------------------------------------
class Severity(NamedTuple):
    """The wrong classes at one cut: how many of `photos`, the mean WUP with its standard error, and the share of them that
    lies in the right group of every level above the classes."""

    setting: str
    bpp: float
    photos: int
    errors: int
    wup: float
    error: float
    inside: tuple[float, ...]


def severity(table: Table) -> list[Severity]:
    """One row a cut; NaN where no class is wrong."""
    rows = []
    for cut, setting in enumerate(table.settings):
        bad = ~table.right[:, cut, -1]
        n, wups, classes = int(bad.sum()), table.wup[bad, cut], table.path[bad, cut, -1]
        inside = [
            float((level.assignment[classes] == table.truth[bad, i]).mean()) if n else np.nan
            for i, level in enumerate(table.tree.levels[:-1])
        ]
        mean = float(wups.mean()) if n else np.nan
        spread = float(wups.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
        rows.append(Severity(setting, float(table.bpp[:, cut].mean()), len(table), n, mean, spread, tuple(inside)))
    return rows

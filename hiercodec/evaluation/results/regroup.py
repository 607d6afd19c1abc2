"""Answers in other groups than those they were measured in, from the likeliest classes that rows keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hiercodec.taxonomy import HierarchyLevel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Regrouped:
    """Per row: the likeliest group and its probability, the right group and whether it is that one, bits of meaning, and
    (0 or 1) whether the classes that were not kept could make another group the winner. Zeros where nothing was judged."""

    winner: np.ndarray
    p: np.ndarray
    truth: np.ndarray
    right: np.ndarray
    bits: np.ndarray
    unsure: np.ndarray


def regroup(
    classes: Sequence[np.ndarray] | pd.Series,
    p: Sequence[np.ndarray] | pd.Series,
    labels: np.ndarray,
    originals: np.ndarray,
    level: HierarchyLevel,
) -> Regrouped:
    """The answer at any grouping of the classes, from stored probabilities.

    classes, p: the likeliest classes of every row and their probabilities; what is missing to 1 belongs to no group.
    labels: int[rows], the class that is right; where it is −1 the winner of row `originals[row]` is right, and bits say
    how sure the answer is (`meaning.bits_of_meaning`).
    """
    counts = np.fromiter((len(row) for row in classes), int, len(classes))
    answers = Regrouped(*(np.zeros(len(counts), kind) for kind in (int, float, int, bool, float, float)))
    judged = np.flatnonzero(counts)
    if not judged.size:
        return answers
    row = np.repeat(np.arange(len(counts)), counts)
    group = level.assignment[np.concatenate([c for c in classes if len(c)])]
    keys, inverse = np.unique(row * level.k + group, return_inverse=True)  # one a row and group that has probability
    mass = np.bincount(inverse, np.concatenate([q for q in p if len(q)]).astype(np.float64))
    of, groups = keys // level.k, keys % level.k
    starts = np.searchsorted(of, judged)
    order = np.lexsort((groups, -mass, of))  # in every row the likeliest group first, ties to the lower number
    totals = np.add.reduceat(mass, starts)
    answers.winner[judged], answers.p[judged] = groups[order[starts]], mass[order[starts]]
    answers.truth[:] = np.where(labels >= 0, level.assignment[np.maximum(labels, 0)], answers.winner[originals])
    target = answers.truth[judged]
    wanted = judged * level.k + target
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    believed = np.where(keys[place] == wanted, mass[place], 0.0)
    share = mass / np.repeat(totals, np.diff([*starts, len(mass)]))
    sure = np.log2(level.k) + np.add.reduceat(share * np.log2(share, where=share > 0, out=np.zeros_like(share)), starts)
    known = np.log2(np.maximum(level.k * believed, 1.0))
    answers.right[judged] = answers.winner[judged] == target
    answers.bits[judged] = np.clip(np.where(labels[judged] >= 0, known, sure), 0, np.log2(level.k))
    answers.unsure[judged] = _challenger(p, inverse, mass, of, groups, level, order[starts]) > mass[order[starts]]
    return answers


def _challenger(p, inverse, mass, of, groups, level: HierarchyLevel, winners: np.ndarray) -> np.ndarray:
    """The most that a group other than the winner can have in every judged row, if classes that were not kept are its.

    None of those is likelier than the least likely class kept, and together they have what is missing to 1.
    """
    judged = [q for q in p if len(q)]
    rest = np.array([1 - float(q.sum(dtype=np.float64)) for q in judged]).clip(0)
    least = np.array([float(q.min()) for q in judged])
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    row = np.repeat(np.arange(len(starts)), np.diff([*starts, len(of)]))
    absent = level.sizes[groups] - np.bincount(inverse)
    most = mass + np.minimum(rest[row], least[row] * absent)
    most[winners] = 0.0
    return np.maximum(np.maximum.reduceat(most, starts), np.minimum(rest, least * level.sizes.max()))

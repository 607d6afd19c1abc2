"""Bits of meaning: how much of "what is it?" a classifier's answer holds. Pure arithmetic, the one place it is done."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def bits_of_meaning(probabilities: Sequence[float] | np.ndarray, right: Sequence[int] = ()) -> float:
    """Bits told about which of K groups it is, 0…log2 K, from the probability of each group (shape [K], sums to 1).

    With `right`, the indexes of the groups that are right: log2 K + log2 p(right), not below 0, so a confident mistake
    tells nothing. Without it: log2 K − entropy, which says how sure the answer is and not whether it is right.

    >>> bits_of_meaning([0.5, 0.5, 0, 0], right=[0]), bits_of_meaning([0.5, 0.5, 0, 0])
    (1.0, 1.0)
    """
    p = np.asarray(probabilities, np.float64)
    p = p / p.sum()
    if len(right):
        chance = float(p[list(right)].sum())
        told = math.log2(len(p)) + math.log2(chance) if chance > 0 else 0.0
    else:
        some = p[p > 0]
        told = math.log2(len(p)) + float((some * np.log2(some)).sum())
    return min(max(told, 0.0), math.log2(len(p)))

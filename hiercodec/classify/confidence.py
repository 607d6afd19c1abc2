"""How often an answer is right, from how likely the classifier says it is and how much of the file has come. numpy only.

A single temperature makes a classifier as sure as it is right over all prefixes together; it is still too sure of very
short ones. So for every level a logistic curve (Platt scaling, 1999) with the share of the file as a second input is fitted
by `python -m tools.calibrate` and kept in the classifier's card:

    P(right) = 1 / (1 + exp(−(a·logit p + b + c·log share)))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EDGE = 1e-4
"""Probabilities nearer to 0 or 1 than this count as this: half-precision rows know no finer ones."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """Level → (a, b, c) of the curve above; `hierarchy` is what it was fitted for. A level it lacks keeps its p.

    Below `least`, the smallest share of a file that it was fitted on, nothing is sure: classifiers are surest of all of some
    pictures that are nearly blank, and no curve that never saw them knows.
    """

    curves: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    hierarchy: str = ""
    least: float = 0.0

    def __call__(self, level: str, p: float | np.ndarray, share: float | np.ndarray) -> np.ndarray:
        """How often an answer of `level` with probability `p` (0…1) is right after `share` (0…1] of the bytes.

        >>> sure = Confidence({"coarse": (1.0, 0.0, 0.5)})
        >>> round(float(sure("coarse", 0.8, 1.0)), 3), round(float(sure("coarse", 0.8, 0.06)), 3)
        (0.8, 0.495)
        """
        if level not in self.curves:
            return np.asarray(p, np.float64)
        a, b, c = self.curves[level]
        sure = 1 / (1 + np.exp(-(a * logit(p) + b + c * np.log(np.clip(share, 1e-3, 1)))))
        return np.where(np.asarray(share) < self.least, 0.0, sure)


def logit(p: float | np.ndarray) -> np.ndarray:
    """log(p / (1 − p)), of a probability kept `EDGE` away from 0 and 1."""
    q = np.clip(np.asarray(p, np.float64), EDGE, 1 - EDGE)
    return np.log(q) - np.log1p(-q)


def confidence_of(card: Mapping[str, Any], hierarchy: str) -> Confidence:
    """The curves of a classifier's card; none where it has none, or has them for another hierarchy."""
    fitted = card.get("confidence") or {}
    if fitted.get("hierarchy") != hierarchy:
        return Confidence()
    curves = {level: tuple(row["curve"]) for level, row in fitted["levels"].items()}
    return Confidence(curves, hierarchy, fitted.get("least_share", 0.0))


def log_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """log of the softmax of `logits` [n, classes] divided by `temperature` > 0, in float64."""
    z = np.asarray(logits, np.float64) / temperature
    z = z - z.max(1, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(1, keepdims=True))

"""What is decoded nearby corrects a scale: the estimator of `trit+refine`, in integers, so that both ends agree.

Before a plane, the magnitudes of the interval centres are summed over the 8 neighbours in a symbol's own channel, and over
all channels at its place, and held against what the scales promised. The two ratios fall into classes; for every pair of
classes a shift of the scale index was fitted on training photographs, one table a plane.
"""

from __future__ import annotations

import numpy as np

from tools.orders.intervals import Known, tree

PLANES = 3
"""How many of the last planes are corrected: those whose context has something to say, as in CTC."""

RATIOS = np.array([50, 80, 125, 200, 400])
"""Bounds of the classes, in per cent of the promised magnitude."""

CLASSES = len(RATIOS) + 1
_WEIGHT = 64
"""How much of a promise kept is added to both sides, in 1/256 of a symbol: little evidence is little ground."""


def classes(scale: np.ndarray, known: Known, shape: tuple[int, ...]) -> np.ndarray:
    """Context class of every symbol (n,), 0 … CLASSES² − 1, from the prior's scale indexes and what is known."""
    seen = 256 * np.abs(known.centre).reshape(shape)
    promised = tree().magnitude[scale, np.minimum(known.width, tree().depth[scale])].reshape(shape)
    near = _class(_neighbours(seen), _neighbours(promised))
    here = _class(seen.sum(0) - seen, promised.sum(0) - promised)
    return (near * CLASSES + here).ravel()


def corrected(scale: np.ndarray, known: Known, shape: tuple[int, ...], shifts: np.ndarray) -> np.ndarray:
    """Scale indexes (n,) after correction; `shifts` is int (PLANES + 1, CLASSES²), by interval width."""
    width = np.minimum(known.width, PLANES)
    return moved(scale, shifts[width, classes(scale, known, shape)])


def moved(scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Scale indexes moved by `shift`, but not into a tree of another depth, in which intervals have other numbers."""
    depth = tree().depth
    first = np.searchsorted(depth, depth, side="left")[scale]
    last = np.searchsorted(depth, depth, side="right")[scale] - 1
    return np.clip(scale + shift, first, last)


def _class(seen: np.ndarray, promised: np.ndarray) -> np.ndarray:
    """Which class of `RATIOS` the ratio is in, without a division."""
    ratio = 100 * (seen + _WEIGHT)
    return np.sum([ratio >= bound * (promised + _WEIGHT) for bound in RATIOS], axis=0, dtype=np.int64)


def _neighbours(a: np.ndarray) -> np.ndarray:
    """Sums over the 8 neighbours in (C, h, w); beyond an edge there is nothing."""
    p = np.pad(a, ((0, 0), (1, 1), (1, 1)))
    rows = p[:, :-2] + p[:, 1:-1] + p[:, 2:]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] - a

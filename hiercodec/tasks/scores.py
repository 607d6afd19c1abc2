"""Agreement of two answers: of boxes and of maps of classes. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Intersections over union at which COCO's AP is averaged."""

RECALLS = np.linspace(0, 1, 101)
"""Recalls at which COCO reads the precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Detections: corners float[n, 4] as x0, y0, x1, y1 in pixels, classes int[n], scores float[n] in 0…1."""

    corners: np.ndarray
    classes: np.ndarray
    scores: np.ndarray

    def where(self, chosen: np.ndarray) -> Boxes:
        """Some of them, by a mask or in an order."""
        return Boxes(self.corners[chosen], self.classes[chosen], self.scores[chosen])


def average_precision(detected: Boxes, truth: Boxes) -> float:
    """COCO's AP of one picture: mean over the classes of `truth` and IoU .50:.05:.95; NaN where `truth` is empty.

    Detections meet the best box that is free, surest first; precision is read at 101 recalls (Lin et al., arXiv 1405.0312).
    """
    each = []
    for kind in np.unique(truth.classes):
        mine, theirs = detected.where(detected.classes == kind), truth.where(truth.classes == kind)
        mine = mine.where(np.argsort(-mine.scores, kind="stable"))
        overlap = iou(mine.corners, theirs.corners)
        each += [_precision(_hits(overlap, threshold), len(theirs.classes)) for threshold in THRESHOLDS]
    return float(np.mean(each)) if each else float("nan")


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes [n, 4] and [m, 4]: float[n, m]."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(1) for box in (a, b))
    whole = area_a[:, None] + area_b[None] - shared
    return np.divide(shared, whole, out=np.zeros_like(shared, float), where=whole > 0)


def _hits(overlap: np.ndarray, threshold: float) -> np.ndarray:
    """Which detections, surest first, meet a box that none before has met: bool[n]."""
    free, hits = np.ones(overlap.shape[1], bool), np.zeros(len(overlap), bool)
    for i, row in enumerate(overlap):
        candidates = np.where(free & (row >= threshold), row, -1.0)
        best = int(candidates.argmax()) if candidates.size else -1
        if best >= 0 and candidates[best] >= 0:
            free[best], hits[i] = False, True
    return hits


def _precision(hits: np.ndarray, boxes: int) -> float:
    """Mean precision at RECALLS of detections in order."""
    if not len(hits):
        return 0.0
    right = np.cumsum(hits)
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    at = np.searchsorted(right / boxes, RECALLS - 1e-12)
    return float(np.append(precision, 0.0)[at].mean())


def mean_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two maps of classes, int[H, W], mean over the classes that either has."""
    kinds = np.union1d(a, b)
    return float(np.mean([((a == k) & (b == k)).sum() / ((a == k) | (b == k)).sum() for k in kinds]))

"""Weights for label and pixels (`classify.fusion`), fitted on photographs with classes whose streams begin with a label.

Half of the photographs are held out: the file says what every witness alone and both together are worth on those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hiercodec.classify.catalog import architecture_of
from hiercodec.classify.fusion import INDEPENDENT, Pool, fuse, log
from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.traces.label import label_in, label_verdict
from hiercodec.images import centre_crop
from tools.calibrate import halves

RIDGE = 1e-4
"""Keeps the weights finite where every answer of a small set is right."""


def fitted(
    photos: Photos,
    peer: HierPeer,
    viewers: Sequence[Evaluator],
    *,
    crop: int | None = None,
    seed: int = 0,
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, dict[str, Any]]:
    """Architecture of a viewer → level → `pool`, its weights, and in `held_out` NLL (nats) and top-1 share of right answers.

    Every photograph's stream is cut where `peer`, which writes labels, says; all must have a class.
    """
    by_label: list[dict[str, np.ndarray]] = []
    pixels: dict[str, list[dict[str, np.ndarray]]] = {viewer.classifier.name: [] for viewer in viewers}
    shares, of = [], []
    for i, photo in enumerate(photos.pixels):
        points = list(peer.points(centre_crop(photo, crop) if crop else photo))
        label = label_in(points[0].whole, viewers[0].hierarchy)
        assert label is not None
        by_label += [dict(label_verdict(label, {}).masses)] * len(points)
        shares += [point.bytes / point.whole.total_bytes for point in points]
        of += [i] * len(points)
        for viewer in viewers:
            verdicts = viewer.verdicts([point.picture for point in points])
            pixels[viewer.classifier.name] += [dict(verdict.masses) for verdict in verdicts]
        progress(i + 1)
    held, _ = halves(len(photos), seed)
    test, share, labels = np.isin(of, held), np.array(shares), photos.labels[of]
    found: dict[str, dict[str, Any]] = {}
    for viewer in viewers:
        rows = pixels[viewer.classifier.name]
        found[architecture_of(viewer.classifier.name)] = {
            level.name: _level(
                np.stack([row[level.name] for row in by_label]),
                np.stack([row[level.name] for row in rows]),
                share,
                level.assignment[labels],
                test,
            )
            for level in viewer.hierarchy.levels
        }
    return found


def _level(
    labels: np.ndarray, pixels: np.ndarray, share: np.ndarray, right: np.ndarray, test: np.ndarray
) -> dict[str, Any]:
    """The weights fitted on the rows that are no `test`, and what they are worth on those that are."""
    pool = fit_pool(labels[~test], pixels[~test], share[~test], right[~test])
    ways = {
        "label": labels[test],
        "pixels": pixels[test],
        "independent": fuse(labels[test], pixels[test], INDEPENDENT),
        "fused": fuse(labels[test], pixels[test], pool, share[test]),
    }
    held_out = {f"nll_{name}": round(nll(mass, right[test]), 4) for name, mass in ways.items()}
    held_out |= {f"top1_{name}": round(float((mass.argmax(1) == right[test]).mean()), 4) for name, mass in ways.items()}
    return {"pool": list(pool), "held_out": held_out}


def fit_pool(label: np.ndarray, pixels: np.ndarray, share: np.ndarray, right: np.ndarray) -> Pool:
    """The likeliest weights of answers of label and pixels [n, k], shares of the file and right groups [n]; a, b ≥ 0.

    The likelihood is that of a conditional logit model (McFadden, 1974), concave in the weights: one optimum.
    """
    from scipy.optimize import minimize

    one, two = log(label), log(pixels)
    parts = np.stack([one, two, two * np.log(np.clip(share, 1e-3, 1))[:, None]])  # (3, n, k)
    hit = parts[:, np.arange(len(right)), right]  # (3, n)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.tensordot(w, parts, 1)
        top = z.max(1, keepdims=True)
        mass = np.exp(z - top)
        total = mass.sum(1, keepdims=True)
        value = np.log(total[:, 0]) + top[:, 0] - w @ hit
        slope = (parts * (mass / total)).sum(2) - hit
        return float(value.mean() + RIDGE * w @ w), slope.mean(1) + 2 * RIDGE * w

    found = minimize(loss, x0=INDEPENDENT, jac=True, method="L-BFGS-B", bounds=((0, None), (0, None), (None, None)))
    return Pool(*(round(float(value), 4) for value in found.x))


def nll(mass: np.ndarray, right: np.ndarray) -> float:
    """Mean negative log of what the right groups [n] are given by probabilities [n, k], in nats."""
    return float(-log(mass)[np.arange(len(right)), right].mean())

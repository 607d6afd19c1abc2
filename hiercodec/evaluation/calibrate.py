"""How sure a classifier may be of decoded prefixes, fitted on labelled photographs: a temperature, and a curve a level.

How sure a classifier should be depends on what it looks at, so both are fitted on what the app shows it: every
photograph's stream, cut at shares of its bytes and at its levels' ends. Half of the photographs are held out, and the card
says what temperature and curves do to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hiercodec.classify import Confidence, level_probabilities
from hiercodec.classify.calibration import fit_temperature, log_softmax, nll
from hiercodec.classify.confidence import fit_confidence
from hiercodec.evaluation.codecs.peers import HierPeer, shares_and_ends
from hiercodec.evaluation.metrics import ece
from hiercodec.images import centre_crop
from hiercodec.taxonomy import Hierarchy

HELD_OUT = 0.5


def gather(
    photos: Any,
    codec: Any,
    classifiers: Sequence[Any],
    *,
    crop: int | None,
    cuts: int,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[list[str], np.ndarray, dict[str, np.ndarray]]:
    """Every photograph's decoded prefixes: settings, shares of the file (0…1] [photos, settings], and by classifier's name
    logits [photos, settings, classes]."""
    settings: list[str] = []
    shares: list[list[float]] = []
    logits: dict[str, list[np.ndarray]] = {classifier.name: [] for classifier in classifiers}
    peer = HierPeer(codec, shares_and_ends(cuts))
    for i, photo in enumerate(photos.pixels):
        points = list(peer.points(centre_crop(photo, crop) if crop else photo))
        settings = [point.setting for point in points]
        shares.append([point.bytes / point.whole.total_bytes for point in points])
        for classifier in classifiers:
            logits[classifier.name].append(classifier.logits([point.picture for point in points]))
        progress(i + 1)
    return settings, np.array(shares), {name: np.stack(rows) for name, rows in logits.items()}


def calibrated(logits: np.ndarray, labels: np.ndarray, settings: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The temperature fitted on a half of the photographs, and NLL and ECE of the other half before and after.

    logits: [photos, settings, classes]; labels: [photos]. The halves share no photograph.
    """
    held, fitted = halves(len(labels), seed)

    def flat(rows: np.ndarray, columns: Any = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        picked = logits[rows][:, columns]
        return picked.reshape(-1, logits.shape[-1]), np.repeat(labels[rows], picked.shape[1])

    temperature = fit_temperature(*flat(fitted))

    def measured(columns: Any = slice(None)) -> dict[str, float]:
        z, truth = flat(held, columns)
        found = {"top1": round(float((z.argmax(1) == truth).mean()), 4)}
        for when, t in (("before", 1.0), ("after", temperature)):
            confidence = np.exp(log_softmax(z, t)).max(1)
            found[f"ece_{when}"] = round(ece(confidence, z.argmax(1) == truth), 4)
            found[f"nll_{when}"] = round(nll(z, truth, t), 4)
        return found

    return {
        "temperature": temperature,
        "photos": {"fitted": len(fitted), "held_out": len(held)},
        "prefixes": len(settings),
        "held_out": measured(),
        "held_out_by_prefix": {setting: measured([i]) for i, setting in enumerate(settings)},
    }


def confident(
    logits: np.ndarray,
    labels: np.ndarray,
    shares: np.ndarray,
    settings: Sequence[str],
    temperature: float,
    hierarchy: Hierarchy,
    seed: int = 0,
) -> dict[str, Any]:
    """The curve of every level (see `Confidence`) fitted on a half of the photographs, and ECE of the other half.

    logits: [photos, settings, classes]; labels: [photos]; shares: [photos, settings] in 0…1. The halves are those of
    `calibrated`; "before" is what the temperature alone gives.
    """
    held, fitted = halves(len(labels), seed)
    p = np.exp(log_softmax(logits.reshape(-1, logits.shape[-1]), temperature))
    levels = {}
    for level, masses in zip(hierarchy.levels, level_probabilities(p, hierarchy).values(), strict=True):
        likely = masses.max(1).reshape(shares.shape)
        right = masses.argmax(1).reshape(shares.shape) == level.assignment[labels][:, None]
        curve = fit_confidence(likely[fitted].ravel(), shares[fitted].ravel(), right[fitted].ravel())
        after = Confidence({level.name: curve})(level.name, likely, shares)
        errors = {"before": likely, "after": after}
        levels[level.name] = {
            "curve": list(curve),
            "held_out": {
                f"ece_{when}": round(ece(q[held].ravel(), right[held].ravel()), 4) for when, q in errors.items()
            },
            "held_out_by_prefix": {
                setting: {f"ece_{when}": round(ece(q[held, i], right[held, i]), 4) for when, q in errors.items()}
                for i, setting in enumerate(settings)
            },
        }
    return {"hierarchy": hierarchy.name, "levels": levels}


def halves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indexes of the photographs that are held out, and of those that are fitted to."""
    held, fitted = np.split(np.random.default_rng(seed).permutation(n), [round(HELD_OUT * n)])
    return held, fitted

"""The temperature of a classifier, fitted on decoded prefixes of labelled photographs.

How sure a classifier should be depends on what it looks at, so the temperature is fitted on what the app shows it: every
photograph's stream, cut at shares of its bytes and at its levels' ends. Half of the photographs are held out, and the card
says what the temperature does to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hiercodec.classify.calibration import fit_temperature, log_softmax, nll
from hiercodec.evaluation.metrics import ece
from hiercodec.evaluation.peers import HierPeer, shares_and_ends
from hiercodec.images import centre_crop

HELD_OUT = 0.5


def gather(
    photos: Any,
    codec: Any,
    classifiers: Sequence[Any],
    *,
    crop: int | None,
    cuts: int,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[list[str], dict[str, np.ndarray]]:
    """(settings, classifier's name → logits [photos, settings, classes]) of every photograph's decoded prefixes."""
    settings: list[str] = []
    logits: dict[str, list[np.ndarray]] = {classifier.name: [] for classifier in classifiers}
    peer = HierPeer(codec, shares_and_ends(cuts))
    for i, photo in enumerate(photos.pixels):
        points = list(peer.points(centre_crop(photo, crop) if crop else photo))
        settings = [point.setting for point in points]
        for classifier in classifiers:
            logits[classifier.name].append(classifier.logits([point.picture for point in points]))
        progress(i + 1)
    return settings, {name: np.stack(rows) for name, rows in logits.items()}


def calibrated(logits: np.ndarray, labels: np.ndarray, settings: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The temperature fitted on a half of the photographs, and NLL and ECE of the other half before and after.

    logits: [photos, settings, classes]; labels: [photos]. The halves share no photograph.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    held, fitted = np.split(order, [round(HELD_OUT * len(labels))])

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

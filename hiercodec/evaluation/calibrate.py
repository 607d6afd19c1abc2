"""The temperature of a classifier, fitted on decoded prefixes of labelled photographs.

How sure a classifier should be depends on what it looks at, so the temperature is fitted on what the app shows it: every
photograph's stream, cut at shares of its bytes and at its levels' ends. Half of the photographs are held out, and the card
says what the temperature does to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hiercodec.classify.calibration import ece, fit_temperature, nll
from hiercodec.evaluation.runner import hierarchical_frames
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
    for i, photo in enumerate(photos.pixels):
        frames = list(hierarchical_frames(codec, centre_crop(photo, crop) if crop else photo, cuts))
        settings = [setting for setting, _, _ in frames]
        for classifier in classifiers:
            logits[classifier.name].append(classifier.logits([picture for _, _, picture in frames]))
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
        return {
            "top1": round(float((z.argmax(1) == truth).mean()), 4),
            **{
                f"{metric.__name__}_{when}": round(metric(z, truth, t), 4)
                for metric in (ece, nll)
                for when, t in (("before", 1.0), ("after", temperature))
            },
        }

    return {
        "temperature": temperature,
        "photos": {"fitted": len(fitted), "held_out": len(held)},
        "prefixes": len(settings),
        "held_out": measured(),
        "held_out_by_prefix": {setting: measured([i]) for i, setting in enumerate(settings)},
    }

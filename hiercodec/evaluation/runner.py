"""Measure codecs on a data set: file bytes, PSNR and accuracy at every level.

Every rate is that of real bytes, container included. PSNR is the mean of the photographs' PSNRs. Accuracy at level k is the
share of photographs whose likeliest group (summed softmax mass) is that of the true class; where a photograph has no label,
the classifier's own answer on the original stands in and the result says `agreement` instead.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec import stream
from hiercodec.baselines.classical import GRID, classical
from hiercodec.classify import level_probabilities
from hiercodec.evaluation.dataset import Photos
from hiercodec.evaluation.judge import describe
from hiercodec.evaluation.trace import psnr
from hiercodec.images import centre_crop
from hiercodec.models import Codec
from hiercodec.taxonomy import Hierarchy

if TYPE_CHECKING:
    from hiercodec.classify.classifier import Classifier

SCHEMA = 1
Frames = Iterator[tuple[str, int, np.ndarray]]


@dataclass(slots=True)
class Point:
    """What one setting of one codec gave: bytes, pixels and PSNR of every photograph, and the pictures' group winners."""

    bytes: list[int]
    psnr: list[float]
    winners: dict[str, list[int]]


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share.

    >>> tuple(round(v, 3) for v in wilson(50, 100))
    (0.404, 0.596)
    """
    if n == 0:
        raise ValueError("no observations")
    p, q = hits / n, z * z / n
    middle, half = (p + q / 2) / (1 + q), z / (1 + q) * math.sqrt(p * (1 - p) / n + q / (4 * n))
    return middle - half, middle + half


FIRST_SHARE = 0.06
"""Share of a file at which the shortest of `cut_shares` ends: little more than its hyper-latent."""


def cut_shares(n: int) -> list[float]:
    """`n` shares of a file in equal ratios, from 6 % up to, but not including, all of it.

    >>> [round(share, 3) for share in cut_shares(3)]
    [0.06, 0.153, 0.391]
    """
    return [FIRST_SHARE ** (1 - i / n) for i in range(n)]


def hierarchical_frames(codec: Codec, rgb: np.ndarray, cuts: int = 0) -> Frames:
    """(setting, bytes, picture) of one photograph's stream: cut at `cuts` shares of the file, and at every level's end."""
    data = codec.encode(rgb)
    parsed = stream.parse(data, codec.plan)
    ends = {f"{share:.1%}": max(round(share * len(data)), parsed.parts()["header"]) for share in cut_shares(cuts)}
    for setting, end in (ends | parsed.cuts()).items():
        yield setting, end, codec.decode(data[:end]).image


def classical_frames(name: str, rgb: np.ndarray) -> Frames:
    """(quality, bytes, picture) on the codec's grid."""
    peer = classical(name)
    for quality in GRID[name]:
        data = peer.encode(rgb, quality)
        yield f"q{quality}", len(data), peer.decode(data)


def evaluate(
    photos: Photos,
    codecs: dict[str, Codec | None],
    classifiers: list[Classifier],
    hierarchy: Hierarchy | None,
    *,
    crop: int | None = None,
    cuts: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Results (plain data) of every codec on every photograph; `codecs` maps a name to a hiercodec or None (classical).

    `crop` takes the central square first; `cuts` also measures so many prefixes that end at a share of the file, wherever
    in a block that is. `progress(done, total)` is called after each photograph.
    """
    points: dict[tuple[str, str], Point] = {}
    pixels: list[int] = []
    originals = Point([], [], {})
    started = time.monotonic()
    for i, photo in enumerate(photos.pixels):
        rgb = centre_crop(photo, crop) if crop else photo
        pixels.append(rgb.shape[0] * rgb.shape[1])
        pictures, owners = [rgb], [originals]
        for name, codec in codecs.items():
            frames = hierarchical_frames(codec, rgb, cuts) if codec else classical_frames(name, rgb)
            for setting, size, picture in frames:
                point = points.setdefault((name, setting), Point([], [], {}))
                point.bytes.append(size)
                point.psnr.append(psnr(rgb, picture))
                pictures.append(picture)
                owners.append(point)
        for classifier in classifiers:
            assert hierarchy is not None
            masses = level_probabilities(classifier.probabilities(pictures), hierarchy)
            for level, mass in masses.items():
                for owner, winner in zip(owners, mass.argmax(1), strict=True):
                    owner.winners.setdefault(f"{classifier.name}/{level}", []).append(int(winner))
        if progress:
            progress(i + 1, len(photos))
    rows = [
        {"codec": name, "setting": setting, **_row(point, pixels, photos, originals, classifiers, hierarchy)}
        for (name, setting), point in points.items()
    ]
    return {
        "schema": SCHEMA,
        "photos": len(photos),
        "labelled": int((photos.labels >= 0).sum()),
        "crop": crop,
        "cuts": cuts,
        "seconds": round(time.monotonic() - started, 1),
        "groups": {level.name: level.k for level in hierarchy.levels} if hierarchy else {},
        "provenance": _provenance(codecs, classifiers, hierarchy),
        "uncompressed": _accuracies(originals, photos, originals, classifiers, hierarchy),
        "points": rows,
    }


def _row(point, pixels, photos, originals, classifiers, hierarchy) -> dict[str, Any]:
    rate = [8 * size / area for size, area in zip(point.bytes, pixels, strict=True)]
    return {
        "bpp": round(float(np.mean(rate)), 5),
        "bpp_std": round(float(np.std(rate)), 5),
        "psnr": round(float(np.mean(point.psnr)), 4),
        "psnr_std": round(float(np.std(point.psnr)), 4),
        **_accuracies(point, photos, originals, classifiers, hierarchy),
    }


def _accuracies(point, photos, originals, classifiers, hierarchy) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for classifier in classifiers:
        levels = {}
        for level in hierarchy.levels:
            key = f"{classifier.name}/{level.name}"
            groups = np.asarray(level.assignment)
            known = photos.labels >= 0
            truth = np.where(known, groups[np.maximum(photos.labels, 0)], originals.winners[key])
            hits, n = int((truth == np.asarray(point.winners[key])).sum()), len(truth)
            low, high = wilson(hits, n)
            kind = "top1" if known.all() else "agreement"
            levels[level.name] = {kind: round(hits / n, 5), "low": round(low, 5), "high": round(high, 5)}
        out[classifier.name] = levels
    return {"accuracy": out} if out else {}


def _provenance(codecs, classifiers, hierarchy) -> dict[str, Any]:
    return {
        "models": {name: codec.fingerprint.hex() for name, codec in codecs.items() if codec},
        "classifiers": {c.name: c.weights_id for c in classifiers},
        "judges": {
            c.name: describe(c, {name: codec.card for name, codec in codecs.items() if codec}) for c in classifiers
        },
        "hierarchy": hierarchy.name if hierarchy else None,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in ("torch", "numpy", "pillow", "constriction")},
    }

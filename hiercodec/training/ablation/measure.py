"""What one trained arm of an ablation gives on held-out photographs, by the bytes of real files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec import stream
from hiercodec.classify import level_probabilities
from hiercodec.evaluation import psnr
from hiercodec.evaluation.dataset import Photos
from hiercodec.images import centre_crop
from hiercodec.models import Codec
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.similarity import wup_matrix

if TYPE_CHECKING:
    from hiercodec.classify.classifier import Classifier

SIDE = 224


def targets(photos: Photos, classifier: Classifier) -> np.ndarray:
    """(n,) class indexes: the label where there is one, else the classifier's own answer on the original."""
    own = classifier.probabilities([centre_crop(rgb, SIDE) for rgb in photos.pixels]).argmax(1)
    return np.where(photos.labels >= 0, photos.labels, own)


def measure(
    codec: Codec, photos: Photos, classifier: Classifier, hierarchy: Hierarchy, truth: np.ndarray
) -> list[dict]:
    """Points of the codec's curve, two a block (half of its bytes, all of them): plain data, shortest prefix first.

    Each has `level`, `share` of the level's block, `bpp` (file bytes, header and z included) and `psnr` (dB), means over
    the photographs; `agreement`, one a level: how often the likeliest group is the target's; and `wup`, the mean Wu-Palmer
    similarity (NLTK's) of the likeliest class and the target class `truth` (n,).
    """
    cuts = [(level, share) for level in codec.plan.names for share in (0.5, 1.0)]
    sizes = np.zeros((len(photos), len(cuts)))
    quality = np.zeros_like(sizes)
    probabilities = []
    for i, photo in enumerate(photos.pixels):
        rgb = centre_crop(photo, SIDE)
        data = codec.encode(rgb)
        lengths = _lengths(data)
        pictures = [codec.decode(data[:length]).image for length in lengths]
        sizes[i] = [8 * length / (rgb.shape[0] * rgb.shape[1]) for length in lengths]
        quality[i] = [psnr(rgb, picture) for picture in pictures]
        probabilities.append(classifier.probabilities(pictures))
    by_cut = np.stack(probabilities, 1)  # (cuts, n, 1000)
    return [
        {
            "level": level,
            "share": share,
            "bpp": round(float(sizes[:, c].mean()), 5),
            "psnr": round(float(quality[:, c].mean()), 4),
            **_semantics(by_cut[c], truth, hierarchy),
        }
        for c, (level, share) in enumerate(cuts)
    ]


def _lengths(data: bytes) -> list[int]:
    """File lengths at half and at the end of every block."""
    parsed = stream.parse(data)
    lengths = []
    for block in parsed.blocks:
        lengths += [block.end - len(block.payload) // 2, block.end]
    return lengths


def _semantics(p: np.ndarray, truth: np.ndarray, hierarchy: Hierarchy) -> dict[str, Any]:
    masses = level_probabilities(p, hierarchy)
    agreement = {
        level.name: round(float((masses[level.name].argmax(1) == np.asarray(level.assignment)[truth]).mean()), 5)
        for level in hierarchy.levels
    }
    return {"agreement": agreement, "wup": round(float(wup_matrix()[p.argmax(1), truth].mean()), 5)}

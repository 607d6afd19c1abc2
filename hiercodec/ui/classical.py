"""What JPEG, WebP, AVIF and JPEG 2000 make of a picture in the same number of bytes. No Streamlit.

Every codec is run over its qualities once; a budget gets the largest file that fits. Nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import features

from hiercodec.baselines.classical import classical
from hiercodec.evaluation.trace import psnr

QUALITIES = {
    "jpeg": (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 31, 37, 44, 52, 60, 68, 76, 84, 90),
    "webp": (0, 1, 2, 3, 5, 7, 10, 14, 19, 25, 32, 40, 50, 60, 70, 80, 88),
    "avif": (0, 2, 5, 9, 14, 20, 26, 32, 40, 48, 56, 66, 78),
    "jpeg2000": (400, 280, 200, 150, 110, 85, 65, 50, 40, 32, 26, 21, 17, 14, 11, 9, 7),
}
"""What each codec is run at; for JPEG 2000 these are compression ratios."""

NAMES = {
    "jpeg": ("JPEG", "jpg"),
    "webp": ("WebP", "webp"),
    "avif": ("AVIF", "avif"),
    "jpeg2000": ("JPEG 2000", "jpg_2000"),
}


@dataclass(frozen=True, slots=True)
class ClassicalFile:
    """One encoding: its size in bytes, its PSNR in dB, and what it decodes to, uint8[H, W, 3]."""

    bytes: int
    psnr: float
    image: np.ndarray


def available() -> list[tuple[str, str]]:
    """(key, name) of the codecs this installation of Pillow can write."""
    return [(key, name) for key, (name, feature) in NAMES.items() if features.check(feature)]


def sweep(codec: str, rgb: np.ndarray, budget: int | None = None) -> list[ClassicalFile]:
    """Encode at every quality, smallest file first; stops once a file is larger than `budget` bytes."""
    peer = classical(codec)
    found: list[ClassicalFile] = []
    for quality in QUALITIES[codec]:
        data = peer.encode(rgb, quality)
        decoded = peer.decode(data)
        found.append(ClassicalFile(len(data), psnr(rgb, decoded), decoded))
        if budget is not None and len(data) > budget:
            break
    return sorted(found, key=lambda file: file.bytes)


def within(files: Sequence[ClassicalFile], budget: int) -> int | None:
    """Index of the best file of at most `budget` bytes; None if even the smallest is larger."""
    fitting = [index for index, file in enumerate(files) if file.bytes <= budget]
    return max(fitting, key=lambda index: files[index].psnr, default=None)

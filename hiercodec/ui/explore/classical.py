"""What JPEG, WebP, AVIF and JPEG 2000 make of a picture in the same number of bytes. No Streamlit.

Every codec is run over its qualities once; a budget gets the largest file that fits. Nothing is interpolated.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, features

from hiercodec.baselines.classical import classical
from hiercodec.evaluation.trace import psnr

QUALITIES = {
    "jpeg": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 23, 26, 30, 34, 39, 44, 50, 56, 62, 70, 78, 86),
    "webp": (
        0,
        0.1,
        0.25,
        0.5,
        0.75,
        1,
        1.5,
        2,
        3,
        4,
        5.5,
        7,
        9,
        11,
        13.5,
        16,
        19,
        23,
        27,
        32,
        38,
        44,
        51,
        58,
        66,
        76,
        86,
    ),
    "avif": (0, 3, 6, 9, 12, 15, 18, 22, 26, 30, 35, 40, 46, 52, 60, 68, 78),
    "jpeg2000": tuple(400 / 1.2**i for i in range(24)),
}
"""What each codec is run at; for JPEG 2000 these are compression ratios. WebP's smallest files lie between 0 and 1."""

SMALLER = {"jpeg": {"optimize": True}, "webp": {}}
"""Options without which a codec would look worse than it is: JPEG's own Huffman tables halve its smallest files."""

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
        data = _small(codec, rgb, quality) if codec in SMALLER else peer.encode(rgb, quality)
        decoded = peer.decode(data)
        found.append(ClassicalFile(len(data), psnr(rgb, decoded), decoded))
        if budget is not None and len(data) > budget:
            break
    return sorted(found, key=lambda file: file.bytes)


def _small(codec: str, rgb: np.ndarray, quality: float) -> bytes:
    """A file made with the options of SMALLER; WebP takes qualities that are not whole."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, codec.upper(), quality=quality, **SMALLER[codec])
    return out.getvalue()


def within(files: Sequence[ClassicalFile], budget: int) -> int | None:
    """Index of the best file of at most `budget` bytes; None if even the smallest is larger."""
    fitting = [index for index, file in enumerate(files) if file.bytes <= budget]
    return max(fitting, key=lambda index: files[index].psnr, default=None)

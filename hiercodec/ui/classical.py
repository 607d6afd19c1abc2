"""What JPEG, WebP, AVIF and JPEG 2000 make of a picture in the same number of bytes. Pillow only; no Streamlit.

Every codec is run over its qualities once; a budget gets the largest file that fits. Nothing is interpolated.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, features

from hiercodec.evaluation.trace import psnr

JPEG_QUALITIES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 31, 37, 44, 52, 60, 68, 76, 84, 90)
WEBP_QUALITIES = (0, 1, 2, 3, 5, 7, 10, 14, 19, 25, 32, 40, 50, 60, 70, 80, 88)
AVIF_QUALITIES = (0, 2, 5, 9, 14, 20, 26, 32, 40, 48, 56, 66, 78)
J2K_RATIOS = (400, 280, 200, 150, 110, 85, 65, 50, 40, 32, 26, 21, 17, 14, 11, 9, 7)


@dataclass(frozen=True, slots=True)
class ClassicalFile:
    """One encoding: its size in bytes, its PSNR in dB, and what it decodes to, uint8[H, W, 3]."""

    bytes: int
    psnr: float
    image: np.ndarray


def available() -> list[tuple[str, str]]:
    """(key, name) of the codecs this installation of Pillow can write."""
    rows = [("jpeg", "JPEG")]
    if features.check("webp"):
        rows.append(("webp", "WebP"))
    if features.check("avif"):
        rows.append(("avif", "AVIF"))
    if features.check("jpg_2000"):
        rows.append(("jpeg2000", "JPEG 2000"))
    return rows


def sweep(codec: str, rgb: np.ndarray, budget: int | None = None) -> list[ClassicalFile]:
    """Encode at every quality, smallest file first; stops once a file is larger than `budget` bytes."""
    found: list[ClassicalFile] = []
    for settings in _settings(codec):
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, **settings)
        with Image.open(io.BytesIO(buffer.getvalue())) as image:
            decoded = np.asarray(image.convert("RGB"))
        found.append(ClassicalFile(len(buffer.getvalue()), psnr(rgb, decoded), decoded))
        if budget is not None and found[-1].bytes > budget:
            break
    return sorted(found, key=lambda file: file.bytes)


def within(files: Sequence[ClassicalFile], budget: int) -> int | None:
    """Index of the best file of at most `budget` bytes; None if even the smallest is larger."""
    fitting = [index for index, file in enumerate(files) if file.bytes <= budget]
    return max(fitting, key=lambda index: files[index].psnr, default=None)


def _settings(codec: str) -> list[dict]:
    if codec == "jpeg":
        return [{"format": "JPEG", "quality": q, "optimize": True} for q in JPEG_QUALITIES]
    if codec == "webp":
        return [{"format": "WEBP", "quality": q, "method": 6} for q in WEBP_QUALITIES]
    if codec == "avif":
        return [{"format": "AVIF", "quality": q, "speed": 6} for q in AVIF_QUALITIES]
    if codec == "jpeg2000":
        options = {"format": "JPEG2000", "quality_mode": "rates", "irreversible": True}
        return [{**options, "quality_layers": [ratio]} for ratio in J2K_RATIOS]
    raise ValueError(f"no classical codec {codec!r}")

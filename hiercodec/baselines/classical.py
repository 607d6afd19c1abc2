"""Classical codecs through Pillow: JPEG, WebP, AVIF, JPEG 2000. Rates are the bytes of the whole file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from hiercodec.errors import InputError


@dataclass(frozen=True, slots=True)
class ClassicalCodec:
    """A Pillow format and the options that a quality 0…100 stands for."""

    name: str
    format: str
    rates: bool = False

    def encode(self, rgb: np.ndarray, quality: float) -> bytes:
        """uint8 (H, W, 3) → file bytes. For JPEG 2000 `quality` is the compression ratio instead."""
        out = io.BytesIO()
        image = Image.fromarray(rgb)
        if self.rates:
            image.save(out, self.format, quality_mode="rates", quality_layers=[quality], irreversible=True, no_jp2=True)
        else:
            image.save(out, self.format, quality=round(quality))
        return out.getvalue()

    def decode(self, data: bytes) -> np.ndarray:
        """File bytes → uint8 (H, W, 3)."""
        return np.array(Image.open(io.BytesIO(data)).convert("RGB"))

    def at_most(self, rgb: np.ndarray, budget: int) -> bytes | None:
        """The best file of at most `budget` bytes, by bisection; None if even the worst is larger."""
        low, high = (1.0, 4000.0) if self.rates else (0.0, 100.0)
        best = None
        for _ in range(12 if self.rates else 8):
            middle = (low * high) ** 0.5 if self.rates else (low + high) / 2
            data = self.encode(rgb, middle)
            fits = len(data) <= budget
            if fits and (best is None or len(data) > len(best)):
                best = data
            if fits == self.rates:
                high = middle
            else:
                low = middle
        if best is None and not self.rates:
            data = self.encode(rgb, 0)
            best = data if len(data) <= budget else None
        return best


CLASSICAL = {
    codec.name: codec
    for codec in (
        ClassicalCodec("jpeg", "JPEG"),
        ClassicalCodec("webp", "WEBP"),
        ClassicalCodec("avif", "AVIF"),
        ClassicalCodec("jpeg2000", "JPEG2000", rates=True),
    )
}
GRID = {
    "jpeg": (1, 5, 10, 20, 40),
    "webp": (0, 5, 20, 50),
    "avif": (1, 10, 25, 40),
    "jpeg2000": (240, 120, 60, 30),
}
"""Qualities (JPEG 2000: ratios) that `evaluate` measures."""


def classical(name: str) -> ClassicalCodec:
    """The codec called `name`; `InputError` names the ones there are."""
    try:
        return CLASSICAL[name]
    except KeyError:
        raise InputError(f"no codec {name!r}; there are {', '.join(CLASSICAL)}") from None

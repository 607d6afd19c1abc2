"""Pictures in memory: which arrays are pixels, and what becomes of them: files, other sizes, names."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hiercodec.errors import ImageError, NotRGB


def check_rgb(rgb: np.ndarray) -> np.ndarray:
    """`rgb` itself if it is uint8[H, W, 3] with at least one pixel; `NotRGB`, with the remedy, otherwise."""
    if not isinstance(rgb, np.ndarray):
        file = isinstance(rgb, (str, bytes, Path)) or hasattr(rgb, "read")
        remedy = "open a file with PIL.Image.open" if file else "make an array of it with numpy.asarray"
        raise NotRGB(f"a picture is a PIL image or a numpy array uint8[H, W, 3], got {type(rgb).__name__}: {remedy}")
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise NotRGB(f"a picture is uint8[H, W, 3], got {rgb.dtype}{list(rgb.shape)}: {_remedy(rgb)}")
    return rgb


def _remedy(array: np.ndarray) -> str:
    """What makes a picture of an array that is none, for the first thing that is wrong with it."""
    if not array.size:
        return "it has no pixel"
    if array.ndim == 2:
        return "repeat grey as np.stack([x] * 3, -1)"
    if array.ndim == 4:
        return "pass one picture at a time"
    if array.ndim != 3:
        return "give it height, width and three channels"
    if array.shape[2] != 3 and array.shape[0] == 3:
        return "put channels last with np.moveaxis(x, 0, -1)"
    if array.shape[2] == 4:
        return "lay transparency on white with PIL.Image.fromarray(x), or drop it with x[..., :3]"
    if array.shape[2] != 3:
        return "give it three channels"
    if array.dtype.kind == "f":
        return "round it to whole steps, for values 0…1 as (255 * x).round().astype(np.uint8)"
    return "convert it to 0…255 and uint8"


def encode_png(rgb: np.ndarray) -> bytes:
    """A PNG file of uint8[H, W, 3], without metadata; `read_rgb` gives the same pixels back."""
    return encode_as(rgb, "PNG")


def encode_as(rgb: np.ndarray, format: str, **options: Any) -> bytes:
    """A file of uint8[H, W, 3] in a format that Pillow writes, with its options; `ImageError` where it cannot hold them."""
    buffer = io.BytesIO()
    try:
        Image.fromarray(check_rgb(rgb)).save(buffer, format, **options)
    except (OSError, ValueError) as error:
        height, width = rgb.shape[:2]
        raise ImageError(f"{format} cannot hold this picture of {width}×{height}: {error}") from None
    return buffer.getvalue()


def resize_to(rgb: np.ndarray, max_side: int) -> np.ndarray:
    """Shrunk (Lanczos) so that neither side exceeds `max_side`; a picture that already fits is returned as it is.

    >>> resize_to(np.zeros((30, 60, 3), np.uint8), 20).shape
    (10, 20, 3)
    """
    if max_side < 1:
        raise ValueError(f"max_side must be at least 1, got {max_side}")
    height, width = check_rgb(rgb).shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def centre_crop(rgb: np.ndarray, side: int) -> np.ndarray:
    """The central square of `side` pixels, or as much of it as there is."""
    top, left = (max(0, (size - side) // 2) for size in rgb.shape[:2])
    return rgb[top : top + side, left : left + side]


FLAT = 2.0
"""Standard deviation, in levels of 255, under which nobody sees a picture in a picture."""


def is_flat(rgb: np.ndarray) -> bool:
    """Whether a picture, uint8[H, W, 3], is of one colour, as far as anybody sees.

    >>> is_flat(np.full((4, 4, 3), 90, np.uint8)), is_flat(np.eye(4, dtype=np.uint8)[..., None] * np.full(3, 90, np.uint8))
    (True, False)
    """
    return bool(rgb.std((0, 1)).max() < FLAT)


def sha256_of(rgb: np.ndarray) -> str:
    """64 hex digits that name the pixels and their shape: a cache key.

    >>> sha256_of(np.zeros((1, 2, 3), np.uint8)) == sha256_of(np.zeros((2, 1, 3), np.uint8))
    False
    """
    digest = hashlib.sha256(f"{rgb.dtype.str}{rgb.shape}".encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


def pad_to_multiple(array: np.ndarray, multiple: int = 16) -> np.ndarray:
    """[H, W, …] grown to the right and the bottom by repeating its edge.

    >>> pad_to_multiple(np.ones((5, 16, 3)), 16).shape
    (16, 16, 3)
    """
    height, width = array.shape[:2]
    extra = ((0, -height % multiple), (0, -width % multiple), *[(0, 0)] * (array.ndim - 2))
    return np.pad(array, extra, mode="edge") if any(map(any, extra)) else array

"""What a classifier does to a picture before it looks at it. numpy and Pillow only.

Models of timm look at pictures as timm's evaluation does (`timm.data.create_transform`), to the pixel: resize, then cut or
pad. The packaged ones cut at fractions of a pixel, which no side's parity moves; of square pictures both see the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from hiercodec.images import check_rgb

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
    "lanczos": Image.Resampling.LANCZOS,
}
MODES = ("fractional", "center", "squash", "border")
MAX_WHOLE = 2**25
"""Pixels that a picture may be resized to as a whole; of longer ones only what is looked at is, two levels off at most."""


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Resize to `size` / `crop`, take the central `size`, then (x / 255 − mean) / std per channel.

    `size` is a side, or (height, width); `crop` a share above 0, mostly ≤ 1. `mode` says how: "center" resizes the short
    side and keeps the shape, "squash" resizes both, "border" resizes the long side, all as timm does; "fractional" is
    "center" for a square `size`, cut at fractions of a pixel. What a picture does not cover is black, or mean ("border").
    """

    size: int | tuple[int, int] = 224
    crop: float = 0.875
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    mode: str = "fractional"

    def __post_init__(self) -> None:
        most = 1 if self.mode == "fractional" else 2
        if len(self.sides) != 2 or not all(1 <= side <= 4096 for side in self.sides) or not 0 < self.crop <= most:
            raise ValueError(f"size must be 1…4096 and crop 0…{most}, got {self.size} and {self.crop}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}")
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        if self.mode == "fractional" and self.sides[0] != self.sides[1]:
            raise ValueError(f"size must be a square for mode 'fractional', got {self.size}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std need three numbers each, std above 0")

    @classmethod
    def of_timm(cls, config: Mapping[str, Any]) -> Preprocess:
        """What timm's evaluation does, from what `timm.data.resolve_data_config` gives."""
        _, height, width = config["input_size"]
        size = height if height == width else (height, width)
        values = (config[name] for name in ("crop_pct", "interpolation", "mean", "std", "crop_mode"))
        return cls(size, *values)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocess:
        """The inverse of `to_dict`."""
        size = data.get("size", cls.size)
        return cls(
            **{
                **data,
                "size": size if isinstance(size, int) else tuple(size),
                "mean": tuple(data["mean"]),
                "std": tuple(data["std"]),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @property
    def sides(self) -> tuple[int, int]:
        """(height, width) of what the classifier looks at."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def crop_of(self, rgb: np.ndarray) -> np.ndarray:
        """What the classifier looks at: uint8[h, w, 3], (h, w) = `sides`. rgb: uint8[H, W, 3] of any size."""
        picture = Image.fromarray(check_rgb(rgb))
        if self.mode == "fractional":
            return self._fractional(picture)
        whole = self._whole(picture.height, picture.width)
        fill = [round(255 * v) for v in self.mean] if self.mode == "border" else [0, 0, 0]
        out = np.full((*self.sides, 3), fill, np.uint8)
        tops = [_begin(of, side) for of, side in zip(whole, self.sides, strict=True)]
        # The part of the resized picture that is seen, and where it stands in what is looked at.
        seen = [slice(max(0, top), min(of, top + side)) for top, of, side in zip(tops, whole, self.sides, strict=True)]
        rows, columns = (slice(part.start - top, part.stop - top) for part, top in zip(seen, tops, strict=True))
        out[rows, columns] = _resized(picture, whole, seen[0], seen[1], INTERPOLATIONS[self.interpolation])
        return out

    def _fractional(self, picture: Image.Image) -> np.ndarray:
        # Only the crop is ever computed: a 1×60000 strip enlarged as a whole would not fit into memory.
        (size, _), (width, height) = self.sides, picture.size
        side = min(height, width) * size / int(size / self.crop)
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
        return np.asarray(picture.resize((size, size), INTERPOLATIONS[self.interpolation], box))

    def _whole(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) that a picture is resized to: timm's sums, roundings among them."""
        target = [math.floor(side / self.crop) for side in self.sides]
        if self.mode == "squash":
            return target[0], target[1]
        if self.mode == "center" and target[0] == target[1]:
            longer = int(target[0] * max(height, width) / min(height, width))
            return (target[0], longer) if height <= width else (longer, target[0])
        ratios = height / target[0], width / target[1]
        ratio = max(ratios) if self.mode == "border" else min(ratios)
        return max(1, round(height / ratio)), max(1, round(width / ratio))

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """The normalised input float32[3, h, w] of one picture uint8[H, W, 3]."""
        x = self.crop_of(rgb).astype(np.float32) / 255.0
        x = (x - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(x.transpose(2, 0, 1))


def _begin(length: int, side: int) -> int:
    """Where the central `side` of `length` pixels begins: torchvision's sum; below 0 where it is shorter."""
    return -((side - length) // 2) if length < side else round((length - side) / 2)


def _resized(
    picture: Image.Image, whole: tuple[int, int], rows: slice, columns: slice, how: Image.Resampling
) -> np.ndarray:
    """These rows and columns of the picture resized to `whole` = (height, width)."""
    if whole[0] * whole[1] <= MAX_WHOLE:
        return np.asarray(picture.resize((whole[1], whole[0]), how))[rows, columns]
    across, down = picture.width / whole[1], picture.height / whole[0]
    box = (columns.start * across, rows.start * down, columns.stop * across, rows.stop * down)
    return np.asarray(picture.resize((columns.stop - columns.start, rows.stop - rows.start), how, box))

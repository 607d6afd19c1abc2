"""What a classifier does to a picture before it looks at it. numpy and Pillow only.

Models of timm look at pictures as timm's evaluation does (`timm.data.create_transform`), to the pixel: resize, then cut or
pad. The packaged ones cut at fractions of a pixel, which no side's parity moves; of square pictures both see the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from hiercodec.images import check_rgb

MAX_WHOLE = 2**25
"""Pixels that a picture may be resized to as a whole; of longer ones only what is looked at is, two levels off at most."""


Side = Annotated[int, Field(ge=1, le=4096)]
Deviation = Annotated[float, Field(gt=0)]


def _each(value: Any) -> Any:
    """One number for all channels, or one each with commas between them, as text has them."""
    return value.split(",") * (1 if "," in value else 3) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Preprocess:
    """Resize to `size` / `crop`, take the central `size`, then (x / 255 − mean) / std per channel.

    `size` is a side, or (height, width); `crop` a share above 0, mostly ≤ 1. `mode` says how: "center" resizes the short
    side and keeps the shape, "squash" resizes both, "border" resizes the long side, all as timm does; "fractional" is
    "center" for a square `size`, cut at fractions of a pixel. What a picture does not cover is black, or mean ("border").
    """

    size: Side | tuple[Side, Side] = 224
    crop: Annotated[float, Field(gt=0, le=2)] = 0.875
    interpolation: Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"] = "bicubic"
    mean: Annotated[tuple[float, float, float], BeforeValidator(_each)] = (0.5, 0.5, 0.5)
    std: Annotated[tuple[Deviation, Deviation, Deviation], BeforeValidator(_each)] = (0.5, 0.5, 0.5)
    mode: Literal["fractional", "center", "squash", "border"] = "fractional"

    @model_validator(mode="after")
    def _fits(self) -> Preprocess:
        if self.mode == "fractional" and (self.crop > 1 or self.sides[0] != self.sides[1]):
            raise ValueError(f"'fractional' takes a square and at most all of it, got {self.size} and {self.crop}")
        return self

    @classmethod
    def of_timm(cls, config: Mapping[str, Any]) -> Preprocess:
        """What timm's evaluation does, from what `timm.data.resolve_data_config` gives."""
        _, height, width = config["input_size"]
        size = height if height == width else (height, width)
        values = (config[name] for name in ("crop_pct", "interpolation", "mean", "std", "crop_mode"))
        return cls(size, *values)

    @property
    def sides(self) -> tuple[int, int]:
        """(height, width) of what the classifier looks at."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    @property
    def resampling(self) -> Image.Resampling:
        """What Pillow calls the interpolation."""
        return Image.Resampling[self.interpolation.upper()]

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
        out[rows, columns] = _resized(picture, whole, seen[0], seen[1], self.resampling)
        return out

    def _fractional(self, picture: Image.Image) -> np.ndarray:
        # Only the crop is ever computed: a 1×60000 strip enlarged as a whole would not fit into memory.
        (size, _), (width, height) = self.sides, picture.size
        side = min(height, width) * size / int(size / self.crop)
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
        return np.asarray(picture.resize((size, size), self.resampling, box))

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

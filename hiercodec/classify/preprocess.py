"""What a classifier does to a picture before it looks at it. numpy and Pillow only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from hiercodec.images import check_rgb

INTERPOLATIONS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Short side to `size` / `crop`, the central `size` × `size`, then (x / 255 − mean) / std per channel.

    Smaller pictures are enlarged by the same rule, whatever their shape. `crop` is a share, 0 < crop ≤ 1.
    """

    size: int = 224
    crop: float = 0.875
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 4096 or not 0 < self.crop <= 1:
            raise ValueError(f"size must be 1…4096 and crop 0…1, got {self.size} and {self.crop}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std need three numbers each, std above 0")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preprocess:
        """The inverse of `to_dict`."""
        return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    def crop_of(self, rgb: np.ndarray) -> np.ndarray:
        """What the classifier looks at: uint8[size, size, 3]. rgb: uint8[H, W, 3] of any size."""
        height, width = check_rgb(rgb).shape[:2]
        # Only the crop is ever computed: a 1×60000 strip enlarged as a whole would not fit into memory.
        side = min(height, width) * self.size / int(self.size / self.crop)
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
        picture = Image.fromarray(rgb)
        return np.asarray(picture.resize((self.size, self.size), INTERPOLATIONS[self.interpolation], box))

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """The normalised input float32[3, size, size] of one picture uint8[H, W, 3]."""
        x = self.crop_of(rgb).astype(np.float32) / 255.0
        x = (x - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(x.transpose(2, 0, 1))

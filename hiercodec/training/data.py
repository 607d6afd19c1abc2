"""Training batches: random crops and flips of photographs that were decoded once into memory as uint8."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hiercodec.errors import ConfigError
from hiercodec.evaluation.dataset import Photos


class Crops:
    """Endless random crops: `batch(step)` depends only on the seed and the step, so that resuming is exact."""

    def __init__(self, photos: Photos, *, crop: int, batch: int, seed: int = 0, labelled_share: float = 0.0) -> None:
        self.photos, self.crop, self.size, self.seed = photos, crop, batch, seed
        self._labelled = np.flatnonzero(photos.labels >= 0)
        self._share = labelled_share if len(self._labelled) else 0.0
        if crop % 16:
            raise ConfigError(f"crop must be a multiple of 16, got {crop}")

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """x (B, 3, crop, crop) float32 in 0…1, labels (B,) with -1 for none."""
        rng = np.random.default_rng((self.seed, step))
        rows = rng.integers(0, len(self.photos), self.size)
        labelled = rng.random(self.size) < self._share
        if labelled.any():
            rows[labelled] = rng.choice(self._labelled, labelled.sum())
        stack = np.stack([self._one(self.photos.pixels[i], rng) for i in rows])
        x = torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255
        return x.contiguous(), torch.from_numpy(self.photos.labels[rows].astype(np.int64))

    def _one(self, photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One crop; a photo smaller than the crop is mirrored at its edges."""
        short = [max(0, self.crop - side) for side in photo.shape[:2]]
        if any(short):
            photo = np.pad(photo, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")
        top, left = (rng.integers(0, side - self.crop + 1) for side in photo.shape[:2])
        piece = photo[top : top + self.crop, left : left + self.crop]
        return piece[:, ::-1] if rng.random() < 0.5 else piece

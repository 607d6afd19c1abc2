"""Training batches: random crops and flips of photographs that were decoded once into memory as uint8."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hiercodec.errors import ConfigError
from hiercodec.evaluation.dataset import Photos


class Crops:
    """Endless random crops: `batch(step)` depends only on the seed and the step, so that resuming is exact.

    The photographs lie on `device`, where they are cropped and flipped; the numbers drawn are the same on every device.
    """

    def __init__(
        self,
        photos: Photos,
        *,
        crop: int,
        batch: int,
        seed: int = 0,
        labelled_share: float = 0.0,
        device: torch.device | str = "cpu",
    ) -> None:
        if crop % 16:
            raise ConfigError(f"crop must be a multiple of 16, got {crop}")
        self.crop, self.size, self.seed, self.device = crop, batch, seed, torch.device(device)
        self._pixels = [torch.from_numpy(np.require(p, requirements="W")).to(self.device) for p in photos.pixels]
        self._labels = photos.labels.astype(np.int64)
        self._labelled = np.flatnonzero(photos.labels >= 0)
        self._share = labelled_share if len(self._labelled) else 0.0

    def __len__(self) -> int:
        """How many photographs there are."""
        return len(self._pixels)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """x (B, 3, crop, crop) float32 in 0…1, labels (B,) with -1 for none."""
        rng = np.random.default_rng((self.seed, step))
        rows = rng.integers(0, len(self), self.size)
        labelled = rng.random(self.size) < self._share
        if labelled.any():
            rows[labelled] = rng.choice(self._labelled, labelled.sum())
        stack = torch.stack([self._one(self._pixels[i], rng) for i in rows])
        x = stack.permute(0, 3, 1, 2).float() / 255
        return x.contiguous(), torch.from_numpy(self._labels[rows]).to(self.device)

    def _one(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """One crop; a photo smaller than the crop is mirrored at its edges."""
        if min(photo.shape[:2]) < self.crop:
            rows, columns = (mirrored(side, max(side, self.crop), self.device) for side in photo.shape[:2])
            photo = photo[rows][:, columns]
        top, left = (rng.integers(0, side - self.crop + 1) for side in photo.shape[:2])
        piece = photo[top : top + self.crop, left : left + self.crop]
        return piece.flip(1) if rng.random() < 0.5 else piece


def mirrored(side: int, length: int, device: torch.device) -> Tensor:
    """Indexes (length,) into a line of `side` pixels that goes on by mirroring: 0 1 2 2 1 0 0 1 …"""
    i = torch.arange(length, device=device) % (2 * side)
    return torch.minimum(i, 2 * side - 1 - i)

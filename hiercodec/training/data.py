"""Training batches: random crops and flips of photographs that are decoded as they are needed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hiercodec.errors import ConfigError, ImageError, Unreadable
from hiercodec.evaluation.photos.dataset import Photos, load_photos

if TYPE_CHECKING:
    from hiercodec.training.config import CodecConfig

LOG = logging.getLogger(__name__)


def split(config: CodecConfig, photos: Photos | None = None) -> tuple[Photos, Photos]:
    """What a run trains on and what it holds out, of its photographs or of these; `ConfigError` where nothing is left."""
    photos = photos or load_photos(config.photos, limit=config.limit, how=config.labels)
    train, held_out = photos.split(config.holdout)
    if not len(train):
        raise ConfigError(f"{config.name}: one photograph is too few, one is held out to validate on")
    return train, held_out


class Crops(Dataset):
    """Endless random crops, one batch a step: `crops[step]` depends only on the seed and the step, so resuming is exact.

    `batch` crops for each of `world` processes: process `rank` takes its own part, and all parts together are what one
    process would draw at a batch `world` times as large. Up to `cache_mb` MiB of decoded photographs are kept, those that
    came first and for good: all are drawn equally often, so throwing one out for another would gain nothing. In the place of
    a photograph that cannot be used the next one is taken.
    """

    def __init__(self, photos: Photos, *, crop: int, batch: int, seed: int = 0, labelled_share: float = 0.0,
                 cache_mb: int = 0, rank: int = 0, world: int = 1) -> None:  # fmt: skip
        if not len(photos):
            raise ConfigError("no photographs to train on")
        self.photos, self.crop, self.seed = photos, crop, seed
        self._all, self._mine = batch * world, slice(rank * batch, (rank + 1) * batch)
        self._labelled = np.flatnonzero(photos.labels >= 0)
        self._share = labelled_share if len(self._labelled) else 0.0
        self._cache: dict[int, np.ndarray] = {}
        self._room = cache_mb << 20
        self._unusable: set[int] = set()

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, crop, crop, 3) uint8, labels (B,) with -1 for none."""
        rng = np.random.default_rng((self.seed, step))
        rows = rng.integers(0, len(self.photos), self._all)
        if self._share:
            labelled = rng.random(self._all) < self._share
            rows[labelled] = rng.choice(self._labelled, labelled.sum())
        draws = rng.random((self._all, 3))
        used = [self._usable(int(row)) for row in rows[self._mine]]
        crops = [self._one(photo, *draw) for (_, photo), draw in zip(used, draws[self._mine], strict=True)]
        mine = np.array([row for row, _ in used])
        return torch.from_numpy(np.stack(crops)), torch.from_numpy(self.photos.labels[mine].astype(np.int64))

    def _one(self, photo: np.ndarray, down: float, across: float, flip: float) -> np.ndarray:
        """One crop, at shares `down` and `across` of the way; a photograph smaller than it is mirrored at its edges."""
        missing = [max(0, self.crop - side) for side in photo.shape[:2]]
        if any(missing):
            photo = np.pad(photo, [*((0, n) for n in missing), (0, 0)], mode="symmetric")
        top, left = (int(u * (side - self.crop + 1)) for u, side in zip((down, across), photo.shape, strict=False))
        piece = photo[top : top + self.crop, left : left + self.crop]
        return piece[:, ::-1] if flip < 0.5 else piece

    def _usable(self, row: int) -> tuple[int, np.ndarray]:
        """A photograph, or the next one that can be used, and its number: the same one at every step that draws it."""
        for place in (*range(row, len(self.photos)), *range(row)):
            if place in self._unusable:
                continue
            try:
                return place, self._photo(place)
            except (ImageError, Unreadable) as error:
                self._unusable.add(place)
                LOG.warning("trained without it: %s", error)
        raise ConfigError("none of the photographs to train on can be used")

    def _photo(self, row: int) -> np.ndarray:
        if (photo := self._cache.get(row)) is None:
            photo = self.photos.pixels[row]
            if photo.nbytes <= self._room:
                self._room -= photo.nbytes
                self._cache[row] = photo
        return photo

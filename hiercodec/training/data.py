"""Training photographs: decoded once into memory as uint8, cropped and flipped at random."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hiercodec.errors import ConfigError, ImageError
from hiercodec.images import read_rgb
from hiercodec.taxonomy import classes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """Photographs (uint8, (H, W, 3), various sizes), their class indexes (-1: none) and names."""

    pixels: list[np.ndarray]
    labels: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.pixels)

    def split(self, share: float, seed: int = 0) -> tuple[Photos, Photos]:
        """(the rest, a held-out share), the same for the same photographs and seed."""
        order = np.random.default_rng(seed).permutation(len(self))
        n = round(share * len(self))
        return self.take(np.sort(order[n:])), self.take(np.sort(order[:n]))

    def take(self, rows: np.ndarray) -> Photos:
        """The photographs at `rows`."""
        return Photos([self.pixels[i] for i in rows], self.labels[rows], [self.names[i] for i in rows])


def _members(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every photograph in a folder (ImageFolder or flat) or a tar shard, in name order."""
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES):
            yield path.relative_to(source).as_posix(), path.read_bytes()
    elif source.suffix == ".tar" and source.is_file():
        with tarfile.open(source) as tar:
            for member in sorted((m for m in tar if m.isfile()), key=lambda m: m.name):
                if Path(member.name).suffix.lower() in SUFFIXES:
                    yield member.name, tar.extractfile(member).read()
    else:
        raise ConfigError(f"no photographs at {source}: give a folder or a .tar shard")


def load_photos(sources: list[str | Path], *, limit: int | None = None) -> Photos:
    """Decode all photographs of the sources; a parent folder named after a wnid gives the label."""
    by_wnid = {c.wnid: c.index for c in classes()}
    pixels, labels, names = [], [], []
    for source in sources:
        for name, data in _members(Path(source)):
            try:
                pixels.append(read_rgb(data))
            except ImageError as error:
                raise type(error)(f"{name}: {error}") from error
            labels.append(by_wnid.get(Path(name).parent.name, -1))
            names.append(name)
            if limit and len(pixels) >= limit:
                return Photos(pixels, np.asarray(labels), names)
    if not pixels:
        raise ConfigError(f"no photographs in {', '.join(map(str, sources))}")
    return Photos(pixels, np.asarray(labels), names)


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

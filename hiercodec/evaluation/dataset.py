"""Data sets of photographs: a folder (ImageFolder or flat), or a tar shard, in name order."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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

    def spread(self, n: int) -> Photos:
        """At most `n` photographs, evenly spaced over all."""
        return self.take(np.linspace(0, len(self) - 1, min(n, len(self))).astype(int))

    def take(self, rows: np.ndarray) -> Photos:
        """The photographs at `rows`."""
        return Photos([self.pixels[i] for i in rows], self.labels[rows], [self.names[i] for i in rows])


def members(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every photograph of a source, in name order; `ConfigError` if there is no such source."""
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES):
            yield path.relative_to(source).as_posix(), path.read_bytes()
    elif source.suffix == ".tar" and source.is_file():
        with tarfile.open(source) as tar:
            for member in sorted((m for m in tar if m.isfile()), key=lambda m: m.name):
                file = tar.extractfile(member)
                if file is not None and Path(member.name).suffix.lower() in SUFFIXES:
                    yield member.name, file.read()
    else:
        raise ConfigError(f"no photographs at {source}: give a folder or a .tar shard")


def load_photos(sources: list[str | Path], *, limit: int | None = None) -> Photos:
    """Decode all photographs of the sources; a parent folder named after a wnid gives the label."""
    by_wnid = {c.wnid: c.index for c in classes()}
    pixels, labels, names = [], [], []
    for source in sources:
        for name, data in members(Path(source)):
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

"""Data sets of photographs: folders (ImageFolder or flat), tar shards and the samples, in name order, read one by one.

Only an index is kept in memory; a photograph is decoded when it is asked for, and forgotten by its reader.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.errors import ConfigError, ImageError, InputError
from hiercodec.images import MAX_BYTES, read_rgb
from hiercodec.taxonomy import classes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

SAMPLES = "samples:"
"""The source that means the sample photographs, which lie in installed packages."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one photograph's bytes are: a file, or `size` bytes of a tar shard from `offset` on."""

    name: str
    path: Path
    offset: int = 0
    size: int = MAX_BYTES + 1  # one more than `read_rgb` accepts

    def read(self) -> np.ndarray:
        """Decode to uint8 (H, W, 3); `InputError` names the photograph."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
            return read_rgb(data)
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error
        except ImageError as error:
            raise type(error)(f"{self.name}: {error}") from error


class Lazy(Sequence):
    """`read(item)` of every item, each time it is asked for; a slice is as lazy as the whole."""

    def __init__(self, items: Sequence, read: Callable[[Any], np.ndarray]) -> None:
        self._items, self._read = items, read

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Lazy(self._items[index], self._read)
        return self._read(self._items[index])


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """Photographs (uint8, (H, W, 3), various sizes), their class indexes (-1: none) and names."""

    pixels: Sequence[np.ndarray]
    labels: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def split(self, share: float, seed: int = 0) -> tuple[Photos, Photos]:
        """(the rest, a held-out share, at least one), the same for the same photographs and seed."""
        order = np.random.default_rng(seed).permutation(len(self))
        n = round(share * len(self)) or int(share > 0)
        return self.take(np.sort(order[n:])), self.take(np.sort(order[:n]))

    def spread(self, n: int) -> Photos:
        """At most `n` photographs, evenly spaced over all."""
        return self.take(np.linspace(0, len(self) - 1, min(n, len(self))).astype(int))

    def take(self, rows: np.ndarray) -> Photos:
        """The photographs at `rows`; none is decoded."""
        return Photos(Lazy(rows.tolist(), self.pixels.__getitem__), self.labels[rows], [self.names[i] for i in rows])


def index(source: str | Path) -> Iterator[tuple[Stored, int]]:
    """Where every photograph of a source is, in name order, and its class index (-1: none).

    A source is a folder, an uncompressed tar shard, or `SAMPLES`. A parent folder named after a wnid gives the label.
    Raises `ConfigError` if there is no such source.
    """
    if source == SAMPLES:
        from hiercodec.evaluation.samples import samples

        yield from ((Stored(s.id, s.path), s.truth[0] if s.truth else -1) for s in samples())
        return
    path = Path(source)
    if path.is_dir():
        found = [Stored(file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file()]
    elif path.suffix == ".tar" and path.is_file():
        try:
            with tarfile.open(path, "r:") as tar:
                found = [Stored(m.name, path, m.offset_data, m.size) for m in tar if m.isfile()]
        except (tarfile.TarError, OSError) as error:
            raise ConfigError(f"{path} is not an uncompressed tar shard: {error}") from error
    else:
        raise ConfigError(
            f"no photographs at {source}: give a folder or a .tar shard (training: --photos DIR takes your own)"
        )
    by_wnid = {c.wnid: c.index for c in classes()}
    for stored in sorted((s for s in found if s.name.lower().endswith(SUFFIXES)), key=lambda s: s.name):
        yield stored, by_wnid.get(Path(stored.name).parent.name, -1)


def load_photos(sources: Sequence[str | Path], *, limit: int | None = None) -> Photos:
    """All photographs of the sources (the first `limit`), decoded as they are used."""
    found = [row for source in sources for row in index(source)][: limit or None]
    if not found:
        raise ConfigError(f"no photographs in {', '.join(map(str, sources))}")
    places, labels = zip(*found, strict=True)
    return Photos(Lazy(places, Stored.read), np.asarray(labels), [place.name for place in places])

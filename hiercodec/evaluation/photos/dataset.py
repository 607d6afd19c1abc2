"""Data sets of photographs: folders (ImageFolder or flat), tar shards, lists and the samples, read one by one.

Only an index is kept in memory; a photograph is decoded when it is asked for, and forgotten by its reader.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.errors import ConfigError, ImageError, InputError
from hiercodec.images import MAX_BYTES, centre_crop, read_rgb
from hiercodec.taxonomy import classes

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

LISTS = (".txt", ".csv", ".tsv")

SAMPLES = "samples:"
"""The source that means the sample photographs, which lie in installed packages."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one photograph's bytes are: a file, or `size` bytes of a tar shard from `offset` on."""

    name: str
    path: Path
    offset: int = 0
    size: int = MAX_BYTES + 1  # one more than `read_rgb` accepts

    def content(self) -> bytes:
        """The file as it is stored; `InputError` where it cannot be read."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error

    def read(self) -> np.ndarray:
        """Decode to uint8 (H, W, 3); `InputError` names the photograph."""
        return decode(self.name, self.content())


def decode(name: str, data: bytes) -> np.ndarray:
    """A photograph's bytes → uint8 (H, W, 3); `ImageError` names the photograph."""
    try:
        return read_rgb(data)
    except ImageError as error:
        raise type(error)(f"{name}: {error}") from error


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

    def cropped(self, side: int) -> Photos:
        """The central squares of this side."""
        return Photos(Lazy(range(len(self)), lambda i: centre_crop(self.pixels[i], side)), self.labels, self.names)

    def take(self, rows: np.ndarray) -> Photos:
        """The photographs at `rows`; none is decoded."""
        return Photos(Lazy(rows.tolist(), self.pixels.__getitem__), self.labels[rows], [self.names[i] for i in rows])


def index(source: str | Path) -> Iterator[tuple[Stored, int]]:
    """Where every photograph of a source is, in name order, and its class index (-1: none).

    A source is a folder, an uncompressed tar shard, a list (`listed`, in its own order), or `SAMPLES`. A parent folder
    named after a wnid gives the label. Raises `ConfigError` if there is no such source.
    """
    if source == SAMPLES:
        from hiercodec.evaluation.photos.samples import samples

        yield from ((Stored(s.id, s.path), s.truth[0] if s.truth else -1) for s in samples())
        return
    path = Path(source)
    if path.suffix.lower() in LISTS and path.is_file():
        yield from listed(path)
        return
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
            f"no photographs at {source}: give a folder, a .tar shard or a list (training: --photos DIR takes your own)"
        )
    by_wnid = {c.wnid: c.index for c in classes()}
    for stored in sorted((s for s in found if s.name.lower().endswith(SUFFIXES)), key=lambda s: s.name):
        yield stored, by_wnid.get(Path(stored.name).parent.name, -1)


def listed(path: Path) -> Iterator[tuple[Stored, int]]:
    """The photographs that a list names, in its order: `path label` lines of a .txt, or a .csv or .tsv (header or not).

    Paths are relative to the list's folder. A label is a class index 0…999 or a wnid; without one, a parent folder named
    after a wnid counts. `ConfigError` names the line that cannot be read.
    """
    by_wnid = {c.wnid: c.index for c in classes()}
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, delimiter=separator)) if separator else [_cells(line) for line in file]
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"cannot read the list {path}: {error}") from None
    for number, cells in enumerate(lines, start=1):
        name, label = (cell.strip() for cell in (*cells, "", "")[:2])
        if not name or (number == 1 and separator and not name.lower().endswith(SUFFIXES)):
            continue
        known = by_wnid.get(label or Path(name).parent.name, -1)
        if label.isascii() and label.isdigit() and int(label) < len(by_wnid):
            known = int(label)
        elif label and known < 0:
            raise ConfigError(f"{path}, line {number}: {label!r} is neither a class index 0…999 nor a wnid")
        yield Stored(name, path.parent / name), known


def _cells(line: str) -> list[str]:
    """`path label`, where the path may hold blanks and the label be missing."""
    name, _, last = line.strip().rpartition(" ")
    return [name, last] if name and not last.lower().endswith(SUFFIXES) else [line]


def load_photos(sources: Sequence[str | Path], *, limit: int | None = None) -> Photos:
    """All photographs of the sources (the first `limit`), decoded as they are used."""
    found = [row for source in sources for row in index(source)][: limit or None]
    if not found:
        raise ConfigError(f"no photographs in {', '.join(map(str, sources))}")
    places, labels = zip(*found, strict=True)
    return Photos(Lazy(places, Stored.read), np.asarray(labels), [place.name for place in places])

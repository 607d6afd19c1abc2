"""Data sets of photographs: an inventory of what there is, and photographs that are decoded when they are asked for.

    sources ── walk ──► places ── labels ──► Inventory: photographs, what was passed over and why, what to be warned of

Only the inventory is kept in memory; a photograph is decoded when it is asked for, and forgotten by its reader.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from hiercodec.errors import ConfigError, ImageError, Unreadable
from hiercodec.evaluation.photos import labels
from hiercodec.evaluation.photos.stored import Photo, Stored
from hiercodec.evaluation.photos.walk import Passed, walk
from hiercodec.fsio import printable
from hiercodec.images import centre_crop

LOG = logging.getLogger(__name__)

SAMPLES = "samples:"
"""The source that means the sample photographs, which lie in installed packages."""
TORCHVISION = "torchvision:"
"""What sources begin with that are data sets of torchvision's: `torchvision:Imagenette`."""

SHOWN = 3
"""Names that a line of the report gives as examples."""


@dataclass(slots=True)
class Inventory:
    """What sources hold: their photographs with class indexes (−1: none), what was passed over, by reason, and remarks."""

    photos: list[Photo] = field(default_factory=list)
    passed: Passed = field(default_factory=Passed)
    remarks: list[str] = field(default_factory=list)

    @property
    def labelled(self) -> int:
        """How many photographs have a class."""
        return sum(label >= 0 for _, label in self.photos)

    def report(self) -> Iterator[str]:
        """Lines for people: how many photographs of how many classes, what was passed over and why, and remarks."""
        known = Counter(label for _, label in self.photos if label >= 0)
        labelled = f"{known.total()} of them labelled, in {len(known)} classes" if known else "none of them labelled"
        yield f"photographs: {len(self.photos)}, {labelled}"
        for why, names in self.passed.names.items():
            yield f"passed over, {why}: {len(names)} ({_some(names)})"
        yield from self.remarks


def inventory(sources: Sequence[str | Path], how: str = labels.AUTO) -> Inventory:
    """What the sources hold, in name order each (a list in its own order).

    A source is a folder, an uncompressed tar, a zip, a list (`labels.listed`), `SAMPLES` or one of `TORCHVISION`'s. `how`
    photographs are labelled is said in `labels.AUTO`. Raises `ConfigError` where a source or a file of labels is none.
    """
    there = Inventory()
    for source in sources:
        photos = _photos(str(source), how, there)
        there.photos += photos
        if photos and not any(label >= 0 for _, label in photos) and how != labels.NONE and source != SAMPLES:
            there.remarks += _why_unlabelled(str(source), photos, how)
    return there


def _photos(source: str, how: str, there: Inventory) -> list[Photo]:
    if source == SAMPLES:
        from hiercodec.evaluation.photos.samples import samples

        return [(Stored(s.id, s.path), s.truth[0] if s.truth else -1) for s in samples()]
    if source.startswith(TORCHVISION):
        from hiercodec.evaluation.photos.torchvision import photographs

        return photographs(source.removeprefix(TORCHVISION))
    path = Path(source)
    if path.suffix.lower() in labels.LISTS and os.path.isfile(path):
        photos = list(labels.listed(path))
        return photos if how == labels.AUTO else labels.labelled([place for place, _ in photos], path.parent, how)[0]
    photos, file = labels.labelled(walk(path, there.passed), path, how)
    if file:
        there.remarks.append(f"labels are those of {file}")
    return photos


def _why_unlabelled(source: str, photos: Sequence[Photo], how: str) -> Iterator[str]:
    """What to do about a source without a label, where its folders or names look like those of classes."""
    names = [place.name for place, _ in photos]
    folders = list(dict.fromkeys(PurePosixPath(name).parent.as_posix() for name in names if "/" in name))
    begin = f"warning: nothing in {printable(source)} is labelled, so results will say what judges agree with. "
    if any(map(labels.is_validation, names)):
        yield (
            f"{begin}These are ImageNet's validation photographs: put val.txt, LOC_val_solution.csv or the development "
            "kit's ground truth beside them, or name such a file with --labels FILE"
        )
    elif how == labels.AUTO and folders and all(labels.of_folders(f"{folder}/x") >= 0 for folder in folders):
        yield f"{begin}Its folders are numbers ({_some(folders)}): --labels index reads them as class indexes 0…999"
    elif any(map(labels.WNID.search, folders)):
        yield f"{begin}Its folders ({_some(folders)}) are named by wnids, but not by any of the 1000 classes'"
    elif len(folders) > 1:
        yield (
            f"{begin}Its {len(folders)} folders ({_some(folders)}) may be classes: name them by wnid (n02123045), or give "
            "a list of `path label` lines with wnids or class indexes"
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


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

    def each(self) -> Iterator[tuple[str, np.ndarray, int]]:
        """(name, pixels, class index) of every photograph that can be used; of the others the log says why not."""
        for row, rgb in self._readable():
            yield self.names[row], rgb, int(self.labels[row])

    def usable(self) -> Photos:
        """Those that can be used: each is decoded once to see, and of the others the log says why not."""
        return self.take(np.array([row for row, _ in self._readable()], int))

    def _readable(self) -> Iterator[tuple[int, np.ndarray]]:
        for row in range(len(self)):
            try:
                rgb = self.pixels[row]
            except (ImageError, Unreadable) as error:
                LOG.warning("left out: %s", error)
            else:
                yield row, rgb

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


def load_photos(sources: Sequence[str | Path], *, limit: int | None = None, how: str = labels.AUTO) -> Photos:
    """All photographs of the sources (the first `limit`), decoded as they are used; errors as `inventory`."""
    photos = inventory(sources, how).photos[: limit or None]
    if not photos:
        raise ConfigError(f"no photographs in {', '.join(map(str, sources))}")
    places, classes = zip(*photos, strict=True)
    return Photos(Lazy(places, Stored.read), np.asarray(classes), [place.name for place in places])

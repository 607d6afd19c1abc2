"""Photographs that a visitor gives, as files or in zip archives: an index of bounded size first, pixels one at a time.

What counts as a photograph, and what label it has, is said by `walk` and `labels`, as for data sets.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.errors import InputError
from hiercodec.evaluation.photos import labels
from hiercodec.evaluation.photos.stored import UNREADABLE, unpacked
from hiercodec.evaluation.photos.walk import Passed, zipped
from hiercodec.fsio import printable
from hiercodec.images import read_rgb, suffixes

MAX_FILES = 60
MAX_TOTAL = 256 * 2**20
"""Bytes of all photographs together, unpacked."""
MAX_ENTRIES = 2_000
"""Entries of a zip archive, photographs or not."""
NAME = 80
"""Characters that are kept of a name, the last ones."""


PHONES = ("heic", "heif")
"""Endings of phones' photographs. Where they cannot be read, words say what to do; a chooser that greys them out says
nothing."""


def endings() -> list[str]:
    """Endings of files, without the dot, that a page's file chooser takes for photographs."""
    return list(dict.fromkeys([*(suffix[1:] for suffix in suffixes()), *PHONES]))


@dataclass(frozen=True, slots=True)
class Given:
    """One photograph: its name, its class index (−1: none; a wnid on its path gives it) and its bytes."""

    name: str
    label: int
    content: Callable[[], bytes]

    def read(self) -> np.ndarray:
        """Decode to uint8 (H, W, 3); raises `ImageError`."""
        return read_rgb(self.content())


def photographs(files: Sequence[tuple[str, bytes]]) -> list[Given]:
    """The photographs among named files and in zip archives among them, in the order given; other files are passed over.

    Nothing is unpacked yet. Raises `InputError` for an archive that cannot be read, for more than MAX_FILES photographs,
    more than MAX_TOTAL bytes unpacked, and where there is no photograph.
    """
    photos: list[tuple[str, int, Callable[[], bytes]]] = []
    passed = Passed()
    for name, data in files:
        if name.lower().endswith(".zip"):
            photos += _entries(name, data, passed)
        elif not passed.takes(name):
            photos.append((name, len(data), lambda data=data: data))
    if not photos:
        why = "; ".join(f"{len(names)} {why}" for why, names in passed.names.items())
        raise InputError(
            f"no photograph among these files{f' ({why})' if why else ''}: give {', '.join(suffixes())} or a .zip of them"
        )
    if len(photos) > MAX_FILES:
        raise InputError(f"these are {len(photos)} photographs; at most {MAX_FILES} are taken at once")
    if (total := sum(size for _, size, _ in photos)) > MAX_TOTAL:
        raise InputError(
            f"these photographs have {total >> 20} MB unpacked; at most {MAX_TOTAL >> 20} MB are taken at once"
        )
    return [
        Given(name, labels.of_path(path), content)
        for name, (path, _, content) in zip(_names([path for path, *_ in photos]), photos, strict=True)
    ]


def _entries(name: str, data: bytes, passed: Passed) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """(path, size unpacked, how to read it) of the photographs in an archive. Sizes are the archive's own claims."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except UNREADABLE as error:
        raise InputError(f"{name} is not a zip archive that can be read: {error}") from None
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{name} has {len(entries)} entries; at most {MAX_ENTRIES} are looked through")
    for path, entry in zipped(entries, passed):
        yield path, entry.file_size, lambda entry=entry: unpacked(archive, entry, entry.file_size)


def _names(paths: Sequence[str]) -> list[str]:
    """Names to show, all different: the end of each path, numbered where it occurs again."""
    seen: dict[str, int] = {}
    names = []
    for path in paths:
        name = printable(path)[-NAME:]
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names

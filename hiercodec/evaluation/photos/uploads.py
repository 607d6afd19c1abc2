"""Photographs that a visitor gives, as files or in zip archives: an index of bounded size first, pixels one at a time."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from hiercodec.errors import DamagedImage, InputError
from hiercodec.evaluation.photos.dataset import SUFFIXES
from hiercodec.images import MAX_BYTES, read_rgb
from hiercodec.taxonomy import classes

MAX_FILES = 60
MAX_TOTAL = 256 * 2**20
"""Bytes of all photographs together, unpacked."""
MAX_ENTRIES = 2_000
"""Entries of a zip archive, photographs or not."""
NAME = 80
"""Characters that are kept of a name, the last ones."""

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What `zipfile` raises on damaged, encrypted and foreign archives."""


@dataclass(frozen=True, slots=True)
class Given:
    """One photograph: its name, its class index (−1: none; a parent folder named after a wnid gives it) and its bytes."""

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
    found: list[tuple[str, int, Callable[[], bytes]]] = []
    for name, data in files:
        if name.lower().endswith(".zip"):
            found += _entries(name, data)
        elif name.lower().endswith(SUFFIXES):
            found.append((name, len(data), lambda data=data: data))
    if not found:
        raise InputError(f"no photograph among these files: give {', '.join(SUFFIXES)} or a .zip of them")
    if len(found) > MAX_FILES:
        raise InputError(f"these are {len(found)} photographs; at most {MAX_FILES} are taken at once")
    if (total := sum(size for _, size, _ in found)) > MAX_TOTAL:
        raise InputError(
            f"these photographs have {total >> 20} MB unpacked; at most {MAX_TOTAL >> 20} MB are taken at once"
        )
    by_wnid = {c.wnid: c.index for c in classes()}
    return [
        Given(name, by_wnid.get(PurePosixPath(path).parent.name, -1), content)
        for name, (path, _, content) in zip(_names([path for path, *_ in found]), found, strict=True)
    ]


def _entries(name: str, data: bytes) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """(path, size unpacked, how to read it) of the photographs in an archive. Sizes are the archive's own claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except UNREADABLE as error:
        raise InputError(f"{name} is not a zip archive that can be read: {error}") from None
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{name} has {len(entries)} entries; at most {MAX_ENTRIES} are looked through")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if not entry.is_dir() and not hidden and path.suffix.lower() in SUFFIXES:
            yield entry.filename, entry.file_size, lambda entry=entry: _unpacked(data, entry)


def _unpacked(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry: never more than it claims, and one more than `read_rgb` accepts at most."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(entry) as file:
            return file.read(min(entry.file_size, MAX_BYTES) + 1)
    except UNREADABLE as error:
        raise DamagedImage(f"damaged in its archive: {error}") from None


def _names(paths: Sequence[str]) -> list[str]:
    """Names to show, all different: the end of each path, numbered where it occurs again."""
    seen: dict[str, int] = {}
    names = []
    for path in paths:
        name = "".join(c if c.isprintable() else "?" for c in path[-NAME:])
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names

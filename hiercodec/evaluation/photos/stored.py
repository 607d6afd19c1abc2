"""Where a photograph's bytes are, and what becomes of them when they are asked for."""

from __future__ import annotations

import functools
import lzma
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hiercodec.errors import DamagedImage, ImageError, Unreadable
from hiercodec.images import MAX_BYTES, read_rgb

UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError)
UNREADABLE += (RuntimeError, ValueError, LookupError)
"""What `zipfile` raises on damaged, encrypted and foreign archives."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one photograph's bytes are: a file, `size` bytes of a tar from `offset` on, or a `member` of a zip.

    `name` is its path within the data set in characters that can be printed (`fsio.printable`).
    """

    name: str
    path: Path
    offset: int = 0
    size: int = MAX_BYTES + 1  # one more than `read_rgb` accepts
    member: str = ""

    def content(self) -> bytes:
        """The file as it is stored; `Unreadable` where it cannot be read, `DamagedImage` where a zip holds it damaged."""
        if self.member:
            return unpacked(_archive(self.path), self.member, self.size)
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):  # a pipe that nobody writes to would be waited for
                raise Unreadable("cannot be read: it is no ordinary file")
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except (OSError, ValueError) as error:  # a name with a null byte in a list
            raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error

    def read(self) -> np.ndarray:
        """Decode to uint8 (H, W, 3); `ImageError` and `Unreadable` name the photograph."""
        try:
            return read_rgb(self.content())
        except (ImageError, Unreadable) as error:
            raise type(error)(f"{self.name}: {error}") from error


Photo = tuple[Stored, int]
"""Where a photograph is, and its class index (−1: none)."""


def unpacked(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, size: int) -> bytes:
    """The bytes of an entry: never more than the `size` it claims, and one more than `read_rgb` accepts at most."""
    try:
        entry = archive.getinfo(member) if isinstance(member, str) else member
        if entry.flag_bits & 1:
            raise DamagedImage("encrypted in its archive")
        with archive.open(entry) as file:
            return file.read(min(size, MAX_BYTES) + 1)
    except UNREADABLE as error:
        raise DamagedImage(f"damaged in its archive: {error}") from None


@functools.lru_cache(maxsize=4)
def _archive(path: Path) -> zipfile.ZipFile:
    """An archive, opened once a process: its directory may be long."""
    try:
        return zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise Unreadable(f"cannot be read in {path}: {error}") from None

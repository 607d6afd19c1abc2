"""Files in and out: bounded reads with one clear error, writes that happen whole or not at all, printable names."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hiercodec import values
from hiercodec.errors import InputError, OutputError

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent / "assets"

APP = _PACKAGE / "app" if (_PACKAGE / "app").is_dir() else _PACKAGE.parent
"""Where `app.py` and `pages/` are: inside an installed package, or at the top of a repository."""

CONFIGS = _PACKAGE / "configs" if (_PACKAGE / "configs").is_dir() else _PACKAGE.parent / "configs"
"""Where the training configs that ship are, likewise."""

ABANDONED = 3600
"""Seconds after which a temporary file of ours belongs to no write any more."""

MAX_READ = 1 << 28
"""Default cap of a read, in bytes: no input of ours comes near it."""


def locate(*parts: str) -> Path:
    """Where a shipped asset is: inside an installed package, or in `assets/` at the top of a repository."""
    return _ASSETS.joinpath(*parts)


_UNPRINTABLE = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OUTSIDE = re.compile(r"(?:(?<=[\s@='\"])|^)(?:\.\./|~/|/)(?:[^\s?'\"]*/)?")
_SPELLED = re.compile(r"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))")


def printable(name: str | os.PathLike[str]) -> str:
    r"""A file's name in characters that can be printed and written as UTF-8; `from_printable` gives the name back.

    Bytes that are no UTF-8 are spelled `\xe9`, control characters and marks that turn the direction of writing `\u202e`, a
    backslash `\\`; everything else stays, composed (NFC) or decomposed (NFD) as it was.

    >>> printable(os.fsdecode(b"caf\xe9 100%.jpg"))
    'caf\\xe9 100%.jpg'
    """
    return _UNPRINTABLE.sub(_spell, os.fspath(name))


def without_folders(command: str) -> str:
    """A command with what lies outside of the working directory by its name alone, as anybody may read where it was.

    >>> without_folders("evaluate ../lab/images/val-0.tar --classifier 'timm:resnet50@/data/r50.safetensors?size=224'")
    "evaluate val-0.tar --classifier 'timm:resnet50@r50.safetensors?size=224'"
    >>> without_folders("train configs/lite.toml --photos ~/Pictures")
    'train configs/lite.toml --photos Pictures'
    """
    return _OUTSIDE.sub("", command)


def from_printable(text: str) -> str:
    """The name that `printable` spelled so, as `os` gives and takes it."""
    return _SPELLED.sub(lambda m: m[1] or (chr(0xDC00 + int(m[2], 16)) if m[2] else chr(int(m[3], 16))), text)


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def read_bytes(path: str | Path, *, max_bytes: int = MAX_READ) -> bytes:
    """The content of a file of up to `max_bytes`; `InputError` says why it cannot be read."""
    try:
        with open(path, "rb") as file:  # piece by piece: one read of so many bytes would first take as much memory
            data = b"".join(_pieces(file, max_bytes + 1))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {_why(error)}") from None
    if len(data) > max_bytes:
        raise InputError(f"cannot read {path}: larger than {max_bytes} bytes")
    return data


def _pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    """What a file holds, up to `most` bytes, a mebibyte at a time."""
    while most and (piece := file.read(min(most, 1 << 20))):
        most -= len(piece)
        yield piece


def check_writable(path: str | Path) -> None:
    """Raise `OutputError` where `write_bytes` can be seen to fail, before hours go into what would be written."""
    target = _resolve(path)
    if target.is_dir():
        raise OutputError(f"cannot write {path}: it is a directory")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {path}: no directory {target.parent}")
    if _is_special(target):
        return
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: the directory is not writable")


def write_bytes(path: str | Path, data: bytes, *, parents: bool = False) -> None:
    """Replace `path` by `data` in one step: a temporary file beside it, then a rename; `OutputError` if that fails.

    A failure or an interrupt leaves what was there before and no temporary file; what a kill -9 leaves goes with a later
    write. Links are followed; devices and pipes are written to, not replaced. An existing file keeps its permissions.
    `parents` makes the folder it lies in.
    """
    try:
        if parents:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        check_writable(path)
        target = _resolve(path)
        if _is_special(target):
            with open(target, "wb") as file:
                file.write(data)
            return
        _replace(target, data)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_why(error)}") from None


def write_json(path: str | Path, value: Any) -> None:
    """`write_bytes` of a JSON document for people to read; makes the folder it lies in.

    What is no UTF-8 in names of files is escaped as JSON does, so that a reader has the names again.
    """
    write_bytes(path, (values.dumps(value, indent=1) + "\n").encode(errors="backslashreplace"), parents=True)


def _replace(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:60]}.", suffix=".tmp", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
        _sweep(target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _sweep(target: Path) -> None:
    """Remove what earlier writes of this file left behind, where they were killed: hours old, so nobody is at it."""
    for left in target.parent.glob(f".{glob.escape(target.name[:60])}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def _mode(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _resolve(path: str | Path) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a null byte
        raise OutputError(f"cannot write {path}: {_why(error)}") from None


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

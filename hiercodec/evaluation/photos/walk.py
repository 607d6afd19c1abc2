"""The one walker: what lies in a folder, a tar or a zip, what of it is a photograph, and why the rest is none.

What counts, wherever it lies: a file whose name ends as the formats that we read end, no part of whose path is hidden or
some system's own. Links are followed once. What is passed over is kept by reason, to be said.
"""

from __future__ import annotations

import contextlib
import mimetypes
import os
import posixpath
import stat
import tarfile
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos.stored import UNREADABLE, Stored
from hiercodec.fsio import printable
from hiercodec.images import suffixes

TARS, ZIPS = (".tar",), (".zip",)
PACKED = (*TARS, *ZIPS, ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")

FOLDER_MARKS = (".", "@", "$", "__")
"""What the names of folders begin with that systems keep for themselves: `.ipynb_checkpoints`, `@eaDir`, `$RECYCLE.BIN`,
`__MACOSX`. Of files only the dot says so (`._a.jpg`): anybody may write `@home.jpg`."""
FOLDER_NAMES = frozenset({"#recycle", "#snapshot", "lost+found", "system volume information"})
"""Those that begin as anybody's may."""

HIDDEN = "hidden or a system's own"
OTHER_FORMAT = "pictures of formats that are not read"
ARCHIVE = "archives (give them by name)"
OTHER = "no photographs by their names"
NOWHERE = "links that lead nowhere"
AGAIN = "links to what is there already"
SPECIAL = "no ordinary files"

MAX_LINKS = 40
"""Links that are followed one after another, as systems do."""


@dataclass(slots=True)
class Passed:
    """What was passed over: reason → names, in the order they were met."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, why: str, name: str) -> None:
        """One more; `name` as the system gives it."""
        self.names.setdefault(why, []).append(printable(name))

    def takes(self, name: str) -> bool:
        """Note why the entry of this path is no photograph; false where it is one."""
        if why := reason(name):
            self.add(why, name)
        return bool(why)


def hidden(part: str, *, folder: bool) -> bool:
    """Whether a file or a folder of this name is hidden or a system's own."""
    return part.startswith(FOLDER_MARKS if folder else ".") or (folder and part.lower() in FOLDER_NAMES)


def reason(name: str) -> str:
    """Why a file of this path is no photograph, by the path alone; empty where it is one.

    >>> reason("n01440764/a.JPEG"), reason("__MACOSX/a/b.jpg"), reason("notes.txt")
    ('', "hidden or a system's own", 'no photographs by their names')
    """
    path = PurePosixPath(name)
    if hidden(path.name, folder=False) or any(hidden(part, folder=True) for part in path.parts[:-1]):
        return HIDDEN
    suffix = path.suffix.lower()
    if suffix in suffixes():
        return ""
    if suffix in PACKED:
        return ARCHIVE
    kind = mimetypes.guess_type(f"x{suffix}")[0] or ""
    return OTHER_FORMAT if kind.startswith("image/") or suffix in {".heic", ".heif", ".jxl", ".dng"} else OTHER


def walk(source: Path, passed: Passed) -> list[Stored]:
    """The photographs of a folder, a tar or a zip, in name order; `ConfigError` where it is none of them."""
    suffix = source.suffix.lower() if os.path.isfile(source) else ""
    if os.path.isdir(source):
        photos = _folder(source, passed)
    elif suffix in TARS:
        photos = _tar(source, passed)
    elif suffix in ZIPS:
        photos = _zip(source, passed)
    elif suffix in PACKED:
        raise ConfigError(f"{source} is compressed as a whole, so no photograph in it can be reached alone: unpack it")
    else:
        raise ConfigError(
            f"no photographs at {source}: give a folder, a .tar, a .zip or a list (training: --photos DIR takes your own)"
        )
    return sorted(photos, key=lambda stored: stored.name)


def _folder(root: Path, passed: Passed) -> Iterator[Stored]:
    """Every folder's own files first, then what links lead to: so a photograph has the name of the place where it lies."""
    folders, links, files = deque([("", root)]), deque[tuple[str, Path]](), list[tuple[str, Path]]()
    entered, taken = set[tuple[int, int]](), list[Path]()
    while folders or links:
        prefix, folder = (folders or links).popleft()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                passed.add(AGAIN, prefix)
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise ConfigError(f"cannot open {root}: {error.strerror}") from None
            passed.add(f"folders that cannot be opened, {error.strerror}", prefix)
            continue
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if hidden(entry.name, folder=os.path.isdir(entry.path)):
                passed.add(HIDDEN, name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append((f"{name}/", Path(entry.path)))
            elif entry.is_symlink() and os.path.isdir(entry.path):
                links.append((f"{name}/", Path(entry.path)))
            elif entry.is_symlink():
                files.append((name, Path(entry.path)))
            elif not entry.is_file():
                passed.add(SPECIAL, name)
            elif not passed.takes(name):
                taken.append(Path(entry.path))
                yield Stored(printable(name), Path(entry.path))
    yield from _linked(files, taken, passed)


def _linked(links: list[tuple[str, Path]], taken: list[Path], passed: Passed) -> Iterator[Stored]:
    """The photographs that links to files lead to, but for those that are `taken`."""
    known = set(map(_inode, taken)) if links else set()
    for name, path in links:
        if passed.takes(name):
            continue
        inode = _inode(path)
        if inode is None:
            passed.add(NOWHERE, name)
        elif not path.is_file():
            passed.add(SPECIAL, name)
        elif inode in known:
            passed.add(AGAIN, name)
        else:
            known.add(inode)
            yield Stored(printable(name), path)


def _inode(path: Path) -> tuple[int, int] | None:
    """What names a file under all its names; None where nothing is there, a loop of links, or what may not be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _tar(path: Path, passed: Passed) -> Iterator[Stored]:
    """Uncompressed tars only, so that any photograph can be reached alone. Of members of one name the last counts."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = {_inside(member.name): member for member in tar if not member.isdir()}
            assert tar.fileobj is not None
            tar.fileobj.seek(tar.offset)  # where tarfile met no further member, which may be the end, or damage
            if tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise ValueError(f"it is damaged at byte {tar.offset}")
    except (tarfile.TarError, OSError, ValueError) as error:
        raise ConfigError(f"{path} is not an uncompressed tar that can be read: {error}") from error
    for name, member in members.items():
        if passed.takes(name):
            continue
        held = _target(name, member, members)
        if member.issym() and held is not None and not reason(_inside(held.name)):
            passed.add(AGAIN, name)
        elif held is None:
            passed.add(NOWHERE, name)
        elif not held.isreg() or held.issparse():
            passed.add(SPECIAL, name)
        else:
            yield Stored(printable(name), path, held.offset_data, held.size)


def _target(name: str, member: tarfile.TarInfo, members: dict[str, tarfile.TarInfo]) -> tarfile.TarInfo | None:
    """What a member's links lead to within its tar, itself if it is no link; None where that is nothing."""
    held: tarfile.TarInfo | None = member
    for _ in range(MAX_LINKS):
        if held is None or not (held.islnk() or held.issym()):
            return held
        folder = posixpath.dirname(name) if held.issym() else ""  # a hard link names a member
        name = _inside(posixpath.join(folder, held.linkname))
        held = members.get(name)
    return None


def _zip(path: Path, passed: Passed) -> Iterator[Stored]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except UNREADABLE as error:
        raise ConfigError(f"{path} is not a zip archive that can be read: {error}") from error
    for name, entry in zipped(entries, passed):
        yield Stored(printable(name), path, size=entry.file_size, member=entry.filename)


def zipped(entries: Sequence[zipfile.ZipInfo], passed: Passed) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """(path, entry) of the photographs among a zip's entries. Of entries of one name the last counts."""
    for name, entry in {_zip_name(entry): entry for entry in entries if not entry.filename.endswith("/")}.items():
        if passed.takes(name):
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            passed.add(SPECIAL, name)
        else:
            yield name, entry


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """An entry's path. Archives of macOS hold UTF-8 and do not say so: then it is read again as what it is. Some of
    Windows' part folders by backslashes."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return _inside(name.replace("\\", "/") if entry.create_system == 0 else name)


def _inside(name: str) -> str:
    """A path within an archive as unpacking would make it: neither absolute nor above where it is unpacked."""
    return posixpath.normpath("/" + name.lstrip("/"))[1:]

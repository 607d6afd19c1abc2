"""The one walker: what lies in a folder, a tar or a zip, what of it is a photograph, and why the rest is none.

What counts, wherever it lies: a file whose name ends as the formats that we read end, no part of whose path is hidden or
some system's own. Links are followed once. What is passed over is kept by reason, to be said.
"""

from __future__ import annotations

import mimetypes
import os
import posixpath
import tarfile
import zipfile
from collections import deque
from collections.abc import Iterator
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
    if source.is_dir():
        photos = _folder(source, passed)
    elif source.suffix.lower() in TARS and source.is_file():
        photos = _tar(source, passed)
    elif source.suffix.lower() in ZIPS and source.is_file():
        photos = _zip(source, passed)
    elif source.suffix.lower() in PACKED and source.is_file():
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
    known = {(status.st_dev, status.st_ino) for status in map(Path.stat, taken)} if links else set()
    for name, path in links:
        if passed.takes(name):
            continue
        try:
            status = path.stat()
        except OSError:  # nothing there, or a loop
            passed.add(NOWHERE, name)
            continue
        if not path.is_file():
            passed.add(SPECIAL, name)
        elif (status.st_dev, status.st_ino) in known:
            passed.add(AGAIN, name)
        else:
            known.add((status.st_dev, status.st_ino))
            yield Stored(printable(name), path)


def _tar(path: Path, passed: Passed) -> Iterator[Stored]:
    """Uncompressed tars only, so that any photograph can be reached alone. Of members of one name the last counts."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = {posixpath.normpath(member.name): member for member in tar if not member.isdir()}
    except (tarfile.TarError, OSError, ValueError) as error:
        raise ConfigError(f"{path} is not an uncompressed tar that can be read: {error}") from error
    for name, member in members.items():
        if passed.takes(name):
            continue
        held = _target(name, member, members)
        if member.issym() and held is not None and not reason(posixpath.normpath(held.name)):
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
    for _ in range(len(members)):
        if held is None or not (held.islnk() or held.issym()):
            return held
        folder = posixpath.dirname(name) if held.issym() else ""  # a hard link names a member
        name = posixpath.normpath(posixpath.join(folder, held.linkname))
        held = members.get(name)
    return None


def _zip(path: Path, passed: Passed) -> Iterator[Stored]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except UNREADABLE as error:
        raise ConfigError(f"{path} is not a zip archive that can be read: {error}") from error
    for name, entry in {zip_name(entry): entry for entry in entries if not entry.is_dir()}.items():
        if not passed.takes(name):
            yield Stored(printable(name), path, size=entry.file_size, member=entry.filename)


def zip_name(entry: zipfile.ZipInfo) -> str:
    """An entry's path. Archives of macOS hold UTF-8 and do not say so: then it is read again as what it is."""
    if not entry.flag_bits & 0x800:
        try:
            return posixpath.normpath(entry.filename.encode("cp437").decode("utf-8"))
        except UnicodeError:
            pass
    return posixpath.normpath(entry.filename)

"""Files of measured rows that pages show, the shipped ones and a visitor's own, each read once by the hash of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.results import rows, untrusted
from hiercodec.evaluation.results.rows import HEAVY, Rows
from hiercodec.fsio import locate, read_bytes
from hiercodec.ui.frame import work
from hiercodec.workers import tasks

FOLDER = locate("results")
LIGHT = tuple(name for name in rows.schema().names if name not in HEAVY)


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A file of rows: its title, the SHA-256 of its bytes, and where they are: a path, or what a visitor gave."""

    title: str
    sha256: str
    path: Path | None = None
    given: bytes = field(default=b"", repr=False)

    @classmethod
    def at(cls, path: Path) -> RowsFile:
        """A file of this installation."""
        stat = path.stat()
        return cls(path.stem, _sha(str(path), (stat.st_mtime, stat.st_size)), path)

    @classmethod
    def of(cls, title: str, given: bytes) -> RowsFile:
        """A visitor's file, whose bytes need not be trusted."""
        return cls(title, hashlib.sha256(given).hexdigest(), given=given)

    def data(self) -> bytes:
        """The whole file."""
        return read_bytes(self.path) if self.path else self.given

    def rows(self, columns: Sequence[str] | None = LIGHT) -> Rows:
        """The rows, with some columns or (None) all. Shared between sessions: never change them.

        `InputError` says what is wrong with a file; a visitor's is first read in a process of its own.
        """
        return _read(self.sha256, None if columns is None else tuple(columns), self)

    @property
    def meta(self) -> dict[str, Any]:
        """What the file says of itself."""
        return dict(self.rows().meta)


@st.cache_data(max_entries=64, show_spinner=False)
def _sha(path: str, stamp: tuple[float, int]) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


@st.cache_resource(max_entries=64, show_spinner=False)
def _checked(sha256: str, _file: RowsFile) -> None:
    work.run(tasks.call, untrusted.check, (_file.given, _file.title))


@st.cache_resource(max_entries=12, show_spinner=False)
def _read(sha256: str, columns: tuple[str, ...] | None, _file: RowsFile) -> Rows:
    if _file.path is None:
        _checked(sha256, _file)
    return rows.decode(_file.data(), name=_file.title, columns=columns)


def shipped() -> dict[str, RowsFile]:
    """Title → file that ships: those with judges first, then the larger; what cannot be read is as if it were not there."""
    found = {}
    for path in sorted(FOLDER.glob("*.parquet")):
        file = RowsFile.at(path)
        try:
            size = file.rows()
        except HiercodecError:
            continue  # of another version, or damaged
        found[file.title] = (not size.judges, -len(size)), file
    return {title: file for title, (_, file) in sorted(found.items(), key=lambda row: row[1][0])}


def called(file: RowsFile) -> str:
    """What menus call a file, and addresses carry."""
    return labels(shipped() | {file.title: file})[file.title]


def labels(found: Mapping[str, RowsFile]) -> dict[str, str]:
    """Title → what menus call a file, and addresses carry: its data set, or its title where two have the same."""
    names = {title: str((file.meta.get("data") or {}).get("name") or title) for title, file in found.items()}
    plain = [name for title, name in names.items() if found[title].path]
    return {title: name if found[title].path and plain.count(name) == 1 else title for title, name in names.items()}

"""Files of measured rows that pages show, the shipped ones and a visitor's own, and what is worked out from them, each once
by the hash of a file's bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.results import bjontegaard, rows, table, untrusted
from hiercodec.evaluation.results.bjontegaard import Delta
from hiercodec.evaluation.results.rows import HEAVY, Rows
from hiercodec.evaluation.results.table import Table
from hiercodec.fsio import locate, read_bytes
from hiercodec.taxonomy import Hierarchy
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


# ---- a visitor's own, and what is worked out ---------------------------------------------------------------------------
OWN, OPENED = "results_own", "results_opened"
"""Where the session keeps files of rows, and curves of other people, that the visitor opened."""

SEEN = ("psnr", "ms_ssim")
"""Measures of the picture, which photographs have without labels."""

MAX_OWN = 4
"""Results files of the visitor's own that a session keeps."""

OWN_TITLE = "Yours: {}"


def own() -> dict[str, RowsFile]:
    """Results files that the visitor opened in this session, by their titles."""
    return st.session_state.setdefault(OWN, {})


def add_own(name: str, data: bytes) -> str:
    """Keep a visitor's results file for the session; its title. `InputError` where it holds no rows that can be shown."""
    title = OWN_TITLE.format(name[:60])
    if title not in own() and len(own()) >= MAX_OWN:
        raise InputError(f"{MAX_OWN} files are open already; load the page anew to begin again")
    given = RowsFile.of(title, data)
    given.rows()
    own()[title] = given
    return title


def sources() -> dict[str, RowsFile]:
    """Title → results file: the shipped ones (photographs with labels first), then the visitor's own."""
    return shipped() | own()


def tables(source: RowsFile, judge: str, tree: Hierarchy | None = None) -> dict[str, Table]:
    """Codec → its table by a judge; read in `tree`, or in the file's own hierarchy (None). Raises `InputError`."""
    return _tables(source.sha256, judge, tree.digest if tree else None, source, tree)


@st.cache_resource(max_entries=12, show_spinner=False)
def _tables(
    sha256: str, judge: str, digest: str | None, _source: RowsFile, _tree: Hierarchy | None
) -> dict[str, Table]:
    return table.tables(_source.rows(LIGHT if _tree is None else None), judge, _tree)


@st.cache_data(max_entries=24, show_spinner=False)
def gaps(
    key: str, codecs: tuple[str, ...], ours: str, measures: tuple[str, ...], rate: bool, _tables: Mapping[str, Table]
) -> list[Delta]:
    """How much more of every measure `ours` has than each other codec at equal rates, or (`rate`) how many more bytes.

    `key` and the names of codecs say what `_tables` hold.
    """
    compare = bjontegaard.rate_at_equal if rate else bjontegaard.at_equal_rate
    others = [name for name in codecs if name != ours]
    told, seen = [m for m in measures if m not in SEEN], [m for m in measures if m in SEEN]
    return [row for name in others for part in (told, seen) for row in compare(_tables[ours], _tables[name], part)]

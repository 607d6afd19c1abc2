"""Results files the page can show, and what is worked out from them, cached by the SHA-256 of the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation import curves, deltas, foreign, rows
from hiercodec.evaluation.curves import Cells
from hiercodec.evaluation.rows import HEAVY, Rows
from hiercodec.fsio import locate, read_bytes
from hiercodec.taxonomy import Hierarchy, load_hierarchy
from hiercodec.taxonomy.ladder import load_ladder
from hiercodec.ui.frame import work
from hiercodec.workers import tasks

FOLDER = locate("results")
OWN = "evaluate_own"
SEEN = ("psnr", "ms_ssim")
"""Measures of the picture, which photographs have without labels."""

MAX_OWN = 4
"""Results files of the visitor's own that a session keeps."""

OWN_TITLE = "Yours: {}"
LIGHT = tuple(name for name in rows.schema().names if name not in HEAVY)


@dataclass(frozen=True, slots=True)
class Source:
    """A results file: what the menu calls it, and its bytes, by their hash."""

    title: str
    sha256: str
    path: Path | None = None

    def data(self) -> bytes:
        """The whole file."""
        return read_bytes(self.path) if self.path else own()[self.title]

    def rows(self, *, heavy: bool = False) -> Rows:
        """The rows; with all stored probabilities if `heavy`. Shared between sessions: never change them."""
        return _read(self.sha256, heavy, self)

    @property
    def meta(self) -> dict[str, Any]:
        """What the file says of itself."""
        return dict(self.rows().meta)


@st.cache_data(max_entries=64, show_spinner=False)
def _sha(path: str, stamp: tuple[float, int]) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


@st.cache_resource(max_entries=12, show_spinner=False)
def _read(sha256: str, heavy: bool, _source: Source) -> Rows:
    if _source.path is None:
        return foreign.open_rows(_source.data(), name=_source.title)
    return rows.decode(_source.data(), name=_source.path.name, columns=None if heavy else LIGHT)


def labels(found: Mapping[str, Source]) -> dict[str, str]:
    """Title → what the menu calls a file, and the address carries: its data set, or its title where two have the same."""
    names = {title: str((source.meta.get("data") or {}).get("name") or title) for title, source in found.items()}
    plain = [name for title, name in names.items() if found[title].path]
    return {title: name if found[title].path and plain.count(name) == 1 else title for title, name in names.items()}


def own() -> dict[str, bytes]:
    """Results files that the visitor opened in this session, by their titles."""
    return st.session_state.setdefault(OWN, {})


def add_own(name: str, data: bytes) -> str:
    """Keep a visitor's results file for the session; its title. `InputError` where it holds no rows that can be shown."""
    title = OWN_TITLE.format(name[:60])
    if title not in own() and len(own()) >= MAX_OWN:
        raise InputError(f"{MAX_OWN} files are open already; load the page anew to begin again")
    work.run(tasks.call, foreign.check, (data, name))
    own()[title] = data
    return title


def sources() -> dict[str, Source]:
    """Title → results file: the shipped ones (photographs with labels first), then the visitor's own."""
    found = {}
    for path in sorted(FOLDER.glob("*.parquet")):
        stat = path.stat()
        source = Source(path.stem, _sha(str(path), (stat.st_mtime, stat.st_size)), path)
        try:
            source.rows()
        except HiercodecError:
            continue  # of another version, or damaged: as if it were not there
        found[path.stem] = source
    titles = sorted(found, key=lambda name: (not found[name].rows().judges, -len(found[name].rows())))
    shipped = {name: found[name] for name in titles}
    return shipped | {title: Source(title, hashlib.sha256(data).hexdigest()) for title, data in own().items()}


def cells(source: Source, judge: str, tree: Hierarchy | None = None) -> dict[str, Cells]:
    """Codec → its cells; read in `tree`, or in the file's own hierarchy (None)."""
    return _cells(source.sha256, judge, tree.digest if tree else None, source, tree)


@st.cache_resource(max_entries=12, show_spinner=False)
def _cells(sha256: str, judge: str, digest: str | None, _source: Source, _tree: Hierarchy | None) -> dict[str, Cells]:
    return curves.tabulate(_source.rows(heavy=_tree is not None), judge, _tree.levels if _tree else ())


def hierarchy(source: Source) -> Hierarchy | None:
    """The hierarchy a file was measured with, if this installation has it unchanged."""
    said = source.meta["provenance"]
    try:
        tree = load_hierarchy(str(said.get("hierarchy")))
    except HiercodecError:
        return None
    return tree if tree.digest == said.get("hierarchy_digest") else None


@st.cache_data(max_entries=24, show_spinner=False)
def gaps(
    key: str, codecs: tuple[str, ...], ours: str, measures: tuple[str, ...], rate: bool, _cells: Mapping[str, Cells]
) -> list[deltas.Delta]:
    """How much more of every measure `ours` has than each other codec at equal rates, or (`rate`) how many more bytes.

    `key` and the names of codecs say what `_cells` hold.
    """
    compare = deltas.rate_at_equal if rate else deltas.at_equal_rate
    others = [name for name in codecs if name != ours]
    told, seen = [m for m in measures if m not in SEEN], [m for m in measures if m in SEEN]
    return [row for name in others for part in (told, seen) for row in compare(_cells[ours], _cells[name], part)]


@st.cache_resource(max_entries=12, show_spinner=False)
def rung_cells(sha256: str, judge: str, embedding: str, codec: str, _source: Source) -> dict[str, Cells]:
    """Cells of a codec and of the original at every rung of a ladder, levels "2" to "1000"."""
    rows = _source.rows(heavy=True).of(codec=[codec, curves.ORIGINAL])
    return curves.tabulate(rows, judge, curves.rungs(load_ladder(embedding)))

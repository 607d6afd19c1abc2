"""Results files the page can show, and what is worked out from them, cached by the SHA-256 of the file."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation import curves, deltas
from hiercodec.evaluation.curves import Cells
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.ladder import load_ladder
from hiercodec.ui.results import files
from hiercodec.ui.results.files import LIGHT, RowsFile

OWN = "evaluate_own"
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
    return files.shipped() | own()


def cells(source: RowsFile, judge: str, tree: Hierarchy | None = None) -> dict[str, Cells]:
    """Codec → its cells; read in `tree`, or in the file's own hierarchy (None)."""
    return _cells(source.sha256, judge, tree.digest if tree else None, source, tree)


@st.cache_resource(max_entries=12, show_spinner=False)
def _cells(sha256: str, judge: str, digest: str | None, _source: RowsFile, _tree: Hierarchy | None) -> dict[str, Cells]:
    return curves.tabulate(_source.rows(LIGHT if _tree is None else None), judge, _tree.levels if _tree else ())


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
def rung_cells(sha256: str, judge: str, embedding: str, codec: str, _source: RowsFile) -> dict[str, Cells]:
    """Cells of a codec and of the original at every rung of a ladder, levels "2" to "1000"."""
    rows = _source.rows(None).of(codec=[codec, curves.ORIGINAL])
    return curves.tabulate(rows, judge, curves.rungs(load_ladder(embedding)))

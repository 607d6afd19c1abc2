"""Results files the page can show, and what is worked out from them, cached by the SHA-256 of the file."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.results import bjontegaard, table
from hiercodec.evaluation.results.bjontegaard import Delta
from hiercodec.evaluation.results.table import Table
from hiercodec.taxonomy import Hierarchy
from hiercodec.ui.results import files
from hiercodec.ui.results.files import LIGHT, RowsFile

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
    return files.shipped() | own()


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

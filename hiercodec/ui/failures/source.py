"""Whose failures: a file of rows that ships, a visitor's own file or photographs; and which codec, judge, cut and level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.photos.lookup import picture
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.summary import counted
from hiercodec.evaluation.results.table import COLUMNS, Table, counts, tables
from hiercodec.images import encode_png
from hiercodec.levels import DEFAULT_MODEL, spoken
from hiercodec.taxonomy import Hierarchy
from hiercodec.ui.failures import own
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import files
from hiercodec.ui.results.files import RowsFile

OWN = "Your own …"
RESULT, CODEC, JUDGE, CUT, LEVEL, BY = "rows", "codec", "judge", "cut", "of", "by"
"""Keys of the widgets, and what the address calls them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows under a name, with an identity for caches; `thumbnail` and `picture` say what a photograph looks like, if known.

    `thumbnail(photo, setting)` is an image file of the decoded picture or of the original, `picture(photo)` the PNG that
    was encoded; both None where the picture is not at hand.
    """

    name: str
    identity: str
    rows: Rows
    thumbnail: Callable[[str, str], bytes | None]
    picture: Callable[[str], bytes | None]

    @property
    def has_pictures(self) -> bool:
        """Whether the first photograph's picture is at hand."""
        return self.picture(str(self.rows.frame["photo"].iloc[0])) is not None


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: the rows, one codec's answers by one judge, the level and the cut in question, and the level
    by whose groups photographs are told apart (`by`)."""

    source: Source
    table: Table
    level: int
    cut: int
    by: int

    @property
    def level_name(self) -> str:
        """Kind, family or class."""
        return spoken(self.table.tree.names[self.level])

    @property
    def groups(self) -> tuple[str, ...]:
        """Labels of the groups that photographs are told apart by."""
        return self.table.tree.levels[self.by].labels

    def other(self, *, codec: str | None = None, judge: str | None = None) -> Table:
        """The table of another codec or judge of the same rows. Raises `InputError`."""
        return table_of(self.source, codec or self.table.codec, judge or self.table.judge)


# ---- rows --------------------------------------------------------------------------------------------------------------
@st.cache_resource(max_entries=12, show_spinner=False)
def _tables(identity: str, judge: str, _rows: Rows) -> dict[str, Table]:
    return tables(_rows, judge, _hierarchy(_rows))


def _hierarchy(rows: Rows) -> Hierarchy:
    """The shipped hierarchy that rows were read in; `InputError` where this installation has no such one."""
    said = rows.meta.get("provenance") or {}
    name = str(said.get("hierarchy"))
    tree = cached.load_hierarchy(name) if name in cached.hierarchy_names() else None
    if tree is None or tree.digest != said.get("hierarchy_digest") or list(tree.ks) != list(rows.levels.values()):
        raise InputError(f"these rows were read in a hierarchy that is not installed here ({name[:60]!r})")
    return tree


def tables_of(source: Source, judge: str) -> dict[str, Table]:
    """Codec → its table by a judge, kept; the uncompressed photographs apart. Raises `InputError`."""
    found = _tables(source.identity, judge, source.rows)
    return {codec: table for codec, table in found.items() if codec != ORIGINAL}


def table_of(source: Source, codec: str, judge: str) -> Table:
    """The table of a judge on a codec. Raises `InputError`."""
    found = tables_of(source, judge)
    if codec not in found:
        raise InputError(f"no photograph has all settings of {codec}, judged by {judge}")
    return found[codec]


def choose() -> str:
    """Whose failures, from a box: the title of a file of rows that ships, or OWN."""
    found = files.shipped()
    called = {OWN: OWN, **files.labels(found)}
    return chrome.menu("Results", RESULT, [*found, OWN], width=260, format_func=called.__getitem__)


def opened(title: str) -> Source | None:
    """What `choose` named; None (with words on the page) where the visitor gave nothing yet. Raises `InputError`."""
    return _own() if title == OWN else source_of(files.shipped()[title])


def source_of(file: RowsFile) -> Source:
    """The rows of a file, with pictures where their data set is at hand. Raises `InputError`."""
    rows = file.rows(COLUMNS)
    crop = rows.meta.get("crop")

    def png(photo: str) -> bytes | None:
        rgb = picture(photo, int(crop) if crop else None)
        return None if rgb is None else encode_png(rgb)

    return Source(file.title, file.sha256, rows, lambda photo, setting: png(photo), png)


def _own() -> Source | None:
    given = own.choose()
    if isinstance(given, own.Gallery):
        return Source(OWN, given.identity, given.rows, given.thumbnail, given.picture)
    return given and source_of(RowsFile.of(*given))


# ---- codec, judge, cut, level ------------------------------------------------------------------------------------------
def view(source: Source) -> View | None:
    """What to look at in the rows; None (with words on the page) where they hold no answers."""
    rows = source.rows
    if not rows.judges or not rows.codecs:
        chrome.empty("These rows hold no answers of a classifier, so nothing in them can be wrong.")
        return None
    codec = chrome.menu("Codec", CODEC, rows.codecs, default=DEFAULT_MODEL, width=150)
    judge = chrome.menu("Judge", JUDGE, rows.judges, width=150, help="The classifier whose answers are looked at.")
    try:
        found = table_of(source, codec, judge)
    except InputError as error:
        chrome.empty(str(error))
        return None
    over = counts(rows, tables_of(source, judge))
    if over["photos"] < over["of"]:
        chrome.notice("info", f"{counted(over)}: so all figures of this file are over the same ones.")
    cut = _cut(found)
    names = [spoken(name) for name in found.tree.names]
    level = chrome.menu(
        "Right at", LEVEL, names, default=names[-1], width=120, help="The level whose answers count as right or wrong."
    )
    groups = names[:-1] or names
    by = chrome.menu(
        "Groups", BY, groups, width=120, help="The groups to filter by, and those of “Confusion” and “Groups”."
    )
    return View(source, found, names.index(level), cut, groups.index(by))


def _cut(found: Table) -> int:
    """At how many bytes: a slider over the cuts, which opens where the first level ends."""
    named = {cut_name(found, cut): cut for cut in range(len(found.settings))}
    labels = list(named)
    if CUT in st.session_state and st.session_state[CUT] not in labels:
        del st.session_state[CUT]
    first = next((i for i, setting in enumerate(found.settings) if setting in found.tree.names), len(labels) // 2)
    chosen = st.select_slider("Cut", labels, value=labels[first], key=CUT, bind="query-params", width=320)
    return named[chosen]


def cut_name(found: Table, cut: int) -> str:
    """A cut in words: "8.5%", or "kind whole" where a level ends."""
    setting = found.settings[cut]
    return f"{spoken(setting)} whole" if setting in found.tree.names else setting


def mean_bytes(found: Table, cut: int) -> str:
    """The mean size of a cut, in words."""
    return f"{np.mean(found.bytes[:, cut]):,.0f} bytes"


def provenance(view: View) -> dict[str, Any]:
    """What the footer says of the rows."""
    meta, found = view.source.rows.meta, view.table
    facts = meta.get("provenance") or {}
    judge = (facts.get("judges") or {}).get(found.judge) or {}
    in_loss = (judge.get("in_loss") or {}).get(found.codec)
    seen = "" if in_loss is None else f", {'sat' if in_loss else 'never'} in this codec's loss"
    known = (
        "the class that is known" if found.labelled else "where no class is known, the judge's answer on the original"
    )
    return {
        "photographs": f"{len(found)} of {(meta.get('data') or {}).get('name', view.source.name)}",
        "right is": known,
        "judge": found.judge + seen,
        "hierarchy": found.tree.name,
        "crop": meta.get("crop"),
        "command": meta.get("command"),
    }

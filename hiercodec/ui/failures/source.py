"""Whose failures: samples under stress, rows that ship, a visitor's own; and which codec, judge, cut and level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.photos.lookup import picture
from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.summary import counted
from hiercodec.evaluation.results.table import COLUMNS, Table, counts, tables
from hiercodec.evaluation.stress import STRESSES, split
from hiercodec.fsio import locate
from hiercodec.images import encode_png
from hiercodec.levels import spoken
from hiercodec.report.links import title as tree_title
from hiercodec.report.measured import cut_name
from hiercodec.taxonomy import Hierarchy
from hiercodec.ui.failures import own
from hiercodec.ui.failures.own import OWN, Source
from hiercodec.ui.frame import cached, chrome, work
from hiercodec.ui.results import files
from hiercodec.ui.results.files import RowsFile
from hiercodec.workers import gallery

STRESSED = "Samples under stress"
STRESS = locate("samples", "stress.parquet")
RESULT, CODEC, JUDGE, CUT, LEVEL, BY = "rows", "codec", "judge", "cut", "of", "by"
"""Keys of the widgets, and what the address calls them."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: the rows, one codec's answers by one judge, the level and the cut in question."""

    source: Source
    table: Table
    level: int
    cut: int

    @property
    def level_name(self) -> str:
        """Kind, family or class."""
        return spoken(self.table.tree.names[self.level])

    @property
    def right(self) -> str:
        """What a right answer is called: where nobody knows what is right, an answer can only be as on the original."""
        return "right" if self.table.labelled else "as on the original"

    @property
    def wrong(self) -> str:
        """What any other answer is called."""
        return "wrong" if self.table.labelled else "another than on the original"


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


def choose() -> Source | None:
    """Whose failures, from a menu; None (with words on the page) where the visitor gave nothing yet. Raises `InputError`.

    It opens on measured photographs where their pictures are at hand, else on the samples under stress.
    """
    found = files.shipped()
    called = {OWN: OWN, STRESSED: STRESSED, **files.labels(found)}
    ready = [STRESSED] if STRESS.is_file() else []
    first = next(iter(found), None)
    options = [*found, *ready, OWN] if first and _of_file(found[first]).pictured else [*ready, *found, OWN]
    chosen = chrome.menu("Photographs", RESULT, options, width=210, format_func=called.__getitem__)
    if chosen == STRESSED:
        return _under_stress()
    return _own() if chosen == OWN else _of_file(found[chosen])


def _of_file(file: RowsFile) -> Source:
    """The rows of a file, with pictures where their data set is at hand. Raises `InputError`."""
    rows = file.rows(COLUMNS)
    crop = rows.meta.get("crop")

    def png(photo: str) -> bytes | None:
        rgb = picture(photo, int(crop) if crop else None)
        return None if rgb is None else encode_png(rgb)

    pictured = len(rows) > 0 and picture(str(rows.frame["photo"].iloc[0])) is not None
    return Source(file.title, file.sha256, rows, lambda photo, setting: png(photo), png, pictured)


def _own() -> Source | None:
    with st.container(width="stretch"):
        given = own.choose()
    return _of_file(RowsFile.of(*given)) if isinstance(given, tuple) else given


# ---- samples under stress ----------------------------------------------------------------------------------------------
def _under_stress() -> Source:
    file = RowsFile.at(STRESS)
    return Source(STRESSED, file.sha256, file.rows(COLUMNS), _small, _stressed, True)


def _small(photo: str, setting: str) -> bytes | None:
    name, stress = split(photo)
    return _pictures(name)[stress]


@st.cache_data(max_entries=40, show_spinner="Putting the photographs under stress …")
def _pictures(sample_id: str) -> dict[str, bytes]:
    """Stress → a small picture of a sample under it."""
    return work.run(gallery.pictures_under_stress, sample(sample_id).pixels(), STRESSES)


def _stressed(photo: str) -> bytes:
    name, stress = split(photo)
    return work.run(gallery.under_stress, sample(name).pixels(), stress)


# ---- codec, judge, cut, level ------------------------------------------------------------------------------------------
def pick(*, level: bool = False) -> View | None:
    """Menus of photographs, codec, judge, cut and (with `level`) level; None, with words, where there are no answers."""
    with chrome.controls():
        source = choose()
        if source is None:
            return None
        rows = source.rows
        if not rows.judges or not rows.codecs:
            chrome.empty("These rows hold no answers of a classifier, so nothing in them can be wrong.")
            return None
        codecs = [name for name in rows.codecs if name != ORIGINAL]
        codec, judge = codecs[0], rows.judges[0]
        if len(codecs) > 1:
            codec = chrome.menu("Codec", CODEC, codecs, width=130, format_func=title)
        if len(rows.judges) > 1:
            judge = chrome.menu("Judge", JUDGE, rows.judges, width=130, format_func=lambda n: n.removeprefix("timm:"))
        judged = tables_of(source, judge)
        if codec not in judged:
            chrome.empty(f"No photograph has all settings of {title(codec)}, judged by {judge}.")
            return None
        found = judged[codec]
        cut = _cut(found)
        names = [spoken(name) for name in found.tree.names]
        at = names[-1]
        if level:
            at = chrome.menu("Level", LEVEL, names, default=names[-1], width=110)
    over = counts(rows, judged)
    if over["photos"] < over["of"]:
        chrome.notice("info", f"{counted(over)}: so all figures of this file are over the same ones.")
    return View(source, found, names.index(at), cut)


def _cut(found: Table) -> int:
    """At how many bytes: a slider over the cuts, which opens where the first level ends."""
    named = {cut_name(setting, found.tree.names): cut for cut, setting in enumerate(found.settings)}
    labels = list(named)
    if CUT in st.session_state and st.session_state[CUT] not in labels:
        del st.session_state[CUT]
    first = next((i for i, setting in enumerate(found.settings) if setting in found.tree.names), len(labels) // 2)
    if len(labels) == 1:
        return 0
    chosen = st.select_slider("Cut", labels, value=labels[first], key=CUT, bind="query-params", width=220)
    return named[chosen]


def mean_bytes(found: Table, cut: int) -> str:
    """The mean size of a cut, in words."""
    return f"{np.mean(found.bytes[:, cut]):,.0f} bytes"


def footer(view: View | None) -> None:
    """Where the rows come from, and how they were measured."""
    if view is None:
        chrome.footer()
        return
    meta, found = view.source.rows.meta, view.table
    facts: dict[str, Any] = meta.get("provenance") or {}
    judge = (facts.get("judges") or {}).get(found.judge) or {}
    in_loss = (judge.get("in_loss") or {}).get(found.codec)
    seen = "" if in_loss is None else f", {'sat' if in_loss else 'never'} in this codec's loss"
    chrome.reproduce(meta.get("command"))
    chrome.footer(
        {
            "photographs": f"{len(found)} of {(meta.get('data') or {}).get('name', view.source.name)}",
            "judge": found.judge.removeprefix("timm:") + seen,
            "groups": tree_title(found.tree.name),
            "crop": meta.get("crop"),
        }
    )

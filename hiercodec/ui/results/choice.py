"""What the page shows: results file, judge, hierarchy, codecs, rate. The address carries every choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results.curves import Curve, curve
from hiercodec.evaluation.results.summary import counted
from hiercodec.evaluation.results.table import Table, counts, right
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.groups import shared
from hiercodec.ui.results import data
from hiercodec.ui.results.files import RowsFile, labels

RATES = (0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
AT = 0.2
MEASURED = "as measured"
ALONE = "none"
AT_FIRST = 6
"""How many codecs are drawn before anybody chooses: more than that are hard to tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is to be drawn: `tables` of every codec of the file (and of the one beside it), `shown` the codecs chosen.

    `levels` are names and numbers of groups, coarse first; empty without a judge. `tree` is None for the file's own
    hierarchy. `looks` numbers the codecs for their colours, `names` are what people read.
    """

    source: RowsFile
    meta: Mapping[str, Any]
    judge: str
    sat: bool | None
    tree: Hierarchy | None
    levels: Mapping[str, int]
    tables: Mapping[str, Table]
    shown: tuple[str, ...]
    looks: Mapping[str, int]
    names: Mapping[str, str]
    at: float
    log: bool

    @property
    def ours(self) -> str:
        """The codec that the others are compared with: the first of our models, else the first of all."""
        models = self.meta["provenance"].get("models") or {}
        return next((name for name in self.looks if name in models), next(iter(self.looks)))

    @property
    def original(self) -> Table | None:
        """The uncompressed photographs."""
        return self.tables.get(ORIGINAL)

    def curves(self, measure: str) -> list[Curve]:
        """The curves of the codecs shown, of those that have the measure."""
        return [curve(self.tables[name], measure) for name in self.shown if self.tables[name].has(measure)]

    def levels_of(self, codec: str) -> dict[str, Curve]:
        """Spoken level → how often `codec` is right there."""
        return {spoken(level): curve(self.tables[codec], right(level)) for level in self.levels}

    def whole(self, measure: str) -> float | None:
        """The measure's mean over the uncompressed photographs."""
        if self.original is None or not self.original.has(measure):
            return None
        return float(curve(self.original, measure).mean[0])

    @property
    def pixels(self) -> float | None:
        """Pixels of a photograph, where all were cropped to one size."""
        crop = self.meta.get("crop")
        return float(crop) ** 2 if isinstance(crop, int) else None

    @property
    def key(self) -> str:
        """Names this choice of figures, for the keys of charts."""
        return f"{self.source.sha256[:8]}_{self.judge}_{self.tree.digest[:8] if self.tree else ''}"


def pick(found: Mapping[str, RowsFile]) -> Choice:
    """Draw the controls; what they say. Values of the address that do not exist count as nothing."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        called = labels(found)
        source = found[chrome.menu("Results", "rows", list(found), width=260, format_func=called.__getitem__)]
        rows = source.rows()
        sat = words.judges_of(rows.meta, rows.judges, cached.models()) if rows.judges else {"": None}
        judge = chrome.menu(
            "Judge", "judge", list(sat), width=200, format_func=lambda name: _judge_title(name, sat[name])
        )
        trees = [MEASURED, *shared.names(imagenet_only=True)] if judge else [MEASURED]
        measured = str(rows.meta["provenance"].get("hierarchy") or "none")
        tree = chrome.menu(
            "Groups", "groups", trees, width=320,
            format_func=lambda name: f"{shared.title(measured)} (as measured)" if name == MEASURED else shared.title(name),
        )  # fmt: skip
        at = st.select_slider("At (bit/pixel)", RATES, value=AT, key="at", bind="query-params", width=200)
        log = st.toggle("Stretch low rates", key="log", bind="query-params", help="A logarithmic axis of rates.")
    hierarchy = shared.get(tree) if tree != MEASURED and shared.get(tree).class_set == IMAGENET else None
    try:
        tables = dict(data.tables(source, judge, hierarchy))
    except InputError as error:
        chrome.empty(f"These results cannot be shown: {error}.")
        chrome.footer()
        st.stop()
    over = counts(rows, tables)
    if over["photos"] < over["of"] or over["left_out"]:
        chrome.notice("info", f"Over {counted(over)}.")
    codecs = [name for name in tables if name != ORIGINAL]
    models = list(rows.meta["provenance"].get("models") or {})
    names = {name: words.title(name, models) for name in tables}
    levels = {level.name: level.k for level in hierarchy.levels} if hierarchy else rows.levels if judge else {}
    choice = Choice(
        source, rows.meta, judge, sat[judge], hierarchy, levels, tables, (),
        {name: i for i, name in enumerate(codecs)}, names, at, False,
    )  # fmt: skip
    choice = _beside(choice, found)
    options = list(choice.looks)
    first = [name for name in options if ":" not in name][:AT_FIRST] or options[:AT_FIRST]
    if "codecs" in st.session_state:  # of another file
        st.session_state["codecs"] = [name for name in st.session_state["codecs"] if name in options] or first
    shown = st.pills(
        "Codecs", options, selection_mode="multi", default=first, key="codecs", bind="query-params",
        format_func=lambda name: choice.names[name],
    )  # fmt: skip
    return replace(choice, shown=tuple(shown or first), log=log)


def _judge_title(name: str, sat: bool | None) -> str:
    short = name.removeprefix("timm:") or "nobody"
    if sat is False or not name:
        return short
    return f"{short} ({'sat' if sat else 'may have sat'} in the loss)"


def _beside(choice: Choice, found: Mapping[str, RowsFile]) -> Choice:
    """The choice with the codecs of a second results file, by the same judge, where one is asked for."""
    asked = st.session_state.get("beside", ALONE)
    if asked not in found or found[asked].sha256 == choice.source.sha256:
        return choice
    other = found[asked]
    judge = choice.judge if choice.judge in other.rows().judges else next(iter(other.rows().judges), "")
    more = {
        f"{name} · {asked}": replace(table, codec=f"{name} · {asked}")
        for name, table in data.tables(other, judge, choice.tree).items()
        if name != ORIGINAL
    }
    models = list(other.meta["provenance"].get("models") or {})
    names = {key: f"{words.title(key.partition(' · ')[0], models)}, {labels(found)[asked]}" for key in more}
    tables = {**choice.tables, **more}
    return replace(
        choice,
        tables=tables,
        looks={name: i for i, name in enumerate(name for name in tables if name != ORIGINAL)},
        names={**choice.names, **names},
    )

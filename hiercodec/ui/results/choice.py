"""What a view shows: results file, judge, groups. The address carries every choice; each view draws the menus it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hiercodec.evaluation.codecs.peers import places, title
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
from hiercodec.ui.results import exchange, files
from hiercodec.ui.results.files import RowsFile, labels

RATES = (0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
AT = 0.2
MEASURED = "as measured"
AT_FIRST = 6
"""How many codecs are drawn before anybody chooses: more than that are hard to tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is to be drawn: `tables` of every codec of the file, their numbers (`looks`) for colours and marks.

    `levels` are names and numbers of groups, coarse first; empty without a judge. `tree` is None for the file's own
    hierarchy.
    """

    source: RowsFile
    meta: Mapping[str, Any]
    judge: str
    sat: bool | None
    tree: Hierarchy | None
    levels: Mapping[str, int]
    tables: Mapping[str, Table]
    looks: Mapping[str, int]

    @property
    def codecs(self) -> list[str]:
        """All but the uncompressed photographs."""
        return [name for name in self.tables if name != ORIGINAL]

    @property
    def ours(self) -> str:
        """The codec that the others are compared with: the first of our models, else the first of all."""
        models = self.meta["provenance"].get("models") or {}
        return next((name for name in self.codecs if name in models), self.codecs[0])

    def levels_of(self, codec: str) -> dict[str, Curve]:
        """Spoken level → how often `codec` is right there."""
        return {spoken(level): curve(self.tables[codec], right(level)) for level in self.levels}

    def whole(self, measure: str) -> float | None:
        """The measure's mean over the uncompressed photographs."""
        original = self.tables.get(ORIGINAL)
        return float(curve(original, measure).mean[0]) if original is not None and original.has(measure) else None

    @property
    def pixels(self) -> float | None:
        """Pixels of a photograph, where all were cropped to one size."""
        crop = self.meta.get("crop")
        return float(crop) ** 2 if isinstance(crop, int) else None

    @property
    def key(self) -> str:
        """Names this choice of figures, for the keys of charts."""
        return f"{self.source.sha256[:8]}_{self.judge}_{self.tree.digest[:8] if self.tree else ''}"

    def footer(self) -> None:
        """Where the rows come from, and how to measure them again."""
        about, provenance = self.meta.get("data") or {}, self.meta["provenance"]
        chrome.reproduce(self.meta.get("command"))
        models = ", ".join(f"{name} {mark}" for name, mark in (provenance.get("models") or {}).items())
        chrome.footer(
            {
                "rows": f"{words.plain(about.get('name', self.source.title))}, {about.get('photos', '?')} photographs",
                "sha256": self.source.sha256[:12],
                "models": words.plain(models),
                "groups": words.plain(self.tree.name if self.tree else shared.title(_measured_in(self.meta))),
            }
        )


def _measured_in(meta: Mapping[str, Any]) -> str:
    return str(meta["provenance"].get("hierarchy") or "none")


def source() -> RowsFile:
    """The menu of results files; where there is none, how to make one, and the page ends."""
    found = files.sources()
    if not found:
        chrome.empty(
            "No measured rows are shipped. Measure photographs of your own, then open the file here.",
            how="python -m hiercodec evaluate DATASET --out mine.parquet",
        )
        exchange.upload()
        chrome.footer()
        st.stop()
    return found[chrome.menu("Results", "rows", list(found), width=200, format_func=labels(found).__getitem__)]


def pick(*, regroup: bool = True) -> Choice:
    """Menus of file, judge and groups (with `regroup`), as far as there is a choice. To be called in a row.

    `InputError` where these rows cannot be read so.
    """
    file = source()
    rows = file.rows()
    sat = words.judges_of(rows.meta, rows.judges, cached.models()) if rows.judges else {"": None}
    judge, tree = "", MEASURED
    if rows.judges:
        judge = chrome.menu(
            "Judge", "judge", list(sat), width=140, format_func=lambda name: judge_title(name, sat[name])
        )
    if rows.judges and regroup:
        measured, digest = _measured_in(rows.meta), rows.meta["provenance"].get("hierarchy_digest")
        others = shared.names(imagenet_only=True)
        if measured in others and shared.get(measured).digest == digest:
            others.remove(measured)  # it has the same groups under the same name
        tree = chrome.menu(
            "Groups", "groups", [MEASURED, *others], width=200,
            format_func=lambda name: shared.title(measured if name == MEASURED else name),
        )  # fmt: skip
    hierarchy = shared.get(tree) if tree != MEASURED and shared.get(tree).class_set == IMAGENET else None
    tables = files.tables(file, judge, hierarchy)
    levels = {level.name: level.k for level in hierarchy.levels} if hierarchy else rows.levels if judge else {}
    looks = places(name for name in tables if name != ORIGINAL)
    return Choice(file, rows.meta, judge, sat[judge], hierarchy, levels, tables, looks)


def notices(choice: Choice) -> None:
    """Who judged where that judge is no outsider, and over how many photographs where not over all."""
    if choice.judge and choice.sat is not False:
        chrome.notice("warning", words.judge(choice.judge, choice.sat))
    over = counts(choice.source.rows(), choice.tables)
    if over["photos"] < over["of"] or over["left_out"]:
        chrome.notice("info", f"Over {counted(over)}.")


def shown(choice: Choice) -> list[str]:
    """The codecs that the visitor wants drawn."""
    options = choice.codecs
    first = [name for name in options if ":" not in name][:AT_FIRST] or options[:AT_FIRST]
    if "codecs" in st.session_state:  # of another file
        st.session_state["codecs"] = [name for name in st.session_state["codecs"] if name in options] or first
    chosen = st.pills(
        "Codecs", options, selection_mode="multi", default=first, key="codecs", bind="query-params", format_func=title,
        label_visibility="collapsed",
    )  # fmt: skip
    return list(chosen or first)


def rate() -> float:
    """The rate at which figures are told, in bit/pixel."""
    return st.select_slider("At (bit/pixel)", RATES, value=AT, key="at", bind="query-params", width=180)


def judge_title(name: str, sat: bool | None) -> str:
    """A judge as menus call it, with a word where it sat in the loss."""
    short = name.removeprefix("timm:")
    return short if sat is False else f"{short} ({'sat' if sat else 'may have sat'} in the loss)"

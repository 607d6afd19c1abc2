"""A chart of the page with what belongs to it: the sentence above, the table, the command below, the photographs clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from hiercodec import taxonomy
from hiercodec.evaluation.photos.lookup import PHOTOS, picture
from hiercodec.evaluation.results.curves import Curve
from hiercodec.levels import spoken
from hiercodec.ui.frame import chrome
from hiercodec.ui.results.choice import Choice

SHOWN = 12
"""Pictures on one sheet of the photographs at a point."""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure, the sentence above it that says what to see, the curves in it (for its table) and their unit."""

    fig: go.Figure
    key: str
    alt: str
    said: str = ""
    curves: Sequence[Curve] = ()
    unit: str = ""


@st.fragment
def draw(choice: Choice, *charts: Chart, note: str = "") -> None:
    """Charts side by side; below them the command that made their rows, a note, and the photographs of a clicked point."""
    points = []
    for place, chart in zip(st.columns(len(charts)), charts, strict=True):
        with place:
            if chart.said:
                st.markdown(chart.said)
            drawn = chrome.chart(
                chart.fig, key=f"evaluate_{chart.key}_{choice.key}", alt=f"{chart.alt}. {chart.said}".replace("**", ""),
                on_select="rerun" if chart.curves else "ignore", selection_mode="points",
            )  # fmt: skip
            if chart.curves:
                chrome.as_table(partial(table, chart, choice), key=f"evaluate_{chart.key}_table")
                points += [p["customdata"] for p in drawn.selection.points if p.get("customdata")]
    reproduce(choice)
    if note:
        st.caption(note)
    if points:
        photographs(choice, str(points[0][0]), str(points[0][1]), charts[0].key)


def reproduce(choice: Choice) -> None:
    """The command that measured the rows, folded away."""
    if command := choice.meta.get("command"):
        with st.expander("Reproduce", icon=":material/terminal:"):
            st.code(str(command), language=None, wrap_lines=True)


def table(chart: Chart, choice: Choice) -> list[dict[str, Any]]:
    """A row a point: codec, setting, bytes, rate, the mean and the ends of its interval."""
    scale, digits = (100, 1) if chart.unit == "%" else (1, 4)
    return [
        {
            "codec": choice.names.get(curve.codec, curve.codec),
            "setting": curve.settings[i],
            "bytes": round(float(curve.bytes[i])),
            "bit/pixel": round(float(curve.bpp[i]), 4),
            f"mean{' (' + chart.unit + ')' if chart.unit else ''}": round(scale * float(curve.mean[i]), digits),
            "low": round(scale * float(curve.low[i]), digits),
            "high": round(scale * float(curve.high[i]), digits),
            "photographs": curve.n,
        }
        for curve in chart.curves
        for i in range(len(curve.settings))
    ]


def photographs(choice: Choice, codec: str, setting: str, key: str) -> None:
    """The photographs behind a point: their answers, and pictures where the data set is at hand."""
    rows = answers(choice, codec, setting)
    name = choice.names.get(codec, codec)
    wrong = [row for row in rows if row.get("class") == "✗"]
    st.markdown(f"**{name}, {setting}: {len(rows)} photographs, {len(wrong)} of them with a wrong class.**")
    which = st.segmented_control("Show", ["All", "Wrong"], default="All", required=True, key=f"evaluate_{key}_which")
    rows = wrong if which == "Wrong" else rows
    st.dataframe(rows, hide_index=True, height=min(320, 40 + 36 * max(1, len(rows))))
    pages = max(1, -(-len(rows) // SHOWN))
    page = st.pagination(pages, key=f"evaluate_{key}_page") if pages > 1 else 1
    sheet = rows[SHOWN * (page - 1) : SHOWN * page]
    found = [(row, picture(row["photograph"], choice.meta.get("crop"))) for row in sheet]
    if not any(rgb is not None for _, rgb in found):
        st.caption("Rows hold the names of photographs only. To see the pictures too, start the app with their folder:")
        st.code(f"{PHOTOS}=FOLDER-OR-TAR python -m hiercodec app", language=None)
        return
    with st.container(horizontal=True):
        for row, rgb in found:
            if rgb is not None:
                words = f"{row['class']} {row['answer']}"
                chrome.picture(rgb, words, width=max(150, min(224, rgb.shape[1])), caption=words)


def answers(choice: Choice, codec: str, setting: str) -> list[dict[str, Any]]:
    """A row a photograph at a point: what it is, what it was taken for, which levels are right, WUP, bytes, PSNR."""
    table, classes = choice.tables[codec], taxonomy.classes()
    at = table.settings.index(setting)
    return [
        {
            "photograph": str(table.photos[i]),
            "is": classes[table.labels[i]].name if 0 <= table.labels[i] < len(classes) else "not known",
            "answer": classes[table.path[i, at, -1]].name if table.levels else "",
            **{spoken(level): "✓" if table.right[i, at, k] else "✗" for k, level in enumerate(table.levels)},
            "WUP": _rounded(table.wup[i, at], 2),
            "bytes": int(table.bytes[i, at]),
            "PSNR (dB)": _rounded(table.psnr[i, at], 1),
        }
        for i in range(len(table))
    ]


def _rounded(value: float, digits: int) -> float | None:
    return round(float(value), digits) if value == value else None

"""A chart of the page with what belongs to it: the sentence below, the table, the way to the photographs of a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results.curves import Curve
from hiercodec.ui.frame import chrome
from hiercodec.ui.results.choice import Choice
from hiercodec.ui.results.files import called


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure, the sentence below it that says what to see, the curves in it (for its table) and their unit."""

    fig: go.Figure
    key: str
    alt: str
    said: str = ""
    curves: Sequence[Curve] = ()
    unit: str = ""


@st.fragment
def draw_charts(choice: Choice, *charts: Chart, note: str = "") -> None:
    """Charts side by side; below them a note, and the way to the photographs of a clicked point."""
    points = []
    for place, chart in zip(st.columns(len(charts)), charts, strict=True):
        with place:
            drawn = chrome.chart(
                chart.fig, key=f"results_{chart.key}_{choice.key}", alt=f"{chart.alt}. {chart.said}".replace("**", ""),
                table=partial(table, chart), on_select="rerun", selection_mode="points",
            )  # fmt: skip
            if chart.said:
                st.markdown(chart.said)
            points += [p["customdata"] for p in drawn.selection.points if p.get("customdata")]
    if points:
        codec, setting = map(str, points[0][:2])
        query = {"rows": called(choice.source), "codec": title(codec), "judge": choice.judge, "cut": setting}
        if choice.judge:
            chrome.link(
                "failures", f"See the photographs: {title(codec)}, {setting}", query=query, icon=":material/photo:"
            )
    elif choice.judge:
        note += " Click a point for the way to its photographs."
    if note:
        st.caption(note)


def table(chart: Chart) -> list[dict[str, Any]]:
    """A row a point: codec, setting, bytes, rate, the mean and the ends of its interval."""
    scale, digits = (100, 1) if chart.unit == "%" else (1, 4)
    return [
        {
            "codec": title(curve.codec),
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

"""Figures of failures: confusion, and how severe mistakes are. Data → plotly, as in `figures.trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from hiercodec.figures.taxonomy import SCALE, canvas, short, write_cells
from hiercodec.figures.trace import codec_curve

if TYPE_CHECKING:
    from hiercodec.evaluation.results.failures import Severity

FEW = 14
"""Up to so many groups have their names at the axes and their numbers in the cells."""


def confusion_map(counts: np.ndarray, names: Sequence[str], *, mode: str = "light") -> go.Figure:
    """The truth down, what it was taken for across; int[k, k]. Colour is the share of the row, the number the count.

    Few groups are named and numbered down, and numbered across.
    A cell's `customdata` is "row,column".
    """
    k, few = len(counts), len(counts) <= FEW
    fig = canvas(mode, height=max(440, 46 * k) if few else 720, x="taken for →", y="truth ↓")
    of_row = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    fig.add_heatmap(
        z=np.where(counts > 0, of_row, np.nan),
        x=list(range(k)),
        y=list(range(k)),
        zmin=0,
        zmax=1,
        customdata=np.array([[f"{row},{column}" for column in range(k)] for row in range(k)]),
        text=np.array([[f"{t}<br>taken for {p}" for p in names] for t in names]),
        colorscale=SCALE,
        xgap=1,
        ygap=1,
        showscale=not few,
        colorbar={"title": {"text": "of the row", "side": "right"}, "thickness": 14, "tickformat": ".0%"},
        hovertemplate="%{text}<br><b>%{z:.0%} of this truth</b><extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, showticklabels=few)
    fig.update_xaxes(showgrid=False, showticklabels=few)
    if few:
        write_cells(fig, np.where(counts > 0, counts, np.nan).astype(float), ".0f", shades=of_row)
        numbered = [f"{short(name, 16)} {number}" for number, name in enumerate(names, start=1)]  # narrow screens too
        fig.update_yaxes(tickvals=list(range(k)), ticktext=numbered)
        fig.update_xaxes(tickvals=list(range(k)), ticktext=[str(number + 1) for number in range(k)], side="top")
    return fig


def severity_curves(
    named: Mapping[str, Sequence[Severity]],
    looks: Mapping[str, int],
    level: int | None = None,
    called: str = "",
    *,
    mode: str = "light",
) -> go.Figure:
    """Mean WUP of the wrong classes against rate, a line a codec, with one standard error; higher is a milder mistake.

    With `level`, `called` so: how often a wrong class still lies in the right group there. `looks` number the codecs for
    their colours and marks.
    """
    fig = canvas(mode, height=380, x="bit/pixel", y=f"wrong class, right {called}" if called else "WUP of the mistakes")
    for codec, rows in named.items():
        told = "WUP %{y:.3f}" if level is None else "%{y:.0%}"
        codec_curve(
            fig,
            codec,
            looks,
            [row.bpp for row in rows],
            [row.wup if level is None else row.inside[level] for row in rows],
            f"%{{customdata}}<br>%{{x:.3f}} bit/pixel<br>{told}",
            mode=mode,
            error_y={"array": [row.error for row in rows], "thickness": 1, "width": 3} if level is None else None,
            customdata=[f"{row.setting}<br>{row.errors} of {row.photos} wrong" for row in rows],
        )
    if level is not None:
        fig.update_yaxes(tickformat=".0%", rangemode="tozero")
    return fig.update_xaxes(type="log", dtick="D2", tickformat=".2g")

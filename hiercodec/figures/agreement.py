"""Figures that compare hierarchies: sizes, similarity, agreement, intervals. Data → plotly, as in `figures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, palette
from hiercodec.figures.taxonomy import SCALE, canvas, write_cells
from hiercodec.figures.trace import curve


def sizes(named: Mapping[str, np.ndarray], *, mode: str = "light") -> go.Figure:
    """Group sizes, largest first (Fig. 2 of the paper): bars for few groups, lines for many; the y axis is logarithmic."""
    p = palette(mode)
    fig = canvas(mode, height=380, x="group, largest first", y="classes in the group")
    many = max(map(len, named.values())) > 24
    for index, (name, counts) in enumerate(named.items()):
        ordered = np.sort(counts)[::-1]
        ranks = np.arange(1, len(ordered) + 1)
        colour = p.level(index * 2)
        if many:
            line = {"color": colour, "width": 3, "dash": LEVEL_DASHES[index], "shape": "hv"}
            fig.add_scatter(x=ranks, y=ordered, name=name, mode="lines", line=line)
        else:
            shape = {"shape": ("", "/")[index % 2], "fgcolor": p.background, "fillmode": "overlay", "size": 6}
            fig.add_bar(x=ranks, y=ordered, name=name, marker={"color": colour, "pattern": shape}, text=ordered)
    fig.update_traces(hovertemplate="group %{x}: %{y} classes<extra>%{fullData.name}</extra>")
    fig.update_yaxes(type="log", dtick=1, range=[-0.3, 3.25])
    if not many:
        fig.update_xaxes(dtick=1)
        fig.update_traces(textposition="outside", cliponaxis=False)
    return fig


def against_k(
    curves: Mapping[str, Sequence[tuple[int, float]]],
    *,
    y: str,
    at: int | None = None,
    percent: bool = False,
    mode: str = "light",
) -> go.Figure:
    """A measure against the number of groups, one line a scheme; `at` marks the K that the page shows."""
    p = palette(mode)
    fig = canvas(mode, height=340, x="number of groups K", y=y)
    for index, (name, rows) in enumerate(curves.items()):
        tell = "K = %{x}: %{y" + (":.1%}" if percent else ":.3f}")
        curve(
            fig,
            2 * index,
            [k for k, _ in rows],
            [value for _, value in rows],
            name,
            tell,
            colour=p.level(index * 2),
            size=9,
        )
    fig.update_xaxes(type="log", tickvals=[2, 5, 10, 20, 50, 100, 200, 500, 1000])
    if percent:
        fig.update_yaxes(tickformat=".0%", rangemode="tozero")
    if at is not None:
        fig.add_vline(x=at, line={"color": p.muted, "width": 1.5, "dash": "dot"})
    return fig


def agreement_map(matrix: np.ndarray, names: Sequence[str], *, title: str, mode: str = "light") -> go.Figure:
    """A square matrix of agreement with the numbers written out."""
    fig = canvas(mode, height=460)
    places = list(range(len(names)))
    fig.add_heatmap(
        z=matrix,
        x=places,
        y=places,
        customdata=np.array([[f"{a} and {b}" for b in names] for a in names]),
        colorscale=SCALE,
        xgap=1,
        ygap=1,
        showscale=False,
        hovertemplate="%{customdata}<br><b>" + title + " %{z:.3f}</b><extra></extra>",
    )
    write_cells(fig, matrix, ".2f")
    fig.update_yaxes(autorange="reversed", showgrid=False, tickvals=places, ticktext=names)
    return fig.update_xaxes(showgrid=False, tickvals=places, ticktext=names, tickangle=-35)


def intervals(rows: Sequence[tuple[str, float, float, float]], *, x: str, mode: str = "light") -> go.Figure:
    """Means with their intervals, one row each: (name, mean, low, high)."""
    p = palette(mode)
    fig = canvas(mode, height=90 + 56 * len(rows), x=x)
    for index, (name, mean, low, high) in enumerate(rows):
        fig.add_scatter(
            x=[mean],
            y=[name],
            mode="markers+text",
            text=[f"{mean:.3f}"],
            textposition="top center",
            marker={"size": 13, "color": p.level(index), "symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)]},
            error_x={"array": [high - mean], "arrayminus": [mean - low], "thickness": 2.5, "color": p.level(index)},
            hovertemplate=f"{name}<br>%{{x:.3f}} ({low:.3f} to {high:.3f})<extra></extra>",
        )
    fig.update_traces(cliponaxis=False)
    fig.update_yaxes(range=[len(rows) - 0.5, -0.8], showgrid=False)
    return fig.update_layout(showlegend=False)

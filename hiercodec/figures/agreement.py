"""Figures that compare hierarchies: sizes, similarity, contingency, agreement, intervals. Data → plotly, as in `figures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, palette
from hiercodec.figures.taxonomy import canvas, scale, short, write_cells
from hiercodec.figures.trace import FONT_SIZE

SMALL = FONT_SIZE - 3


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
        fig.add_scatter(
            x=[k for k, _ in rows],
            y=[value for _, value in rows],
            name=name,
            mode="lines+markers",
            line={"color": p.level(index * 2), "width": 2.5, "dash": LEVEL_DASHES[index]},
            marker={"symbol": LEVEL_SYMBOLS[index * 2], "size": 9},
            hovertemplate="K = %{x}: %{y" + (":.1%" if percent else ":.3f") + "}<extra>" + name + "</extra>",
        )
    fig.update_xaxes(type="log", tickvals=[2, 5, 10, 20, 50, 100, 200, 500, 1000])
    if percent:
        fig.update_yaxes(tickformat=".0%", rangemode="tozero")
    if at is not None:
        fig.add_vline(x=at, line={"color": p.muted, "width": 1.5, "dash": "dot"})
    return fig


def similarity_curves(
    edges: np.ndarray, named: Mapping[str, tuple[np.ndarray, np.ndarray]], *, mode: str = "light"
) -> go.Figure:
    """Shares of pairs by WUP, inside groups (solid) and between groups (dotted), one colour a scheme."""
    p = palette(mode)
    fig = canvas(mode, height=380, x="similarity (WUP)", y="share of the pairs")
    for index, (name, shares) in enumerate(named.items()):
        for part, values, dash in zip(("inside", "between"), shares, ("solid", "dot"), strict=True):
            fig.add_scatter(
                x=np.repeat(edges, 2)[1:-1],
                y=np.repeat(values, 2),
                name=f"{name}, {part} groups",
                mode="lines",
                line={"color": p.level(index * 2), "width": 2.5, "dash": dash},
                hovertemplate="WUP %{x:.2f}: %{y:.1%}<extra>" + f"{name}, {part}" + "</extra>",
            )
    return fig.update_yaxes(tickformat=".0%", rangemode="tozero")


def contingency_map(
    table: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, x: str, y: str, mode: str = "light"
) -> go.Figure:
    """How many classes lie in a row's group and in a column's group; counts are written out in small tables."""
    few = max(table.shape) <= 14
    fig = canvas(mode, height=max(420, 44 * table.shape[0]) if few else 720, x=x, y=y)
    shown = np.where(table > 0, table, np.nan)
    fig.add_heatmap(
        z=shown,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        customdata=np.array([[f"{r}<br>{c}" for c in columns] for r in rows]),
        colorscale=scale(mode),
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": "classes", "side": "right"}, "thickness": 14},
        hovertemplate="%{customdata}<br><b>%{z} classes</b><extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, showticklabels=few)
    fig.update_xaxes(showgrid=False, showticklabels=few)
    if few:
        write_cells(fig, shown, ".0f", mode)
        fig.update_yaxes(tickvals=list(range(len(rows))), ticktext=[short(r, 30) for r in rows])
        fig.update_xaxes(tickvals=list(range(len(columns))), ticktext=[short(c, 24) for c in columns], tickangle=-40)
    return fig


def agreement_map(matrix: np.ndarray, names: Sequence[str], *, title: str, mode: str = "light") -> go.Figure:
    """A square matrix of agreement; the numbers are written out where there are few, models are set off where many."""
    p = palette(mode)
    few = len(names) <= 8
    fig = canvas(mode, height=460 if few else 640)
    shown = matrix.copy() if few else np.where(np.eye(len(names), dtype=bool), np.nan, matrix)
    fig.add_heatmap(
        z=shown,
        x=list(range(len(names))),
        y=list(range(len(names))),
        customdata=np.array([[f"{a} and {b}" for b in names] for a in names]),
        colorscale=scale(mode),
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": title, "side": "right"}, "thickness": 14},
        hovertemplate="%{customdata}<br><b>" + title + " %{z:.3f}</b><extra></extra>",
    )
    heads = [name.split(", seed")[0] for name in names]  # runs of one model stand together
    firsts = [i for i, head in enumerate(heads) if few or head not in heads[:i]]
    text = [heads[i] for i in firsts]
    if few:
        write_cells(fig, shown, ".2f", mode)
    for i in firsts[1:] if not few else ():
        fig.add_hline(y=i - 0.5, line={"color": p.text, "width": 1})
        fig.add_vline(x=i - 0.5, line={"color": p.text, "width": 1})
    fig.update_yaxes(autorange="reversed", showgrid=False, tickvals=firsts, ticktext=text)
    return fig.update_xaxes(showgrid=False, tickvals=firsts, ticktext=text, tickangle=-35)


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


def pairs(
    rows: Sequence[tuple[str, float, float]], names: tuple[str, str], *, x: str, mode: str = "light"
) -> go.Figure:
    """Two values a row joined by a line: (name, first, second)."""
    p = palette(mode)
    fig = canvas(mode, height=100 + 48 * len(rows), x=x)
    for name, first, second in rows:
        line = {"color": p.border, "width": 4}
        fig.add_scatter(x=[first, second], y=[name] * 2, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    for side, label in enumerate(names):
        fig.add_scatter(
            x=[row[1 + side] for row in rows],
            y=[row[0] for row in rows],
            name=label,
            mode="markers",
            marker={"size": 14, "color": p.level(2 - 2 * side), "symbol": LEVEL_SYMBOLS[2 - 2 * side]},
            hovertemplate="%{y}: %{x:.3f}<extra>" + label + "</extra>",
        )
    return fig.update_yaxes(autorange="reversed", showgrid=False)


def histogram(values: np.ndarray, *, x: str, marks: Mapping[str, float], mode: str = "light") -> go.Figure:
    """How many classes have which value 0…1; `marks` are named vertical lines."""
    p = palette(mode)
    fig = canvas(mode, height=320, x=x, y="classes")
    look = {"color": p.level(0), "line": {"width": 1, "color": p.background}}
    fig.add_histogram(x=values, xbins={"start": 0, "end": 1, "size": 0.05}, marker=look)
    fig.update_traces(hovertemplate="%{x}: %{y} classes<extra></extra>")
    for index, (name, value) in enumerate(marks.items()):
        note = {"text": f"{name} {value:.2f}", "font": {"color": p.text, "size": SMALL}, "yanchor": "bottom"}
        dash = LEVEL_DASHES[index + 1]
        fig.add_vline(
            x=value, line={"color": p.text, "width": 2, "dash": dash}, annotation=note, annotation_position="top"
        )
    return fig.update_xaxes(range=[0, 1]).update_layout(margin={"t": 36})

"""Figures of failures: confusion, severity, the flow of answers, gains by group. Data → plotly, as in `figures.trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, palette, with_alpha
from hiercodec.figures.taxonomy import canvas, scale, short, write_cells
from hiercodec.figures.trace import FONT_SIZE

if TYPE_CHECKING:
    from hiercodec.evaluation.results.failures import Group, Severity

FEW = 14
"""Up to so many groups have their names at the axes and their numbers in the cells."""

MOST_STEPS = 4
"""Cuts that a flow shows at most."""


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
        colorscale=scale(mode),
        xgap=1,
        ygap=1,
        showscale=not few,
        colorbar={"title": {"text": "of the row", "side": "right"}, "thickness": 14, "tickformat": ".0%"},
        hovertemplate="%{text}<br><b>%{z:.0%} of this truth</b><extra></extra>",
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, showticklabels=few)
    fig.update_xaxes(showgrid=False, showticklabels=few)
    if few:
        write_cells(fig, np.where(counts > 0, counts, np.nan).astype(float), ".0f", mode, shades=of_row)
        numbered = [f"{short(name, 16)} {number}" for number, name in enumerate(names, start=1)]  # narrow screens too
        fig.update_yaxes(tickvals=list(range(k)), ticktext=numbered)
        fig.update_xaxes(tickvals=list(range(k)), ticktext=[str(number + 1) for number in range(k)], side="top")
    return fig


def severity_curves(named: Mapping[str, Sequence[Severity]], *, mode: str = "light") -> go.Figure:
    """Mean WUP of the wrong classes against rate, a line a codec, with one standard error; higher is a milder mistake."""
    fig = canvas(mode, height=380, x="bit/pixel", y="WUP of the mistakes")
    for index, (name, rows) in enumerate(named.items()):
        fig.add_scatter(
            x=[row.bpp for row in rows],
            y=[row.wup for row in rows],
            error_y={"array": [row.error for row in rows], "thickness": 1, "width": 3},
            customdata=[f"{row.setting}<br>{row.errors} of {row.photos} wrong" for row in rows],
            hovertemplate="%{customdata}<br>%{x:.3f} bit/pixel<br>WUP %{y:.3f}<extra>" + name + "</extra>",
            **_line(name, index, mode),
        )
    return fig.update_xaxes(type="log", dtick="D2", tickformat=".2g")


def inside_curves(
    named: Mapping[str, Sequence[Severity]], level: int, called: str, *, mode: str = "light"
) -> go.Figure:
    """How often a wrong class still lies in the right group of a level, against rate; a line a codec."""
    fig = canvas(mode, height=380, x="bit/pixel", y=f"wrong class, right {called}")
    for index, (name, rows) in enumerate(named.items()):
        fig.add_scatter(
            x=[row.bpp for row in rows],
            y=[row.inside[level] for row in rows],
            customdata=[f"{row.setting}<br>{row.errors} of {row.photos} wrong" for row in rows],
            hovertemplate="%{customdata}<br>%{x:.3f} bit/pixel<br>%{y:.0%}<extra>" + name + "</extra>",
            **_line(name, index, mode),
        )
    fig.update_yaxes(tickformat=".0%", rangemode="tozero")
    return fig.update_xaxes(type="log", dtick="D2", tickformat=".2g")


def _line(name: str, index: int, mode: str) -> dict:
    return {
        "name": name,
        "mode": "lines+markers",
        "line": {
            "color": palette(mode).group(index),
            "width": 3 if index == 0 else 2,
            "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)],
        },
        "marker": {"symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)], "size": 8},
    }


def flow(
    links: Sequence[tuple[int, int, int, int]],
    names: Sequence[str],
    cuts: Sequence[str],
    colours: Sequence[str],
    *,
    mode: str = "light",
) -> go.Figure:
    """Photographs that move between states from cut to cut; links are (step, from, to, photographs).

    `names` and `colours` belong to the states, in the order they stand from top to bottom; `cuts` are at most MOST_STEPS.
    """
    p = palette(mode)
    stops = sorted({(step, a) for step, a, *_ in links} | {(step + 1, b) for step, _, b, _ in links})
    place = {stop: index for index, stop in enumerate(stops)}
    last = max(len(cuts) - 1, 1)
    fig = canvas(mode, height=max(360, 40 * len(names) + 60))
    fig.add_sankey(
        arrangement="snap",
        node={
            "label": [short(names[state], 20) for _, state in stops],
            "color": [colours[state] for _, state in stops],
            "x": [min(max(step / last, 0.001), 0.999) for step, _ in stops],
            "y": _heights(stops, links),
            "pad": 10,
            "thickness": 16,
            "line": {"color": p.text, "width": 0.5},
            "hovertemplate": "%{label}: %{value:.0f} photographs<extra></extra>",
        },
        link={
            "source": [place[step, a] for step, a, *_ in links],
            "target": [place[step + 1, b] for step, _, b, _ in links],
            "value": [count for *_, count in links],
            "color": [with_alpha(colours[a], 0.35) for _, a, *_ in links],
            "hovertemplate": "%{source.label} → %{target.label}: %{value:.0f} photographs<extra></extra>",
        },
        textfont={"color": p.text, "size": FONT_SIZE - 2},
    )
    for step, cut in enumerate(cuts):
        side = "left" if step == 0 else "right" if step == last else "center"
        fig.add_annotation(
            x=step / last, y=1.02, xref="paper", yref="paper", xanchor=side, yanchor="bottom", text=cut, showarrow=False
        )
    return fig.update_layout(margin={"t": 40, "b": 12, "l": 4, "r": 4})


def _heights(stops: Sequence[tuple[int, int]], links: Sequence[tuple[int, int, int, int]]) -> list[float]:
    """Where each node stands from the top, so that states keep their order in every column."""
    sizes: dict[tuple[int, int], int] = {}
    for step, a, b, count in links:
        sizes[step, a] = sizes.get((step, a), 0) + count
        if step + 1 == max(s for s, _ in stops):
            sizes[step + 1, b] = sizes.get((step + 1, b), 0) + count
    total = {step: sum(size for (s, _), size in sizes.items() if s == step) for step, _ in stops}
    above: dict[int, float] = {}
    heights = []
    for step, state in stops:
        share = sizes.get((step, state), 0) / max(total[step], 1)
        heights.append(min(max(above.get(step, 0.0) + share / 2, 0.001), 0.999))
        above[step] = above.get(step, 0.0) + share
    return heights


def gains(
    groups: Sequence[Group], names: Sequence[str], ends: tuple[str, str], *, called: str, mode: str = "light"
) -> go.Figure:
    """Accuracy of each true group at the first and at the last cut, joined; `ends` name the cuts, `names` the groups."""
    p = palette(mode)
    fig = canvas(mode, height=110 + 34 * len(groups), x=f"{called} right")
    labels = [f"{short(names[row.group], 26)} ({row.photos})" for row in groups]
    for label, row in zip(labels, groups, strict=True):
        line = {"color": p.border, "width": 4}
        fig.add_scatter(
            x=[row.accuracy[0], row.accuracy[-1]], y=[label] * 2, mode="lines", line=line, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
    for at, name, symbol, colour in ((0, ends[0], "circle-open", p.level(2)), (-1, ends[1], "circle", p.level(0))):
        fig.add_scatter(
            x=[row.accuracy[at] for row in groups],
            y=labels,
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2.5, "color": colour}},
            hovertemplate="%{y}: %{x:.0%}<extra>" + name + "</extra>",
        )
    fig.update_yaxes(autorange="reversed", showgrid=False)
    return fig.update_xaxes(range=[-0.03, 1.03], tickformat=".0%")


def shares(
    values: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], *, mode: str = "light"
) -> go.Figure:
    """Shares, 0…1, as a table of cells with their numbers, first row at the top."""
    z = np.asarray(values, float)
    fig = canvas(mode, height=90 + 34 * len(rows))
    fig.add_heatmap(
        z=z, x=list(range(len(columns))), y=list(range(len(rows))), zmin=0, zmax=1, colorscale=scale(mode), xgap=1, ygap=1,
        customdata=np.array([[f"{row}<br>{column}" for column in columns] for row in rows]), showscale=False,
        hovertemplate="%{customdata}: %{z:.0%}<extra></extra>",
    )  # fmt: skip
    write_cells(fig, z, ".0%", mode, shades=z)
    fig.update_yaxes(autorange="reversed", showgrid=False, tickvals=list(range(len(rows))), ticktext=list(rows))
    return fig.update_xaxes(showgrid=False, side="top", tickvals=list(range(len(columns))), ticktext=list(columns))

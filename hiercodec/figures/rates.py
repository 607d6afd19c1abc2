"""Figures of curves over rate (`results.curves`): levels of one codec, codecs at one level, numbers of groups, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results.bjontegaard import Delta, Lead
from hiercodec.evaluation.results.curves import Curve
from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, Palette, palette, with_alpha
from hiercodec.figures.palette import symbol as mark
from hiercodec.figures.trace import FONT_SIZE, curve, figure
from hiercodec.levels import spoken

if TYPE_CHECKING:
    from hiercodec.evaluation.results.stopping import Outcome

RATE = "bit/pixel"
SHARE = "%{y:.1%} (%{customdata[2]:.1%} to %{customdata[3]:.1%})"
"""How a share is told on hover; the band's ends are the last two of a point's `customdata`."""
APART = 0.065
"""How far apart the words of two level lines stand at least, of the whole axis: a line of text."""


def three_levels(
    curves: Mapping[str, Curve],
    *,
    whole: Mapping[str, float],
    chance: Mapping[str, float],
    at: float | None = None,
    y: str = "right answers",
    mode: str = "light",
) -> go.Figure:
    """Accuracy of one codec against rate, one line a level (by its spoken name) on one axis.

    Dashed: the uncompressed photographs (`whole`). Dotted: blind guessing (`chance`). `at` marks a rate.
    """
    p = palette(mode)
    fig = figure(mode, height=400, x=RATE, y=y)
    for index, (level, found) in enumerate(curves.items()):
        colour = p.level(index)
        _band(fig, found, colour, level)
        fig.add_scatter(
            **_points(found, level, SHARE),
            line={"color": colour, "width": 3, "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)]},
            marker={"symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)], "size": 10, "color": colour},
        )
        if level in chance:
            _level_line(fig, chance[level], colour, "dot")
    marks = [(whole[name], p.level(i), f"{whole[name]:.0%}") for i, name in enumerate(curves) if name in whole]
    _uncompressed(fig, marks)
    fig.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return _rate_axis(fig, list(curves.values()), at, p)


def codecs(
    curves: Sequence[Curve],
    looks: Mapping[str, int],
    *,
    y: str,
    tell: str = SHARE,
    share: bool = False,
    names: Mapping[str, str] | None = None,
    whole: float | None = None,
    chance: float | None = None,
    published: Sequence[Mapping[str, Any]] = (),
    at: float | None = None,
    mode: str = "light",
) -> go.Figure:
    """One measure against rate, a line a codec; `looks` (codec → number) keeps each one's colour whatever is chosen.

    published: curves of papers, {"name", "bpp", "y"}, dashed and without marks, up to the highest rate of ours.
    whole, chance: level lines.
    """
    p = palette(mode)
    fig = figure(mode, height=400, x=RATE, y=y)
    for found in curves:
        number, first = looks[found.codec], looks[found.codec] == min(looks.values())
        colour, name = p.group(number), (names or {}).get(found.codec) or title(found.codec)
        if len(curves) <= 6:
            _band(fig, found, colour, name, 0.16 if first else 0.09)
        fig.add_scatter(
            **_points(found, name, tell),
            line={"color": colour, "width": 3.5 if first else 2},
            marker={"symbol": mark(number), "size": 10 if first else 8, "color": colour},
        )
    last = max((found.bpp[-1] for found in curves), default=np.inf)  # papers go on to rates that would flatten the rest
    for index, row in enumerate(published):
        points = [point for point in zip(row["bpp"], row["y"], strict=True) if point[0] <= last]
        fig.add_scatter(
            x=[bpp for bpp, _ in points],
            y=[y for _, y in points],
            name=f"{row['name']} (published)",
            mode="lines",
            line={"color": p.group(len(looks) + index), "width": 2, "dash": LEVEL_DASHES[1 + index % 5]},
            hovertemplate="%{x:.3f} bit/pixel: %{y:.2f}<extra>" + row["name"] + ", published</extra>",
        )
    if whole is not None:
        _uncompressed(fig, [(whole, p.container, format(whole, ".0%" if share else ".2f"))])
    if chance is not None:
        _level_line(fig, chance, p.container, "dot")
    if share:
        fig.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return _rate_axis(fig, curves, at, p)


def label_or_pixels(
    label: Curve, pixels: Curve, both: Curve, *, y: str, tell: str = SHARE, share: bool = False, at: float | None = None,
    mode: str = "light",
) -> go.Figure:  # fmt: skip
    """One measure against rate, three ways: a file's label alone (one point, dashed on), its pixels, and both together."""
    looks = {label.codec: 0, pixels.codec: 1, both.codec: 2}
    names = {label.codec: "label alone", pixels.codec: "pixels", both.codec: "label and pixels"}
    fig = codecs([pixels, both, label], looks, names=names, y=y, tell=tell, share=share, at=at, mode=mode)
    ends = [float(label.bpp[0]), float(both.bpp[-1])]
    line = {"color": palette(mode).group(0), "width": 2, "dash": "dash"}
    return fig.add_scatter(
        x=ends, y=[float(label.mean[0])] * 2, mode="lines", line=line, hoverinfo="skip", showlegend=False
    )


def lead(found: Mapping[str, Lead], *, rival: str, percent: bool, mode: str = "light") -> go.Figure:
    """The lead over a rival against rate, a line a level with its band; where the mean changes sign, a ring and the rate."""
    p = palette(mode)
    scale, unit = (100, "more right than {}, of 100") if percent else (1, "more dB than {}")
    fig = figure(mode, height=340, x=RATE, y=unit.format(rival))
    for index, (name, row) in enumerate(found.items()):
        colour, symbol = p.level(index), LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)]
        mean, low, high = (scale * line for line in (row.mean, row.low, row.high))
        _fill(fig, row.rates, low, high, colour, name)
        fig.add_scatter(
            x=row.rates,
            y=mean,
            name=name,
            legendgroup=name,
            mode="lines",
            line={"color": colour, "width": 3, "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)]},
            customdata=np.stack([low, high], 1),
            hovertemplate="%{x:.2f} bit/pixel: %{y:+.1f} (%{customdata[0]:+.1f} to %{customdata[1]:+.1f})<extra>"
            + name
            + "</extra>",
        )
        if row.crossings:
            fig.add_scatter(
                x=row.crossings,
                y=[0] * len(row.crossings),
                mode="markers+text",
                text=[f"{rate:.2f}" for rate in row.crossings],
                textposition=("top center", "bottom center")[index % 2],
                textfont={"color": colour, "size": FONT_SIZE - 1},
                marker={"symbol": symbol, "size": 13, "color": p.background, "line": {"width": 3, "color": colour}},
                hovertemplate=f"{name}: level at %{{x:.2f}} bit/pixel<extra></extra>",
                showlegend=False,
                legendgroup=name,
            )
    fig.add_hline(y=0, line={"width": 1.5, "dash": "dot", "color": p.text})
    fig.update_xaxes(type="log", dtick="D2", tickformat=".2g")
    return _legend_above(fig)


def gaps(found: Mapping[str, Sequence[Delta]], *, x: str, percent: bool, mode: str = "light") -> go.Figure:
    """How much more than each rival (a row, by its title), with 95 % intervals; a mark a measure, by its name."""
    p = palette(mode)
    rivals = list(dict.fromkeys(row.rival for rows in found.values() for row in rows))
    fig = figure(mode, height=150 + (26 * len(found) + 14) * len(rivals), x=x)
    for index, (name, rows) in enumerate(found.items()):
        rows = [row for row in rows if row.value is not None]
        shift = (index - (len(found) - 1) / 2) * 0.22
        ends = [(row.value, row.low, row.high) for row in rows]
        value, low, high = (100 if percent else 1) * np.array(ends, float).reshape(-1, 3).T
        fig.add_scatter(
            x=value,
            y=[rivals.index(row.rival) + shift for row in rows],
            name=name,
            mode="markers",
            marker={"size": 11, "color": p.level(index), "symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)]},
            error_x={"array": high - value, "arrayminus": value - low, "thickness": 2.5, "color": p.level(index)},
            customdata=[[row.rival, a, b] for row, a, b in zip(rows, low, high, strict=True)],
            hovertemplate="%{customdata[0]}: %{x:+.2f} (%{customdata[1]:+.2f} to %{customdata[2]:+.2f})<extra>"
            + name
            + "</extra>",
        )
    fig.add_vline(x=0, line={"width": 1.5, "dash": "dot", "color": p.text})
    fig.update_yaxes(
        tickvals=list(range(len(rivals))), ticktext=rivals, range=[len(rivals) - 0.5, -0.5], showgrid=False
    )
    return _legend_above(fig)


def controller_curve(
    controlled: Sequence[Outcome], fixed: Sequence[Outcome], *, chosen: float | None = None, mode: str = "light"
) -> go.Figure:
    """Accuracy against mean bytes: one line where every file stops when sure, one where all are cut alike.

    `chosen` is the threshold to mark; bars are 95 % intervals.
    """
    p = palette(mode)
    fig = figure(mode, height=380, x="mean bytes read", y="accuracy")
    for index, (name, outcomes) in enumerate({"stop when sure": controlled, "same cut for all": fixed}.items()):
        rules = [f"{o.rule:.0%} sure" if isinstance(o.rule, float) else spoken(str(o.rule)) for o in outcomes]
        accuracy = [o.accuracy for o in outcomes]
        ends = {"array": [o.high - o.accuracy for o in outcomes], "arrayminus": [o.accuracy - o.low for o in outcomes]}
        curve(
            fig, index, [o.bytes for o in outcomes], accuracy, name, "%{text}<br>%{x:,.0f} bytes<br>%{y:.1%}",
            colour=p.group(index), width=3 - index, text=rules, error_y=ends | {"thickness": 1, "width": 0},
        )  # fmt: skip
    for outcome in controlled:
        if outcome.rule == chosen:
            ring = {"symbol": "circle-open", "size": 20, "color": p.text, "line": {"width": 3}}
            fig.add_scatter(x=[outcome.bytes], y=[outcome.accuracy], mode="markers", marker=ring, name="your threshold")
    fig.update_xaxes(rangemode="tozero", tickformat=",")
    fig.update_yaxes(tickformat=".0%")
    return fig


def _points(found: Curve, name: str, tell: str) -> dict[str, Any]:
    ends = zip(found.settings, found.low, found.high, strict=True)
    return {
        "x": found.bpp,
        "y": found.mean,
        "name": name,
        "legendgroup": name,
        "mode": "lines+markers",
        "customdata": [[found.codec, setting, float(low), float(high)] for setting, low, high in ends],
        "hovertemplate": "%{customdata[1]}: %{x:.3f} bit/pixel<br>" + tell + "<extra>" + name + "</extra>",
        "unselected": {"marker": {"opacity": 0.75}},
    }


def _band(fig: go.Figure, found: Curve, colour: str, group: str, alpha: float = 0.16) -> None:
    _fill(fig, found.bpp, found.low, found.high, colour, group, alpha)


def _fill(
    fig: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, group: str, alpha: float = 0.16
) -> None:
    fig.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=with_alpha(colour, alpha),
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
    )


def _level_line(fig: go.Figure, y: float, colour: str, dash: str) -> None:
    fig.add_hline(y=y, line={"color": colour, "width": 1.5, "dash": dash})


def _uncompressed(fig: go.Figure, found: Sequence[tuple[float, str, str]]) -> None:
    """A dashed line at each (value, colour, words) of the uncompressed photographs; the words stand right of the curves."""
    below = np.inf
    for y, colour, words in sorted(found, reverse=True):
        _level_line(fig, y, colour, "dash")
        below = min(y, below - APART)
        fig.add_annotation(
            text=words, x=1, xref="paper", xanchor="left", y=below, yanchor="middle", showarrow=False,
            font={"color": colour, "size": FONT_SIZE - 2},
        )  # fmt: skip
    fig.update_layout(margin_r=52)


def _rate_axis(fig: go.Figure, curves: Sequence[Curve], at: float | None, p: Palette) -> go.Figure:
    """Rates from the lowest measured to the highest, or from 0; `at` is a thin line from top to bottom."""
    if at is not None:
        fig.add_vline(x=at, line={"color": p.muted, "width": 1.5, "dash": "dot"})
    if curves:
        fig.update_xaxes(range=[0, 1.03 * max(float(found.bpp[-1]) for found in curves)])
    return _legend_above(fig)


def _legend_above(fig: go.Figure) -> go.Figure:
    return fig.update_layout(legend={"y": 1.02, "yanchor": "bottom"}, margin_t=8, margin_b=48)

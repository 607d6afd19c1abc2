"""Figures of stopping when sure: the controller's curve over many photographs, and where one photograph stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from hiercodec.figures.palette import palette
from hiercodec.figures.trace import curve, figure, mark_position
from hiercodec.levels import spoken

if TYPE_CHECKING:
    from hiercodec.evaluation.results.stopping import Outcome
    from hiercodec.evaluation.traces.trace import Trace


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


def stop_curves(
    trace: Trace,
    sure: Mapping[str, Sequence[float]],
    stops: Mapping[str, int | None],
    threshold: float,
    *,
    position: int | None = None,
    mode: str = "light",
) -> go.Figure:
    """How sure the answer of every level is against bytes, the threshold, and a ring where reading would stop.

    `sure` maps a level to its confidence at every step, `stops` to the step it stops at.
    """
    p = palette(mode)
    fig = figure(mode, height=360, x="bytes received", y="how sure")
    sizes = [step.bytes for step in trace.steps]
    for index, level in enumerate(trace.levels):
        values = sure.get(level)
        if not values:
            continue
        answers = [step.top[level][0][1] for step in trace.steps]
        tell = "%{x:,} bytes<br>%{text}, %{y:.0%} sure"
        curve(fig, index, sizes, list(values), spoken(level), tell, colour=p.level(index), text=answers)
        at = stops.get(level)
        if at is not None:
            ring = {"symbol": "circle-open", "size": 20, "color": p.level(index), "line": {"width": 3}}
            fig.add_scatter(
                x=[sizes[at]], y=[values[at]], mode="markers", marker=ring, showlegend=False, hoverinfo="skip"
            )
    line = {"color": p.text, "width": 1.5, "dash": "dash"}
    fig.add_hline(y=threshold, line=line)  # pyright: ignore[reportArgumentType] (wrong stubs)
    fig.update_yaxes(range=[0, 1.04], tickformat=".0%")
    fig.update_xaxes(range=[0, trace.file_bytes * 1.02], tickformat=",")
    return fig if position is None else mark_position(fig, sizes[position], p)

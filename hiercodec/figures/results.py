"""Figures of a summary of rows (`evaluation.results.summary`): accuracy against rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hiercodec.evaluation.codecs.peers import title
from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, Palette, palette
from hiercodec.figures.trace import FONT_SIZE, template
from hiercodec.levels import spoken


def codecs_of(results: Mapping[str, Any]) -> list[str]:
    """The codecs measured, ours first."""
    own = set(results.get("provenance", {}).get("models", {}))
    return sorted(dict.fromkeys(point["codec"] for point in results["points"]), key=lambda name: name not in own)


def share(point: Mapping[str, Any], classifier: str, level: str) -> Mapping[str, float] | None:
    """{top1 or agreement, low, high} of one point, or None where it was not measured."""
    return (point.get("accuracy") or {}).get(classifier, {}).get(level)


def rate_accuracy(
    results: Mapping[str, Any], classifier: str, levels: Sequence[str], *, mode: str = "light"
) -> go.Figure:
    """Top-1 against rate, a panel a level and a line a codec; bars are 95 % intervals, the grey line uncompressed."""
    p = palette(mode)
    original = results.get("uncompressed") or {}
    ks = results.get("groups") or {}
    titles = [f"{spoken(level)} ({ks[level]} groups)" if level in ks else spoken(level) for level in levels]
    fig = make_subplots(1, len(levels), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.03)
    for column, level in enumerate(levels, start=1):
        for index, codec in enumerate(codecs_of(results)):
            rows = [(point, share(point, classifier, level)) for point in _of(results, codec)]
            rows = [(point, found) for point, found in rows if found]
            values = [next(iter(found.values())) for _, found in rows]
            fig.add_scatter(
                x=[point["bpp"] for point, _ in rows],
                y=values,
                error_y={
                    "array": [found["high"] - value for (_, found), value in zip(rows, values, strict=True)],
                    "arrayminus": [value - found["low"] for (_, found), value in zip(rows, values, strict=True)],
                    "thickness": 1,
                    "width": 0,
                },
                **_line(codec, index, p, column),
                text=[str(point["setting"]) for point, _ in rows],
                hovertemplate="%{text}<br>%{x:.3f} bit/pixel<br>%{y:.1%}<extra>" + title(codec) + "</extra>",
                row=1,
                col=column,
            )
        if found := share(original, classifier, level):
            whole = next(iter(found.values()))
            line = {"color": p.border, "width": 2}
            fig.add_hline(y=whole, line=line, row=1, col=column)  # pyright: ignore[reportArgumentType] (wrong stubs)
        fig.update_xaxes(title_text="bit/pixel", rangemode="tozero", row=1, col=column)
    fig.update_yaxes(tickformat=".0%", range=[0, 1])
    return _finish(fig, mode)


def _of(results: Mapping[str, Any], codec: str) -> list[Mapping[str, Any]]:
    return sorted((point for point in results["points"] if point["codec"] == codec), key=lambda point: point["bpp"])


def _line(codec: str, index: int, p: Palette, column: int) -> dict[str, Any]:
    return {
        "name": title(codec),
        "legendgroup": codec,
        "showlegend": column == 1,
        "mode": "lines+markers",
        "line": {
            "color": p.group(index),
            "width": 3 if index == 0 else 2,
            "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)],
        },
        "marker": {"symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)], "size": 8},
    }


def _finish(fig: go.Figure, mode: str) -> go.Figure:
    fig.update_layout(template=template(mode), height=400)
    fig.update_layout(margin={"t": 48, "b": 96}, legend={"y": -0.25})
    fig.update_annotations(font_size=FONT_SIZE)
    return fig

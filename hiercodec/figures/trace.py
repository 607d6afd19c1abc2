"""Data → plotly figures. No Streamlit, no torch: a figure can be drawn, saved or tested anywhere.

Every function takes the theme as `mode` ("light" or "dark") and returns a `go.Figure` made from `template(mode)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, Palette, palette, symbol, with_alpha
from hiercodec.levels import spoken

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Trace

FONT = '"Source Sans", "Source Sans 3", system-ui, sans-serif'
FONT_SIZE = 16


def template(mode: str = "light") -> go.layout.Template:
    """The look all figures share: large type, quiet grid, no box, colours of `palette(mode)`."""
    p = palette(mode)
    axis = {
        "gridcolor": with_alpha(p.border, 0.6),
        "linecolor": p.border,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": p.border,
        "automargin": True,
        "title": {"standoff": 10},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": p.background,
            "plot_bgcolor": p.background,
            "font": {"family": FONT, "size": FONT_SIZE, "color": p.text},
            "title": {"x": 0, "xanchor": "left", "font": {"size": FONT_SIZE + 2}},
            "colorway": list(p.categorical),
            "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0, "title": {"text": ""}},
            "hoverlabel": {"bgcolor": p.surface, "bordercolor": p.border, "font": {"color": p.text, "size": FONT_SIZE}},
            "hovermode": "closest",
        }
    )


def figure(mode: str = "light", *, height: int = 380, x: str = "", y: str = "") -> go.Figure:
    """An empty figure in the shared look; `uirevision` is fixed so that a zoom survives a redraw."""
    fig = go.Figure()
    return fig.update_layout(template=template(mode), height=height, uirevision="keep", xaxis_title=x, yaxis_title=y)


def curve(
    fig: go.Figure,
    index: int,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    tell: str,
    *,
    colour: str,
    width: float = 2.5,
    size: int = 8,
    **more: Any,
) -> go.Figure:
    """Draw the line number `index`, with its dash and its marks; `tell` is what a point says on hover."""
    look = {"mode": "lines+markers", "name": name, "hovertemplate": f"{tell}<extra>{name}</extra>"}
    line = {"color": colour, "width": width, "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)]}
    marker = {"symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)], "size": size}
    return fig.add_scatter(x=x, y=y, **look | {"line": line, "marker": marker} | more)


def codec_curve(
    fig: go.Figure,
    codec: str,
    looks: Mapping[str, int],
    x: Sequence[float],
    y: Sequence[float],
    tell: str,
    *,
    mode: str,
    **more: Any,
) -> go.Figure:
    """Draw a codec's line with the colour and the marks of its number in `looks`, the first of them heavier."""
    from hiercodec.evaluation.codecs.peers import title  # slow to import; Explore's first view needs none of it

    number, first, name = looks[codec], looks[codec] == min(looks.values()), title(codec)
    look = {"mode": "lines+markers", "name": name, "hovertemplate": f"{tell}<extra>{name}</extra>"}
    line = {"color": palette(mode).group(number), "width": 3 if first else 2}
    return fig.add_scatter(
        x=x, y=y, line=line, marker={"symbol": symbol(number), "size": 10 if first else 8}, **look, **more
    )


def mark_levels(fig: go.Figure, cuts: Mapping[str, int], p: Palette) -> go.Figure:
    """Draw a thin named line at each level's end; `cuts` maps level → byte offset."""
    for index, (name, offset) in enumerate(cuts.items()):
        fig.add_vline(
            x=offset,
            line={"color": p.level(index), "width": 1.5, "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)]},
            annotation={
                "text": spoken(name),
                "font": {"color": p.level(index), "size": FONT_SIZE - 2},
                "yanchor": "bottom",
            },
            annotation_position="top left",
        )
    return fig


def mark_position(fig: go.Figure, n_bytes: int, p: Palette) -> go.Figure:
    """Draw where the scrubber stands."""
    return fig.add_vline(x=n_bytes, line={"color": p.text, "width": 2.5}, opacity=0.85)


def _over_bytes(fig: go.Figure, trace: Trace, position: int, p: Palette, reach: float = 1.02) -> go.Figure:
    """The axis of bytes up to the file's, where levels end, and where the scrubber stands."""
    fig.update_xaxes(range=[0, trace.file_bytes * reach], tickformat=",")
    mark_levels(fig, trace.cuts, p)
    return mark_position(fig, trace.steps[position].bytes, p)


def stop_curves(
    trace: Trace,
    sure: Mapping[str, Sequence[float]],
    stops: Mapping[str, int | None],
    threshold: float,
    *,
    position: int,
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
    return mark_position(fig, sizes[position], p)


def label_curves(trace: Trace, level: str, *, position: int, mode: str = "light") -> go.Figure:
    """How likely the label's own answer at a level is against bytes: by the label, by the pixels, and by both."""
    p, label = palette(mode), trace.label[level]
    fig = figure(mode, height=340, x="bytes received", y=f"probability of “{label.name}”")
    steps = [step for step in trace.steps if step.bytes >= label.bytes]
    xs, tell = [step.bytes for step in steps], "%{x:,} bytes<br>%{y:.0%}"
    curve(fig, 0, xs, [label.confidence] * len(steps), "label", tell, colour=p.group(0), mode="lines")
    curve(fig, 1, xs, [step.probability(level, label.group) for step in steps], "pixels", tell, colour=p.group(1))
    curve(fig, 2, xs, [step.together(level, label.group) for step in steps], "together", tell, colour=p.group(2))
    fig.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return _over_bytes(fig, trace, position, p)


def quality_curve(
    trace: Trace, position: int, others: Mapping[str, Sequence[tuple[int, float]]], *, mode: str = "light"
) -> go.Figure:
    """PSNR against bytes of this picture; `others` maps a codec to its (bytes, dB) points.

    Names, colours and marks are those that codecs have in all charts.
    """
    from hiercodec.evaluation.codecs.peers import places

    p, ours = palette(mode), str(trace.provenance.get("model", "hiercodec"))
    fig = figure(mode, height=340, x="bytes", y="PSNR (dB)")
    curves = {ours: [(step.bytes, step.psnr) for step in trace.steps], **others}
    looks = places(curves)
    for codec in looks:
        sizes, psnr = zip(*curves[codec], strict=True)
        codec_curve(fig, codec, looks, sizes, psnr, "%{x:,} bytes<br>%{y:.1f} dB", mode=mode)
    return _over_bytes(fig, trace, position, p, reach=1.3)

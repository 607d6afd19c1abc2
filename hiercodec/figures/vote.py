"""What a hall and the classifier took a picture for, side by side at every size."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hiercodec.figures.palette import palette
from hiercodec.figures.trace import FONT_SIZE, template


def vote_chart(
    choices: Sequence[str],
    sizes: Sequence[str],
    hall: Sequence[Sequence[float]],
    machine: Sequence[Sequence[float]],
    right: Collection[int] = (),
    *,
    mode: str = "light",
) -> go.Figure:
    """A panel a size, a pair of bars a choice: the hall's share of votes (solid) and the classifier's probability (hatched).

    `hall` and `machine` hold a row a size, shares 0…1 in the order of `choices`; right choices are marked by "✓".
    """
    p = palette(mode)
    names = [f"✓ {name}" if index in right else name for index, name in enumerate(choices)]
    fig = make_subplots(1, len(sizes), shared_yaxes=True, subplot_titles=list(sizes), horizontal_spacing=0.03)
    looks = (
        ("the hall", hall, p.levels[0], {}),
        ("the classifier", machine, p.levels[2], {"shape": "/", "fgcolor": p.levels[2], "bgcolor": p.background}),
    )
    for name, rows, colour, pattern in looks:
        for column, row in enumerate(rows, 1):
            fig.add_bar(
                y=names,
                x=[100 * share for share in row],
                orientation="h",
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                marker={"color": colour, "line": {"color": colour, "width": 1 if pattern else 0}, "pattern": pattern},
                hovertemplate=f"{name}: %{{x:.0f}} %<br>%{{y}}<extra></extra>",
                row=1,
                col=column,
            )
    fig.update_layout(
        template=template(mode),
        height=110 + 30 * len(choices),
        barmode="group",
        bargap=0.28,
        legend={"y": 1.06, "yanchor": "bottom", "font": {"size": FONT_SIZE + 2}},
        margin={"t": 90},
    )
    fig.update_xaxes(range=[0, 100], ticksuffix=" %", tickvals=[0, 50, 100])
    fig.update_yaxes(autorange="reversed")
    return fig

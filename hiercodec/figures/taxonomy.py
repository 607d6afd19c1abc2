"""Figures of hierarchies: maps of the classes and trees of their groups. Data → plotly, as in `figures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from hiercodec.figures.palette import SEQUENTIAL, contrast, mix, palette, symbol
from hiercodec.figures.trace import FONT, FONT_SIZE, figure

if TYPE_CHECKING:
    from hiercodec.taxonomy import Hierarchy

SMALL = FONT_SIZE - 3
FAMILY = ", ".join(name if "-" in name else f'"{name.strip()}"' for name in FONT.replace('"', "").split(", "))
"""The page's font, quoted: CSS drops a whole list that holds the bare name "Source Sans 3"."""

TILE_TEXT = 11
"""Pixels of the names on tiles: one size for all, and what does not fit stays away, so this is what can just be read."""

SCALE = [[i / 9, colour] for i, colour in enumerate(SEQUENTIAL)]
"""The sequential scale, as Plotly wants it."""

PATHBAR = 28
"""Pixels of the bar that leads back; Plotly draws it above the plot, where an open node must leave room."""


def canvas(mode: str, *, height: int, x: str = "", y: str = "") -> go.Figure:
    """The shared figure, with room for narrow screens: smaller type, the legend above the plot."""
    fig = figure(mode, height=height, x=x, y=y)
    fig.update_layout(
        font={"family": FAMILY, "size": FONT_SIZE - 1},
        hoverlabel={"font": {"family": FAMILY}},
        legend={"y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": FONT_SIZE - 1}},
        margin={"t": 12},
    )
    fig.update_xaxes(title_font={"size": FONT_SIZE - 1})
    return fig.update_yaxes(title_font={"size": FONT_SIZE - 1})


def group_colours(k: int, parents: Sequence[int] | None = None, mode: str = "light") -> list[str]:
    """A colour for each of k groups: the palette's own, or the parent's hue with a lightness for each sibling."""
    p = palette(mode)
    if parents is None:
        return [p.group(g) for g in range(k)]
    siblings: dict[int, list[int]] = {}
    for g, parent in enumerate(parents):
        siblings.setdefault(int(parent), []).append(g)
    colours = [""] * k
    for parent, members in siblings.items():
        for rank, g in enumerate(members):
            shift = 0.0 if len(members) == 1 else 0.45 * (2 * rank / (len(members) - 1) - 1)
            colours[g] = mix(p.group(parent), p.text if shift > 0 else p.background, abs(shift) * 0.75)
    return colours


def class_map(
    points: np.ndarray,
    groups: np.ndarray,
    labels: Sequence[str],
    hover: Sequence[str],
    *,
    colours: Sequence[str],
    lit: np.ndarray | None = None,
    found: Sequence[int] = (),
    names: Sequence[str] = (),
    mode: str = "light",
) -> go.Figure:
    """The classes on their map, one trace a group; groups up to twelve are named where they lie.

    `lit` bool[n] keeps classes in colour, the others turn grey (none: all in colour). `found` classes get a ring and,
    up to six, their name. `customdata` of every point is its class index.
    """
    p = palette(mode)
    fig = canvas(mode, height=560)
    lit = np.ones(len(groups), bool) if lit is None else lit
    dim = np.flatnonzero(~lit)
    if dim.size:
        fig.add_scatter(**_points(points, dim, hover, color=p.border, size=6), name="not selected", opacity=0.7)
    for g, label in enumerate(labels):
        members = np.flatnonzero((groups == g) & lit)
        if members.size:
            look = {
                "color": colours[g],
                "size": 8,
                "symbol": symbol(g),
                "line": {"width": 0.5, "color": p.background},
            }
            fig.add_scatter(**_points(points, members, hover, **look), name=label)
    if len(labels) <= 12:
        _name_groups(fig, points, groups, labels, lit, mode)
    if len(found):
        chosen = np.asarray(found)
        ring = {"color": "rgba(0,0,0,0)", "size": 16, "line": {"width": 2.5, "color": p.text}}
        fig.add_scatter(**_points(points, chosen, hover, **ring), name="found")
        for i in chosen if len(chosen) <= 6 else ():  # more names than that cover each other
            text = {"text": f"<b>{names[i]}</b>", "font": {"color": p.text, "size": FONT_SIZE - 1}}
            fig.add_annotation(x=points[i, 0], y=points[i, 1], yshift=18, showarrow=False, bgcolor=p.background, **text)
    return _bare(fig).update_layout(showlegend=False, dragmode="lasso", margin={"l": 4, "r": 4, "t": 4, "b": 4})


def tree(hierarchy: Hierarchy, *, root: str = "all", mode: str = "light") -> go.Figure:
    """All levels as nested areas, a class counting 1; a click opens a group and the bar on top leads back.

    Where the hierarchy is no tree, a group is drawn once under each parent that holds a part of it. `root` is the id of
    the node to open: "all", or "all/G" for group G of the top level.
    """
    p = palette(mode)
    rows = tree_nodes(hierarchy)
    top = group_colours(hierarchy.levels[0].k, None, mode)
    colours = [p.surface if g is None else top[g] for g in rows["top"]]
    texts = [max((p.text, p.background), key=lambda t, c=c: contrast(t, c)) for c in colours]
    fig = canvas(mode, height=620)
    heads = [label.split(" (")[0].split(", ")[0] for label in rows["labels"]]
    fig.add_treemap(
        ids=rows["ids"],
        labels=rows["labels"],
        text=["<br>".join(short(word, 12) for word in head.split()) for head in heads],
        customdata=["1 class" if n == 1 else f"{n} classes" for n in rows["values"]],
        textinfo="text",
        parents=rows["parents"],
        values=rows["values"],
        branchvalues="total",
        sort=False,
        level=root,
        maxdepth=3,
        pathbar={"visible": True, "thickness": PATHBAR},
        marker={"colors": colours, "line": {"width": 1, "color": p.background}},
        textfont={"color": texts, "size": FONT_SIZE - 1},
        hovertemplate="<b>%{label}</b><br>%{customdata}<extra></extra>",
    )
    fig.update_layout(margin={"l": 4, "r": 4, "t": 4 if root == "all" else 4 + PATHBAR, "b": 4})
    return fig.update_layout(uniformtext={"minsize": TILE_TEXT, "mode": "hide"})


def tree_nodes(hierarchy: Hierarchy) -> dict[str, list[Any]]:
    """ids (paths such as "all/3/41"), labels, parents, values (classes) and the top group of every node."""
    paths = np.stack([level.assignment for level in hierarchy.levels], 1)  # [n, levels]
    rows: dict[str, list[Any]] = {"ids": ["all"], "labels": ["all classes"], "parents": [""], "top": [None]}
    rows["values"] = [len(paths)]
    for depth in range(1, paths.shape[1] + 1):
        nodes, counts = np.unique(paths[:, :depth], axis=0, return_counts=True)
        for node, count in zip(nodes.tolist(), counts.tolist(), strict=True):
            rows["ids"].append("/".join(["all", *map(str, node)]))
            rows["parents"].append("/".join(["all", *map(str, node[:-1])]))
            rows["labels"].append(hierarchy.levels[depth - 1].labels[node[-1]])
            rows["values"].append(count)
            rows["top"].append(node[0])
    return rows


def _bare(fig: go.Figure) -> go.Figure:
    """No axes: they mean nothing. No fixed aspect either: narrow screens need the height."""
    bare = {"showgrid": False, "showticklabels": False, "ticks": "", "showline": False, "title": None}
    return fig.update_xaxes(**bare).update_yaxes(**bare)


def _points(points: np.ndarray, members: np.ndarray, hover: Sequence[str], **marker: Any) -> dict[str, Any]:
    return {
        "x": points[members, 0],
        "y": points[members, 1],
        "mode": "markers",
        "marker": marker,
        "customdata": members,
        "text": [hover[i] for i in members],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _densest(points: np.ndarray) -> np.ndarray:
    """The point of a group with most of the others near it: where its name should stand."""
    apart = ((points[:, None] - points[None, :]) ** 2).sum(-1)
    return points[np.exp(-apart / 0.02).sum(1).argmax()]


def _name_groups(
    fig: go.Figure, points: np.ndarray, groups: np.ndarray, labels: Sequence[str], lit: np.ndarray, mode: str
) -> None:
    """Write each group's first word where it is densest; a name that would cover another moves down."""
    p = palette(mode)
    heads = [label.split(" (")[0].split(", ")[0] for label in labels]
    texts = [short(h if heads.count(h) == 1 else label, 28) for h, label in zip(heads, labels, strict=True)]
    members = [np.flatnonzero((groups == g) & lit) for g in range(len(labels))]
    spots: list[tuple[float, float, str]] = [
        (*_densest(points[m]), text) for m, text in zip(members, texts, strict=True) if m.size >= 8
    ]
    span = np.ptp(points, axis=0)
    placed: list[tuple[float, float, float]] = []
    for x, y, text in sorted(spots, key=lambda spot: -spot[1]):
        half = 0.009 * len(text) * span[0]  # half a name's width on a map of 400 pixels
        low = y
        while any(abs(low - other) < 0.045 * span[1] and abs(x - at) < half + wide for at, other, wide in placed):
            low -= 0.01 * span[1]
        placed.append((x, low, half))
        font = {"color": p.text, "size": SMALL}
        fig.add_annotation(
            x=x,
            y=low,
            text=f"<b>{text}</b>",
            showarrow=False,
            font=font,
            bgcolor=p.background,
            borderpad=1,
            opacity=0.9,
        )


def write_cells(fig: go.Figure, z: np.ndarray, form: str, *, shades: np.ndarray | None = None) -> None:
    """Write the numbers into a heat map's cells, each in the colour that stands out from its cell.

    Cells are coloured by the numbers from least to most, or by `shades`, 0…1.
    """
    shares = (z - np.nanmin(z)) / max(np.nanmax(z) - np.nanmin(z), 1e-9) if shades is None else shades
    for (row, column), value in np.ndenumerate(z):
        if not np.isnan(value):
            place = 9 * shares[row, column]
            ground = mix(SEQUENTIAL[int(place)], SEQUENTIAL[min(int(place) + 1, 9)], place % 1)
            ink = max(("#ffffff", "#101418"), key=lambda colour, ground=ground: contrast(colour, ground))
            font = {"color": ink, "size": SMALL}
            fig.add_annotation(x=column, y=row, text=format(value, form), showarrow=False, font=font)


def short(text: str, length: int) -> str:
    """The text, cut to `length` characters with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip(" ,") + "…"

"""Clusters: a map of the 1000 classes by the text embeddings that grouped them, and the tree they form."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.errors import HiercodecError
from hiercodec.figures import taxonomy as figures
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.layouts import LAYOUTS_COMMAND, available_layouts
from hiercodec.ui.frame import chrome
from hiercodec.ui.taxonomy import live as taxonomy_live
from hiercodec.ui.taxonomy import shared


def choose():
    """The hierarchy, the level that gives the colours and the map."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tree = shared.pick("Hierarchy", key="tree", width=320)
        levels = [level.name for level in tree.levels[:-1]] or [tree.levels[-1].name]
        level = st.segmented_control(
            "Colour by", levels, default=levels[0], required=True, key="level", bind="query-params"
        )
        maps = available_layouts()
        place = st.selectbox(
            "Map", maps, format_func=shared.model_title, key="map", bind="query-params", width=240, disabled=not maps
        )
        find = st.text_input(
            "Find a class", key="find", bind="query-params", placeholder="crane, n02012849, …", width=240
        )
    return tree, tree.level(level if level in levels else levels[0]), place, find


@st.fragment
def explore(tree, level, place, find) -> None:
    """The map with what is found, chosen or drawn around, and those classes as a table."""
    layout = shared.layout(place)
    found = taxonomy.search(find or "", limit=40)
    left, right = st.columns([7, 4], gap="medium")
    with right:
        options = [f"{label} ({size})" for label, size in zip(level.labels, level.sizes, strict=True)]
        kept = st.multiselect("Groups", options, key=f"groups_{tree.digest}_{level.name}", placeholder="All groups")
    groups = [options.index(option) for option in kept]
    lit = np.isin(level.assignment, groups) if groups else None
    above = tree.names.index(level.name)
    parents = tree.parents(level.name)[0] if above else None
    if parents is not None and above > 1:
        parents = None
    with left:
        fig = figures.class_map(
            layout.points,
            level.assignment,
            level.labels,
            shared.hover_texts(tree, layout),
            colours=figures.group_colours(level.k, parents, chrome.mode()),
            lit=lit,
            found=[c.index for c in found],
            names=[c.name for c in taxonomy.classes()],
            mode=chrome.mode(),
        )
        alt = f"Map of the 1000 classes in {level.k} groups; the largest is {level.labels[level.sizes.argmax()]}"
        drawn = chrome.chart(
            fig, key="map_chart", alt=alt, on_select="rerun", selection_mode=("lasso", "box", "points")
        )
    lassoed = sorted({int(p["customdata"]) for p in drawn.selection.points if "customdata" in p}) if drawn else []
    chosen = lassoed or [c.index for c in found] or (np.flatnonzero(lit).tolist() if lit is not None else [])
    with right:
        shared.selection(chosen, tree, level, searched=bool(find) and not found)


def structure(tree) -> None:
    """The whole tree as nested areas; a menu opens a group without a mouse."""
    top = tree.levels[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Form", list(figures.TREE_KINDS), default="Treemap", required=True, key="form")
        opened = st.selectbox("Open", ["All classes", *top.labels], key=f"open_{tree.digest}", width=320)
    root = "all" if opened == "All classes" else f"all/{top.labels.index(opened)}"
    st.markdown(f"**All classes** › {opened}" if root != "all" else "**All classes**")
    fig = figures.tree(tree, kind=kind, root=root, mode=chrome.mode())
    alt = f"{tree.name}: {', '.join(f'{level.k} {level.name}' for level in tree.levels)}; {top.labels[0]} first"
    chrome.chart(fig, key=f"tree_{kind}_{root}", alt=alt, table=lambda: shared.group_rows(tree))
    if not tree.nested:
        share = shared.nesting_sentence(tree)
        chrome.notice(
            "info", f"This hierarchy is not a tree: {share} A group is drawn under every parent it has classes in."
        )


def groups(tree) -> None:
    """Every group of every level, with its size and classes."""
    st.dataframe(shared.group_rows(tree), hide_index=True, width="stretch", height=480)


chrome.page(
    "Where the hierarchy comes from",
    "Each dot is one of the 1000 ImageNet classes, placed by what a CLIP model makes of its *name*: near means alike. "
    "Groups of dots become the levels that the codec sends first.",
)
try:
    tree, level, place, find = choose()
    if tree.class_set != IMAGENET:
        chrome.notice("info", f"{tree.name} covers {tree.n_classes} classes of its own, so only its tree can be drawn.")
    elif place is None:
        chrome.empty("No map is shipped.", how=LAYOUTS_COMMAND)
    else:
        explore(tree, level, place, find)
    st.markdown(shared.clusters_conclusion(tree))
    shared.tabs({"Tree": structure, "Groups": groups, "Cluster anew": taxonomy_live.live}, "clusters_tab", tree)
    chrome.footer(shared.footer(tree, place))
except HiercodecError as error:
    chrome.empty(str(error), how=shared.ASSETS_COMMAND)
    chrome.footer()

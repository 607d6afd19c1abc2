"""Clusters: a map of the 1000 classes by the text embeddings that grouped them, and the tree they form."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.errors import HiercodecError
from hiercodec.figures import taxonomy as figures
from hiercodec.levels import spoken
from hiercodec.report.links import FIND, GROUP, LEVEL, TREE
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.layouts import LAYOUTS_COMMAND, available_layouts
from hiercodec.ui.frame import chrome, listen
from hiercodec.ui.taxonomy import glow, honest, live, portrait, shared, structure, tables


def choose():
    """The hierarchy, the level that gives the colours, the map, what to find and the photograph that lights the map."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tree = shared.pick("Hierarchy", key=TREE, width=280)
        levels = [level.name for level in tree.levels[:-1]] or [tree.levels[-1].name]
        level = st.segmented_control(
            "Colour by", levels, default=levels[0], format_func=spoken, required=True, key=LEVEL, bind="query-params"
        )
        maps = available_layouts()
        place = st.selectbox(
            "Map", maps, format_func=shared.model_title, key="map", bind="query-params", width=220, disabled=not maps
        )
        find = st.text_input("Find a class", key=FIND, bind="query-params", placeholder="crane, n0201…", width=220)
        photo = glow.choose()
    return tree, tree.level(level if level in levels else levels[0]), place, find, photo


def find_class(index: str) -> None:
    """A dot was clicked: find its class."""
    st.session_state[FIND] = taxonomy.classes()[int(index)].wnid


@st.fragment
def explore(tree, level, place, find) -> None:
    """The map with what is found, chosen or drawn around; beside it the class, the group or the classes in hand."""
    layout = shared.layout(place)
    found = taxonomy.search(find or "", limit=40)
    left, right = st.columns([7, 4], gap="medium")
    with right:
        if GROUP in st.session_state:  # of another level or hierarchy
            st.session_state[GROUP] = [label for label in st.session_state[GROUP] if label in level.labels]
        kept = st.multiselect(
            shared.plural(level.name).capitalize(), level.labels, key=GROUP, bind="query-params", placeholder="All"
        )
    groups = [level.labels.index(label) for label in kept]
    lit = np.isin(level.assignment, groups) if groups else None
    above = tree.names.index(level.name)
    with left:
        fig = figures.class_map(
            layout.points,
            level.assignment,
            level.labels,
            shared.hover_texts(tree, layout),
            colours=figures.group_colours(level.k, tree.parents(level.name)[0] if above == 1 else None, chrome.mode()),
            lit=lit,
            found=[c.index for c in found],
            names=[c.name for c in taxonomy.classes()],
            mode=chrome.mode(),
        )
        alt = f"Map of the 1000 classes in {level.k} groups; the largest is {level.labels[level.sizes.argmax()]}"
        with st.container(key="class_map"):
            drawn = chrome.chart(fig, key="map_chart", alt=alt, on_select="rerun", selection_mode=("lasso", "box"))
    taken = sorted({int(p["customdata"]) for p in drawn.selection.points if "customdata" in p}) if drawn else []
    chosen = taken or [c.index for c in found]
    with right:
        if len(chosen) == 1:
            portrait.one_class(tree, chosen[0], layout)
        elif len(groups) == 1 and not chosen:
            portrait.group(tree, level, groups[0], key="lit")
        else:
            chosen = chosen or (np.flatnonzero(lit).tolist() if lit is not None else [])
            tables.selection(chosen, tree, level, searched=bool(find) and not found)


def groups(tree) -> None:
    """Every group of every level; a chosen row shows the group's own section."""
    if tree.class_set == IMAGENET:
        st.markdown(honest.level_sentence(tree))
    rows = tables.group_rows(tree)
    drawn = st.dataframe(
        rows, hide_index=True, height=420, key="groups_table", on_select="rerun", selection_mode="single-row"
    )
    for number in drawn.selection.rows:
        level = next(level for level in tree.levels if spoken(level.name) == rows[number]["level"])
        portrait.group(tree, level, level.labels.index(rows[number]["name"]), key="listed")


chrome.page(
    "Where the hierarchy comes from",
    "Each dot is one of the 1000 ImageNet classes, placed by what a CLIP model makes of its *name*: near means alike. "
    "Groups of dots become the levels that the codec sends first: kinds, then families.",
)
try:
    tree, level, place, find, photo = choose()
    if tree.class_set != IMAGENET:
        chrome.notice("info", f"{tree.name} covers {tree.n_classes} classes of its own, so only its tree can be drawn.")
    elif place is None:
        chrome.empty("No map is shipped.", how=LAYOUTS_COMMAND)
    elif photo is not None:
        glow.draw(photo, tree, level.name, shared.layout(place))
    else:
        explore(tree, level, place, find)
        listen.to_clicks("class_map", find_class)
    st.markdown(shared.clusters_conclusion(tree))
    if tree.name in (honest.PLAIN, honest.MENDED):
        st.markdown(honest.choice_sentence(shared.stability()))
    chrome.tabs({"Tree": structure.draw, "Groups": groups, "Cluster anew": live.live}, "clusters_tab", tree)
    chrome.footer(shared.footer(tree, place))
except HiercodecError as error:
    chrome.empty(str(error), how=shared.ASSETS_COMMAND)
    chrome.footer()

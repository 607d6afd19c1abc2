"""The map of the classes by the text embeddings that grouped them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.figures import taxonomy as figures
from hiercodec.levels import spoken
from hiercodec.report.links import FIND, GROUP, LEVEL, TREE
from hiercodec.taxonomy import Hierarchy, HierarchyLevel
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.shipped import LAYOUTS_COMMAND, Layout, available_layouts
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import portrait, shared


def draw() -> None:
    """The map in the colours of a level; beside it the class, the group or the classes in hand."""
    maps = available_layouts()
    with chrome.controls():
        tree = shared.pick("Hierarchy", key=TREE, width=210)
        if tree.class_set == IMAGENET and maps:
            names = [level.name for level in tree.levels[:-1]]
            level = st.segmented_control(
                "Colour by", names, default=names[0], format_func=spoken, required=True, key=LEVEL, bind="query-params"
            )
            place = chrome.menu("Map", "map", maps, format_func=shared.model_title, width=150)
            find = st.text_input("Find a class", key=FIND, bind="query-params", placeholder="crane, n0201…", width=150)
    if tree.class_set != IMAGENET:
        chrome.notice("info", f"{tree.name} covers {tree.n_classes} classes of its own, so only its tree can be drawn.")
    elif not maps:
        chrome.empty("No map is shipped.", how=LAYOUTS_COMMAND)
    else:
        explore(tree, tree.level(level if level in names else names[0]), shared.layout(place), find)
        chrome.on_click("class_map", find_class)
        st.markdown(shared.conclusion(tree))
    chrome.footer(shared.footer(tree, place if tree.class_set == IMAGENET and maps else None))


def find_class(index: str) -> None:
    """A dot was clicked: find its class."""
    st.session_state[FIND] = taxonomy.classes()[int(index)].wnid


@st.fragment
def explore(tree: Hierarchy, level: HierarchyLevel, layout: Layout, find: str) -> None:
    """The map with what is found, chosen or drawn around; beside it the class, the group or the classes in hand."""
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
    parents = tree.parents(level.name)[0].tolist() if tree.names.index(level.name) == 1 else None
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
        with st.container(key="class_map"):
            drawn = chrome.chart(fig, key="map_chart", alt=alt, on_select="rerun", selection_mode=("lasso", "box"))
    taken = sorted({int(p["customdata"]) for p in drawn.selection.points if "customdata" in p}) if drawn else []
    chosen = taken or [c.index for c in found]
    with right:
        if len(chosen) == 1:
            portrait.one_class(tree, chosen[0], layout)
        elif len(groups) == 1 and not chosen:
            portrait.group(tree, level, groups[0])
        else:
            chosen = chosen or (np.flatnonzero(lit).tolist() if lit is not None else [])
            portrait.selection(chosen, tree, level, searched=bool(find) and not found)

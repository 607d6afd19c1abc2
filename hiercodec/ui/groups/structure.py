"""The tree of a hierarchy as nested areas: a click, a menu and the address open the same node."""

from __future__ import annotations

import streamlit as st

from hiercodec import taxonomy
from hiercodec.figures import taxonomy as figures
from hiercodec.report.links import FIND, TREE
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.ui.frame import chrome
from hiercodec.ui.frame.navigation import VIEW
from hiercodec.ui.groups import portrait, shared

OPEN, CHART = "open", "tree_chart"
ROOT = "all"


def draw() -> None:
    """Hierarchy and open node, the chart, and the section of the open group."""
    with chrome.controls():
        tree = shared.pick("Hierarchy", key=TREE, width=240)
        names = node_names(tree)
        root = chrome.menu("Open", OPEN, list(names), format_func=names.__getitem__, width=420)
    st.markdown(" › ".join(["**All classes**", *(names[root].split(" › ") if root != ROOT else ())]))
    top = tree.levels[0]
    alt = f"{shared.title(tree.name)}, open at {names[root]}: {top.k} {shared.plural(top.name)}; {top.labels[0]} first"
    with st.container(key=CHART):
        fig = figures.tree(tree, root=root, mode=chrome.mode())
        chrome.chart(fig, key="tree_map", alt=alt, table=lambda: portrait.group_rows(tree))
    chrome.on_click(CHART, lambda node: _open(tree, node))
    if not tree.nested:
        share = shared.nesting_sentence(tree)
        chrome.notice(
            "info", f"This hierarchy is not a tree: {share} A group is drawn under every parent it has classes in."
        )
    if path := [int(part) for part in root.split("/")[1:]]:
        portrait.group(tree, tree.levels[len(path) - 1], path[-1])
    elif tree.class_set == IMAGENET:
        st.markdown(shared.level_sentence(tree))
    chrome.footer(shared.footer(tree))


def node_names(tree: Hierarchy) -> dict[str, str]:
    """Id of every node that can be opened → its name with those above; the order of the tree."""
    rows = figures.tree_nodes(tree)
    labels = dict(zip(rows["ids"], rows["labels"], strict=True))
    names = {ROOT: "All classes"}
    for node in sorted(labels, key=lambda n: [int(part) for part in n.split("/")[1:]]):
        parts = node.split("/")
        if 1 < len(parts) <= len(tree.levels):
            names[node] = " › ".join(labels["/".join(parts[:end])] for end in range(2, len(parts) + 1))
    return names


def _open(tree: Hierarchy, node: str) -> None:
    """A tile was clicked: open its group, or, if it is a class, the map at that class."""
    parts = node.split("/")
    if len(parts) > len(tree.levels) and tree.class_set == IMAGENET:
        st.session_state.update({FIND: taxonomy.classes()[int(parts[-1])].wnid, VIEW: "Map"})
    elif node in node_names(tree):
        st.session_state[OPEN] = node

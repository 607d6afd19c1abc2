"""Tables of the page: the classes in hand, and every group of a hierarchy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy, HierarchyLevel
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.ui.groups import honest, shared


def selection(chosen: Sequence[int], tree: Hierarchy, level: HierarchyLevel, *, searched: bool) -> None:
    """The classes in hand: how alike they are, which groups they mix, and the rows to take away."""
    if searched:
        st.markdown("No class has this name, synonym or wnid.")
    if not chosen:
        st.markdown("Click a dot, draw around dots, find a class by name, or choose a group: it appears here.")
        shown = [row for row in group_rows(tree) if row["level"] == spoken(level.name)]
        columns = ("name", "classes", "mean WUP", "odd")
        st.dataframe([{c: row[c] for c in columns} for row in shown], hide_index=True, width="stretch", height=400)
        return
    rows = shared.rows_of(chosen, tree)
    mean = shared.mean_wup(chosen)
    top = tree.levels[0]
    mix = np.bincount(top.assignment[list(chosen)], minlength=top.k)
    with st.container(horizontal=True):
        st.metric("Classes", len(chosen))
        st.metric("Mean WUP", "–" if np.isnan(mean) else f"{mean:.2f}", help=shared.wup_help())
    parts = [f"{mix[g]} {top.labels[g]}" for g in np.argsort(-mix, kind="stable") if mix[g]]
    st.markdown(f"{spoken(top.name).capitalize()}: " + " · ".join(parts))
    st.dataframe(rows, hide_index=True, width="stretch", height=min(330, 40 + 35 * len(rows)))


def group_rows(tree: Hierarchy) -> list[dict[str, Any]]:
    """Every group of every level above the classes: level, name, size, mean WUP inside, odd members, parent, classes."""
    fine = tree.levels[-1].labels
    imagenet = tree.class_set == IMAGENET
    rows: list[dict[str, Any]] = []
    for depth, level in enumerate(tree.levels[:-1]):
        parents = tree.parents(level.name)[0] if depth else None
        inside = _inside(tree, level) if imagenet else ()
        odd = Counter(row.group for row in honest.odd(tree, level)) if imagenet else {}
        for g, label in enumerate(level.labels):
            members = level.members(g)
            row: dict[str, Any] = {"level": spoken(level.name), "name": label, "classes": len(members)}
            if imagenet:
                row["mean WUP"] = None if np.isnan(inside[g]) else round(float(inside[g]), 2)
                row["odd"] = odd[g]
            row["inside"] = tree.levels[depth - 1].labels[parents[g]] if parents is not None else ""
            row["members"] = ", ".join(fine[i] for i in members)
            rows.append(row)
    return rows


@st.cache_data(max_entries=64, show_spinner=False)
def _means(digest: str, level: str, _level: HierarchyLevel) -> list[float]:
    return [shared.mean_wup(_level.members(g)) for g in range(_level.k)]


def _inside(tree: Hierarchy, level: HierarchyLevel) -> list[float]:
    """Mean WUP of the pairs inside each group; NaN for a group of one."""
    return _means(tree.digest, level.name, level)

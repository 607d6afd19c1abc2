"""One group or one class: its path, its neighbours, what is odd about it, photographs of it on Explore; tables of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy, HierarchyLevel
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.naming import left_out
from hiercodec.taxonomy.shipped import Layout
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared

NEAREST = 5


def group(tree: Hierarchy, level: HierarchyLevel, index: int) -> None:
    """A group's own section: path, size, similarity, nearest groups, odd members, photographs, classes."""
    members = level.members(index)
    st.markdown(f"**{spoken(level.name).capitalize()} “{level.labels[index]}”** · {_path(tree, level, members)}")
    if tree.class_set != IMAGENET:
        st.dataframe([{"class": tree.levels[-1].labels[i]} for i in members], hide_index=True, height=300)
        return
    nearer = shared.nearer_elsewhere(tree, level, index)
    with st.container(horizontal=True):
        st.metric("Classes", len(members))
        mean = shared.mean_wup(members)
        st.metric("Mean WUP", "–" if np.isnan(mean) else f"{mean:.2f}", help=shared.wup_help())
    if named := name_sentence(level, index):
        st.markdown(named)
    near = ", ".join(f"{level.labels[g]} ({value:.2f})" for g, value in nearest_groups(level, index))
    st.markdown(f"Nearest by WUP: {near}.")
    st.markdown(shared.group_sentence(nearer, len(members), level))
    if nearer:
        rows = shared.odd_rows(nearer, level)
        st.dataframe(rows, hide_index=True, width="stretch", height=min(220, 40 + 35 * len(rows)))
    photographs(members)
    rows = shared.rows_of(members, tree)
    with st.expander(f"Its {len(members)} {'class' if len(members) == 1 else 'classes'}"):
        st.dataframe(rows, hide_index=True, width="stretch", height=min(330, 40 + 35 * len(rows)))


def one_class(tree: Hierarchy, index: int, layout: Layout) -> None:
    """A class: path, similarity to its groups, nearest classes by embedding and by WordNet, photographs."""
    found = taxonomy.classes()[index]
    st.markdown(f"**{found.name}** · {found.wnid} · {' › '.join(tree.path(index)[:-1])}")
    wup = wup_matrix()
    with st.container(horizontal=True):
        for level in tree.levels[:-1]:
            others = [i for i in level.members(int(level.assignment[index])) if i != index]
            value = f"{wup[index, others].mean():.2f}" if others else "–"
            help_ = f"Mean WordNet similarity to the {len(others)} other classes of its {spoken(level.name)}."
            st.metric(f"WUP in its {spoken(level.name)}", value, help=help_)
    for level in tree.levels[:-1]:
        if (row := next((row for row in shared.odd(tree, level) if row.index == index), None)) is not None:
            st.markdown(
                f"**An odd {spoken(level.name)} for it.** By WUP it is nearer to “{level.labels[row.nearer]}”, by "
                f"{row.margin:.2f}. An answer “{level.labels[row.group]}” counts as right all the same."
            )
    by_name = [(int(i), float(wup[index, i])) for i in layout.nearest[index]]
    st.markdown(f"Nearest by name ({layout.title}), with WUP")
    st.dataframe(_neighbours(by_name, tree), hide_index=True, width="stretch")
    st.markdown("Nearest by WordNet")
    st.dataframe(_neighbours(nearest_classes(index), tree), hide_index=True, width="stretch")
    photographs([index])


def name_sentence(level: HierarchyLevel, index: int) -> str:
    """Which classes of a group its written name does not speak of; "" where its name was not written."""
    rest = left_out(level, index)
    if rest is None:
        return ""
    size = len(level.members(index))
    if not len(rest):
        return f"The name was written by people and says what all {size} of its classes are."
    others = ", ".join(taxonomy.classes()[i].name for i in rest)
    return (
        f"The name was written by people and says what **{size - len(rest)} of {size}** classes are. The others stand here "
        f"because the embeddings put them here: {others}."
    )


def nearest_groups(level: HierarchyLevel, index: int) -> list[tuple[int, float]]:
    """The groups with the highest mean WUP to a group, best first."""
    members = level.members(index)
    toward = wup_matrix()[members].mean(0)
    means = np.bincount(level.assignment, toward, level.k) / level.sizes
    return [(int(g), float(means[g])) for g in np.argsort(-means, kind="stable") if g != index][:3]


def nearest_classes(index: int) -> list[tuple[int, float]]:
    """The classes with the highest WUP to a class, best first; ties in class order."""
    row = wup_matrix()[index]
    return [(int(i), float(row[i])) for i in np.argsort(-row, kind="stable") if i != index][:NEAREST]


def photos_of(members: Collection[int]) -> list[Sample]:
    """The sample photographs whose right classes include one of these."""
    wanted = set(map(int, members))
    return [row for row in samples() if wanted & set(row.truth)]


def photographs(members: Collection[int]) -> None:
    """Links to the sample photographs of these classes on Explore, if there are any."""
    if found := photos_of(members):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("See photos:")
            for row in found:
                chrome.link("explore", row.title, query={"photo": row.title}, icon=":material/photo:")


def _neighbours(rows: Sequence[tuple[int, float]], tree: Hierarchy) -> list[dict[str, Any]]:
    level = tree.levels[:-1][-1]
    return [
        {
            "class": taxonomy.classes()[i].name,
            "WUP": round(value, 2),
            spoken(level.name): level.labels[level.assignment[i]],
        }
        for i, value in rows
    ]


def _path(tree: Hierarchy, level: HierarchyLevel, members: np.ndarray) -> str:
    """The groups above, by most of the members where the hierarchy is no tree."""
    above = tree.levels[: tree.names.index(level.name)]
    names = [lv.labels[np.bincount(lv.assignment[members]).argmax()] for lv in above]
    return " › ".join(["all classes", *names])


# ---- classes in hand, and every group ---------------------------------------------------------------------------------
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
        odd = Counter(row.group for row in shared.odd(tree, level)) if imagenet else {}
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

"""The map of the classes by the text embeddings that grouped them; a photograph lights it by what it is taken for."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.evaluation.traces.trace import Step, Trace
from hiercodec.figures import taxonomy as figures
from hiercodec.levels import spoken
from hiercodec.report.links import FIND, GROUP, LEVEL, TREE
from hiercodec.taxonomy import Hierarchy, HierarchyLevel
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.shipped import LAYOUTS_COMMAND, Layout, available_layouts
from hiercodec.ui.frame import cached, chrome, listen
from hiercodec.ui.groups import portrait, shared, tables

PHOTO, STEP = "light", "light_step"


def draw() -> None:
    """The map in the colours of a level, or lit by a photograph; beside it the class, the group or the classes in hand."""
    maps = available_layouts()
    with chrome.controls():
        tree = shared.pick("Hierarchy", key=TREE, width=210)
        if tree.class_set == IMAGENET and maps:
            names = [level.name for level in tree.levels[:-1]]
            level = st.segmented_control(
                "Colour by", names, default=names[0], format_func=spoken, required=True, key=LEVEL, bind="query-params"
            )
            place = chrome.menu("Map", "map", maps, format_func=shared.model_title, width=150)
            photo = _light()
            find = "" if photo else st.text_input(
                "Find a class", key=FIND, bind="query-params", placeholder="crane, n0201…", width=150
            )  # fmt: skip
    if tree.class_set != IMAGENET:
        chrome.notice("info", f"{tree.name} covers {tree.n_classes} classes of its own, so only its tree can be drawn.")
    elif not maps:
        chrome.empty("No map is shipped.", how=LAYOUTS_COMMAND)
    else:
        chosen, layout = tree.level(level if level in names else names[0]), shared.layout(place)
        if photo:
            glow(photo, tree, chosen.name, layout)
        else:
            explore(tree, chosen, layout, find)
            listen.to_clicks("class_map", find_class)
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
            tables.selection(chosen, tree, level, searched=bool(find) and not found)


# ---- lit by a photograph ------------------------------------------------------------------------------------------------
def _light() -> Sample | None:
    """The menu of photographs that can light the map; None leaves it alone."""
    with_trace: dict[str, Any] = {s.title: s for s in samples() if (cached.TRACES / f"{s.id}.zip").is_file()}
    said = "Colour every class by how likely its group is for a photograph, after so many bytes of its file."
    return with_trace.get(chrome.menu("Light by", PHOTO, ["no photograph", *with_trace], width=150, help=said))


def glow(photo: Sample, tree: Hierarchy, level_name: str, layout: Layout) -> None:
    """The slider over the bytes and the map lit by the probabilities at that step."""
    trace = cached.shipped_bundle(photo.id).trace
    judged_by = trace.provenance.get("hierarchy", "")
    own = tree.digest == trace.provenance.get("hierarchy_digest")
    used = tree if own else shared.get(judged_by)
    level = used.level(level_name) if level_name in trace.steps[0].mass else used.levels[0]
    count = len(trace.steps)
    number = st.slider("Step", 1, count, min(5, count), key=STEP, bind="query-params", format=f"%d of {count}")
    step = trace.steps[number - 1]
    values = probabilities(step, level.name, level.assignment)
    hover = [
        f"<b>{c}</b><br>{spoken(level.name)}: {level.labels[g]}, {values[i]:.1%}"
        for i, (c, g) in enumerate(zip(used.levels[-1].labels, level.assignment, strict=True))
    ]
    st.markdown(sentence(photo, trace, step, level.name))
    fig = figures.glow_map(layout.points, values, level.assignment, level.labels, hover, mode=chrome.mode())
    alt = f"The map lit by what {photo.title} is taken for after {step.bytes} bytes; brightest: {step.top[level.name][0][1]}"
    chrome.chart(fig, key="glow_chart", alt=alt)
    if not own:
        st.caption(f"The groups are those of {shared.title(judged_by)}, by which the photographs were judged.")
    chrome.link("explore", f"Open {photo.title} at these bytes", query={"photo": photo.title, "step": str(number)})


def probabilities(step: Step, level: str, assignment: np.ndarray) -> np.ndarray:
    """float64[n]: for every class, the probability of its group at `level`."""
    return np.asarray(step.mass[level])[assignment]


def sentence(photo: Sample, trace: Trace, step: Step, level: str) -> str:
    """What the map shows, in words."""
    group, label, chance = step.top[level][0]
    right = group in trace.measure_of(level)
    known = f", which is {'right' if right else 'wrong'}" if trace.known else ""
    became = ". Nothing arrived yet: this is a blank picture" if step.blank else known
    return (
        f"**{photo.title}** after **{step.bytes:,}** of {trace.file_bytes:,} bytes: the likeliest {spoken(level)} is "
        f"“{label}”, {chance:.0%}{became}."
    )

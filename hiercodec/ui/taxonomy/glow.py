"""What a classifier makes of a sample photograph after so many bytes, drawn on the map of the classes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.evaluation.traces.trace import Step, Trace
from hiercodec.figures import taxonomy as figures
from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.layouts import Layout
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.taxonomy import shared

PHOTO, STEP = "light", "light_step"


def choose() -> Sample | None:
    """The menu of photographs that can light the map; None leaves it alone."""
    with_trace = {row.title: row for row in samples() if (cached.TRACES / f"{row.id}.zip").is_file()}
    options = ["no photograph", *with_trace]
    chosen = st.selectbox(
        "Light by", options, key=PHOTO, bind="query-params", width=200,
        help="Colour every class by how likely its group is for a photograph, after so many bytes of its file.",
    )  # fmt: skip
    return with_trace.get(chosen or "")


def draw(photo: Sample, tree: Hierarchy, level_name: str, layout: Layout) -> None:
    """The slider over the bytes and the map lit by the probabilities at that step."""
    trace = cached.shipped_bundle(photo.id).trace
    judged_by = trace.provenance.get("hierarchy", "")
    own = tree.digest == trace.provenance.get("hierarchy_digest")
    used = tree if own else shared.shipped(judged_by)
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

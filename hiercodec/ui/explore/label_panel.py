"""The panel "Label and pixels": a file's own label, what its pixels show, and both together, level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from hiercodec.levels import spoken
from hiercodec.report.answers import NOTHING_YET, format_bytes, percent
from hiercodec.report.glossary import verdict
from hiercodec.report.label import agreement, label_at
from hiercodec.ui.frame import chrome

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Ranked, Trace
    from hiercodec.ui.explore.subject import Subject


def label_and_pixels(shown: Subject, position: int) -> None:
    """A table of the three answers here, and how sure each is of the label against bytes."""
    from hiercodec.figures.trace import label_curves

    trace = shown.bundle.trace
    size = format_bytes(max(answer.bytes for answer in trace.label.values()))
    st.markdown(
        f"This file begins with a label: **{trace.labeller}** looked at the original and wrote down what it is. That "
        f"answer, the **label**, is there after {size}. **Pixels** is what the classifier makes of the pixels so far. "
        "**Together** weighs both: two that agree are surer than one."
    )
    st.dataframe(
        [label_row(trace, position, level) for level in trace.label if label_at(trace, position, level)],
        hide_index=True,
        width="stretch",
    )
    for level in trace.label:
        said = agreement(trace, position, level)
        if said is not None and not said.agrees:
            st.markdown(f"**{spoken(level).capitalize()}**: {said.sentence}")
    if not trace.steps[-1].fused:
        chrome.empty("Nobody looks at the pixels: choose a classifier in the settings to compare.")
        return
    level = st.segmented_control(
        "How sure of the label’s", list(trace.label), default=list(trace.label)[-1], required=True, format_func=spoken,
        key="explore_label_level",
    )  # fmt: skip
    fig = label_curves(trace, level, position=position, mode=chrome.mode())
    chrome.chart(
        fig, key="explore_label_curves", alt=f"How likely “{trace.label[level].name}” is against bytes, three ways"
    )
    st.caption(
        "Together: label to the power a, times pixels to the power b, made to add up to 100 %. a and b were fitted on "
        "training photographs (`python -m tools.assets fusion`). The label costs 8 bytes, counted in every size here."
    )


def label_row(trace: Trace, position: int, level: str) -> dict[str, Any]:
    """One level's three answers in words."""
    label, step = trace.label[level], trace.steps[position]
    said = agreement(trace, position, level)
    return {
        "level": spoken(level),
        "label": f"{label.name} {percent(label.confidence)} {verdict(trace, level, label.group).sign}",
        "pixels": NOTHING_YET if step.blank else _best(trace, level, step.top.get(level, ())),
        "together": _best(trace, level, step.fused.get(level, ())),
        "": ("✓ " if said.agrees else "≠ ") + said.short if said else "",
    }


def _best(trace: Trace, level: str, ranked: Ranked) -> str:
    if not ranked:
        return "not asked"
    group, label, p = ranked[0]
    return f"{label} {percent(p)} {verdict(trace, level, group).sign}"

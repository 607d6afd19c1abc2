"""The panel "Told and seen": a file's own label, what its pixels show, and both together, level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from hiercodec.levels import spoken
from hiercodec.report.answers import NOTHING_YET, format_bytes, percent
from hiercodec.report.glossary import verdict
from hiercodec.report.told import agreement, told_at
from hiercodec.ui.frame import chrome

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Ranked, Trace
    from hiercodec.ui.explore.subject import Subject


def told_and_seen(shown: Subject, position: int) -> None:
    """A table of the three answers here, and how sure each is of the label against bytes."""
    from hiercodec.figures.trace import told_curves

    trace = shown.bundle.trace
    size = format_bytes(max(told.bytes for told in trace.told.values()))
    st.markdown(
        f"This file begins with a label: **{trace.teller}** looked at the original and wrote down what it is. That is the "
        f"**told** answer, there after {size}. The **seen** answer is what the classifier makes of the pixels so far. "
        "**Together** weighs both: two that agree are surer than one."
    )
    st.dataframe(
        [told_row(trace, position, level) for level in trace.told if told_at(trace, position, level)],
        hide_index=True,
        width="stretch",
    )
    for level in trace.told:
        said = agreement(trace, position, level)
        if said is not None and not said.agrees:
            st.markdown(f"**{spoken(level).capitalize()}**: {said.sentence}")
    if not trace.steps[-1].fused:
        chrome.empty("Nobody looks at the pixels: choose a classifier in the settings to compare.")
        return
    level = st.segmented_control(
        "How sure of the label’s", list(trace.told), default=list(trace.told)[-1], required=True, format_func=spoken,
        key="explore_told_level",
    )  # fmt: skip
    fig = told_curves(trace, level, position=position, mode=chrome.mode())
    chrome.chart(
        fig, key="explore_told_curves", alt=f"How likely “{trace.told[level].label}” is against bytes, three ways"
    )
    st.caption(
        "Together: told to the power a, times seen to the power b, made to add up to 100 %. a and b were fitted on training "
        "photographs (`python -m tools.assets fusion`). The label costs 8 bytes, counted in every size here."
    )


def told_row(trace: Trace, position: int, level: str) -> dict[str, Any]:
    """One level's three answers in words."""
    told, step = trace.told[level], trace.steps[position]
    said = agreement(trace, position, level)
    return {
        "level": spoken(level),
        "told": f"{told.label} {percent(told.confidence)} {verdict(trace, level, told.group).sign}",
        "seen": NOTHING_YET if step.blank else _best(trace, level, step.top.get(level, ())),
        "together": _best(trace, level, step.fused.get(level, ())),
        "": ("✓ " if said.agrees else "≠ ") + said.short if said else "",
    }


def _best(trace: Trace, level: str, ranked: Ranked) -> str:
    if not ranked:
        return "not asked"
    group, label, p = ranked[0]
    return f"{label} {percent(p)} {verdict(trace, level, group).sign}"

"""The panel "Stop when sure": at which byte a receiver could stop reading this file, level by level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from hiercodec.classify import card_of, confidence_of
from hiercodec.evaluation.traces.until import Until, confidences, stop_step
from hiercodec.levels import spoken
from hiercodec.report.answers import NOTHING_YET, format_bytes, percent
from hiercodec.report.glossary import verdict
from hiercodec.ui.frame import chrome
from hiercodec.ui.results.stopping import about_confidence

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Trace
    from hiercodec.ui.explore.subject import Subject


def stop_when_sure(shown: Subject, position: int) -> None:
    """A threshold, where every level reaches it, and the curve it is read from."""
    trace = shown.bundle.trace
    if not trace.steps[-1].top:
        chrome.empty("This trace was made without a classifier.")
        return
    from hiercodec.figures.stopping import stop_curves

    st.markdown("Whoever needs only the kind need not read the whole file. Choose how sure is sure enough:")
    threshold = st.slider("Stop when this sure, in per cent", 50, 99, 90, key="explore_sure", width=420) / 100
    said = trace.provenance
    curves = confidence_of(card_of(str(said.get("classifier"))), str(said.get("hierarchy")))
    stops = {level: stop_step(trace, Until(level, threshold), curves) for level in trace.levels}
    sure = {level: confidences(trace, level, curves) for level in trace.levels}
    left, right = st.columns([2, 3], gap="large")
    with left:
        rows = [stop_row(trace, level, stops[level], sure[level]) for level in trace.levels]
        st.dataframe(rows, hide_index=True, width="stretch")
        st.markdown(warning(trace, stops))
        st.caption(about_confidence(trace.levels[0], str(said.get("classifier")), curves))
    with right:
        fig = stop_curves(trace, sure, stops, threshold, position=position, mode=chrome.mode())
        words = "; ".join(f"{row['sure of the']} {row['stops at']}" for row in rows)
        chrome.chart(fig, key="explore_stop", alt=f"How sure each answer is against bytes; stops: {words}")


def stop_row(trace: Trace, level: str, at: int | None, sure: list[float]) -> dict[str, Any]:
    """Where one level stops, in words: bytes and share, the answer there, how sure, and whether it is right."""
    index = len(trace.steps) - 1 if at is None else at
    step = trace.steps[index]
    group, label, _ = step.top[level][0]
    share = f"{step.bytes / trace.file_bytes:.0%}"
    return {
        "sure of the": spoken(level),
        "stops at": "never: reads all" if at is None else f"{format_bytes(step.bytes)} ({share})",
        "answer": label,
        "sure": percent(sure[index]),
        "right?": NOTHING_YET if step.blank else str(verdict(trace, level, group)),
    }


def warning(trace: Trace, stops: dict[str, int | None]) -> str:
    """What a threshold costs here: the levels at which it stops at a wrong answer; "" where none does."""
    wrong = [
        spoken(level) for level, at in stops.items() if at is not None and trace.known and not trace.holds(at, level)
    ]
    if not wrong:
        return ""
    return f"Sure is not right: at this threshold reading stops at a wrong {' and a wrong '.join(wrong)}."

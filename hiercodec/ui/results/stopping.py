"""Stop when sure over many photographs: the controller's curve, a threshold to try, and what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from hiercodec.classify import Confidence, card_of, confidence_of
from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results.stopping import (
    THRESHOLDS,
    Outcome,
    bytes_for,
    controlled,
    fixed,
    gain,
    sureness,
)
from hiercodec.evaluation.results.table import Table
from hiercodec.figures.rates import controller_curve
from hiercodec.levels import spoken
from hiercodec.ui.frame import chrome
from hiercodec.ui.results import choice as choices
from hiercodec.ui.results.choice import Choice


def draw() -> None:
    """The curve of a receiver that stops when it is sure, beside the same cut for every file."""
    st.markdown(
        "A receiver need not read the same number of bytes of every file. It can stop at the first cut at which the "
        "classifier is sure enough: easy photographs end early, hard ones go on."
    )
    with chrome.controls():
        choice = choices.pick(regroup=False)
        models = [name for name in choice.meta["provenance"].get("models") or {} if name in choice.codecs]
        if choice.levels and models:
            levels = list(choice.levels)
            codec = chrome.menu("Codec", "of", models, width=150, format_func=title)
            level = chrome.menu("Be sure of the", "sure_of", levels, width=130, format_func=spoken)
            threshold = st.select_slider(
                "Stop when this sure", THRESHOLDS, value=0.9, format_func=lambda share: f"{share:.0%}", key="threshold",
                bind="query-params", width=260,
            )  # fmt: skip
    choices.notices(choice)
    if choice.levels and models:
        stopped_and_same(choice, codec, level, threshold)
    else:
        chrome.empty("These rows hold no prefixes of our codec that a classifier has judged.")
    choice.footer()


def stopped_and_same(choice: Choice, codec: str, level: str, threshold: float) -> None:
    """What the threshold gives, in words, and the curve over all thresholds."""
    table, judge = choice.tables[codec], choice.judge
    curves = confidence_of(card_of(judge), str(choice.meta["provenance"].get("hierarchy")))
    sure = sureness(table, level, curves)
    stopped, same = controlled(table, level, sure), fixed(table, level)
    here = next(outcome for outcome in stopped if outcome.rule == threshold)
    st.markdown(in_words(table, level, sure, here, same))
    chrome.chart(
        controller_curve(stopped, same, chosen=threshold, mode=chrome.mode()),
        key=f"stopping_{choice.key}_{level}",
        alt=f"Accuracy of the {spoken(level)} against mean bytes, stopping when sure beside the same cut for every file",
        table=lambda: as_rows(stopped, same),
    )
    st.caption(about_confidence(level, judge, curves))


def in_words(table: Table, level: str, sure: np.ndarray, here: Outcome, same: list[Outcome]) -> str:
    """What one threshold gives, beside equal cuts of as many bytes, and beside equal cuts that are right as often."""
    more, low, high = gain(table, level, sure, float(here.rule))
    whole = table.bytes.max(1).mean()
    right = "is right" if table.labelled else "answers as on the original"
    needed = bytes_for(same, here.accuracy)
    alike = (
        "no cut is right so often" if needed is None else f"the same cut for all needs **{needed:,.0f} bytes** for that"
    )
    verdict = "no clear difference" if low <= 0 <= high else "better" if low > 0 else "worse"
    return (
        f"Stopping when **{here.rule:.0%} sure** of the {spoken(level)} reads **{here.bytes:,.0f} bytes** on average, "
        f"{here.bytes / whole:.0%} of the whole file, and {right} for **{here.accuracy:.1%}** of {len(table)} photographs "
        f"(95 % interval {here.low:.1%} to {here.high:.1%}); {alike}. At equal mean bytes the difference is "
        f"**{100 * more:+.1f} points** ({100 * low:+.1f} to {100 * high:+.1f}): {verdict}."
    )


def as_rows(stopped: list[Outcome], same: list[Outcome]) -> list[dict[str, Any]]:
    """The curve's numbers."""
    return [
        {
            "rule": f"{o.rule:.0%} sure" if isinstance(o.rule, float) else f"all at {spoken(str(o.rule))}",
            "mean bytes": round(o.bytes),
            "right (%)": round(100 * o.accuracy, 1),
            "from (%)": round(100 * o.low, 1),
            "to (%)": round(100 * o.high, 1),
            "stopped early (%)": round(100 * o.early, 1),
        }
        for o in (*stopped, *same)
    ]


def about_confidence(level: str, judge: str, curves: Confidence) -> str:
    """How sure "sure" is, by the classifier's card: errors of held-out photographs, or that nothing was calibrated."""
    card = card_of(judge)
    if not card:
        return f"Sure is the probability that {judge} gives its answer. Nobody has calibrated this classifier here."
    if level in curves.curves:
        fitted = card["confidence"]["levels"][level]
        named, rows = (
            f"a curve by level and share of the file (here: the {spoken(level)})",
            fitted["held_out_by_prefix"],
        )
        whole = fitted["held_out"]
    else:
        named, rows, whole = "one temperature for all levels and prefixes", card["held_out_by_prefix"], card["held_out"]
    prefix, short = next(iter(rows.items()))
    verdict = "better" if short["ece_after"] < short["ece_before"] else "worse"
    return (
        f"Sure is a probability of {judge} after {named}, fitted on training photographs. On others of them that were held "
        f"out it is off by {whole['ece_after']:.3f} on average (ECE; {whole['ece_before']:.3f} without). On prefixes of "
        f"{prefix} of a file it is {verdict} than without: {short['ece_before']:.3f} → {short['ece_after']:.3f}."
    )

"""Stop when sure over many photographs: the controller's curve, a threshold to try, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from hiercodec.classify import Confidence, card_of, confidence_of
from hiercodec.errors import InputError
from hiercodec.evaluation.stopping import THRESHOLDS, Ladder, Outcome, bytes_for, controlled, fixed, gain, ladder
from hiercodec.figures.stopping import controller_curve
from hiercodec.levels import spoken
from hiercodec.ui.frame import chrome

if TYPE_CHECKING:
    from hiercodec.evaluation.rows import Rows


def stopping_section(rows: Rows, *, key: str = "stopping") -> None:
    """Draw the section for measured rows with a known truth; says why where they do not allow it."""
    st.header("Stop when sure", anchor=False)
    st.markdown(
        "A receiver need not read the same number of bytes of every file. It can stop at the first cut at which the "
        "classifier is sure enough: easy photographs end early, hard ones go on."
    )
    codecs = [name for name in (rows.meta.get("provenance") or {}).get("models", {}) if name in rows.codecs]
    if not codecs or not rows.judges:
        chrome.empty("These rows hold no prefixes of our codec that a classifier has judged.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        level = st.segmented_control(
            "Be sure of the", list(rows.levels), default=next(iter(rows.levels)), required=True, format_func=spoken,
            key=f"{key}_level",
        )  # fmt: skip
        judge = st.selectbox("Judge", rows.judges, key=f"{key}_judge", width=260)
        threshold = st.select_slider(
            "Stop when this sure", THRESHOLDS, value=0.9, format_func=lambda share: f"{share:.0%}",
            key=f"{key}_threshold", width=320,
        )  # fmt: skip
    curves = confidence_of(card_of(judge), str(rows.meta["provenance"].get("hierarchy")))
    try:
        cuts = ladder(rows, level, codecs[0], judge, curves)
    except InputError as error:
        chrome.empty(f"This cannot be drawn: {error}.")
        return
    stopped, same = controlled(cuts), fixed(cuts)
    here = next(outcome for outcome in stopped if outcome.rule == threshold)
    st.markdown(in_words(cuts, level, here, same))
    chrome.chart(
        controller_curve(stopped, same, chosen=threshold, mode=chrome.mode()),
        key=f"{key}_curve",
        alt=f"Accuracy of the {spoken(level)} against mean bytes, stopping when sure beside the same cut for every file",
        table=lambda: as_rows(stopped, same),
    )
    st.caption(about_confidence(level, judge, curves))


def in_words(cuts: Ladder, level: str, here: Outcome, same: list[Outcome]) -> str:
    """What one threshold gives, beside equal cuts of as many bytes, and beside equal cuts that are right as often."""
    more, low, high = gain(cuts, float(here.rule))
    whole = cuts.bytes.max(1).mean()
    needed = bytes_for(same, here.accuracy)
    alike = (
        "no cut is right so often" if needed is None else f"the same cut for all needs **{needed:,.0f} bytes** for that"
    )
    verdict = "no clear difference" if low <= 0 <= high else "better" if low > 0 else "worse"
    return (
        f"Stopping when **{here.rule:.0%} sure** of the {spoken(level)} reads **{here.bytes:,.0f} bytes** on average, "
        f"{here.bytes / whole:.0%} of the whole file, and is right for **{here.accuracy:.1%}** of {len(cuts)} photographs "
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
    """How sure "sure" is: the calibration error of held-out photographs, or that there is no calibration."""
    card = (card_of(judge).get("confidence") or {}).get("levels", {}).get(level)
    if level not in curves.curves or not card:
        return (
            f"Sureness is the probability that {judge} gives its answer. No curve was fitted for this classifier and "
            "hierarchy, so on short prefixes it is surer than it is right."
        )
    first, *_ = card["held_out_by_prefix"].items()
    before, after = (first[1][f"ece_{when}"] for when in ("before", "after"))
    return (
        "Sureness is calibrated: on training photographs that were held out, it is off by "
        f"{card['held_out']['ece_after']:.3f} on average (ECE, {spoken(level)}, all prefixes). On prefixes of {first[0]} "
        f"of a file the classifier's own probability was off by {before:.3f}, after the curve for the share of bytes "
        f"{after:.3f}."
    )

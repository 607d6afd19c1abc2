"""What a file's own label says beside what its pixels show, in words. No Streamlit.

*Label* is the answer in the file's first bytes, *pixels* what a classifier makes of the pixels that have arrived, *together*
both as one (`classify.fusion`). Where label and pixels differ, the words say what that may mean.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hiercodec.evaluation.traces.trace import LabelAnswer, Trace
from hiercodec.report.answers import percent
from hiercodec.report.glossary import verdict


class Agreement(NamedTuple):
    """Whether the pixels say what the label says: `agrees`, in short for a card, and as a sentence."""

    agrees: bool
    short: str
    sentence: str


SAME = Agreement(True, "agrees", "The pixels say the same.")
BOTH_RIGHT = Agreement(True, "both right", "They differ, and both count as right.")
BOTH_WRONG = Agreement(False, "both wrong", "Both are wrong: neither the label nor the pixels name the thing.")
EARLY = Agreement(False, "too few bytes", "Too few bytes so far: with the whole file the two agree.")
HARD = Agreement(False, "hard picture", "A hard picture: the label is right, and even the whole file does not show it.")
WRONG = Agreement(False, "wrong label", "A wrong label in the file: its pixels show what the thing is.")
CUT = Agreement(
    False,
    "too few bytes?",
    "Perhaps too few bytes: this file was cut, and what is left says otherwise.",
)
PERHAPS_WRONG = Agreement(
    False,
    "wrong label?",
    "Perhaps a wrong label in the file: with all bytes the classifier is surer of its own answer than the label is.",
)
PERHAPS_HARD = Agreement(
    False,
    "hard picture?",
    "Perhaps a hard picture: even with all bytes the classifier is less sure than the label is.",
)


def agreement(trace: Trace, index: int, level: str) -> Agreement | None:
    """What a step's answer makes of the label at a level; None before label and pixels, and where nobody looked."""
    label, pixels = label_at(trace, index, level), trace.steps[index].top.get(level)
    if label is None or not pixels or trace.steps[index].blank:
        return None
    last, known = trace.steps[-1].top[level][0], trace.answers.get(level)
    same = set(known) if known and label.group in known else {label.group}
    if pixels[0][0] in same:
        return SAME if pixels[0][0] == label.group else BOTH_RIGHT
    if last[0] in same:
        return EARLY
    if known:
        return HARD if label.group in known else WRONG if last[0] in known else BOTH_WRONG
    if trace.steps[-1].level != trace.levels[-1]:
        return CUT
    return PERHAPS_WRONG if last[2] > label.confidence else PERHAPS_HARD


def label_at(trace: Trace, index: int, level: str) -> LabelAnswer | None:
    """What the label says at a level, if a step holds its bytes."""
    label = trace.label.get(level)
    return label if label is not None and label.bytes <= trace.steps[index].bytes else None


def label_answers(trace: Trace, index: int) -> dict[str, dict[str, Any]]:
    """Level → what the label says at a step and what becomes of it, ready to draw; the levels whose bits have arrived."""
    rows = {}
    for level in trace.label:
        if (label := label_at(trace, index, level)) is None:
            continue
        agreed, both = agreement(trace, index, level), trace.steps[index].fused.get(level)
        rows[level] = {
            "label": label.name,
            "chance": percent(label.confidence),
            "mark": verdict(trace, level, label.group).kind,
            "agrees": agreed is not None and agreed.agrees,
            "words": agreed.short if agreed else "",
            "sentence": agreed.sentence if agreed else "",
            "together": f"{both[0][1]} {percent(both[0][2])}" if both else "",
        }
    return rows

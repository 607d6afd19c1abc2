"""Stop when sure: read one file until the classifier is confident enough at a level, and no further.

This is the adaptive decoding of PICM (Kim, Kim and Lee, arXiv 2512.20070) with a confidence at every level, here of a trace;
`hiercodec.decode_until` decodes no further than it must. Confidence is what `classify.Confidence` makes of a probability.
What the rule gives over many photographs is worked out in `results.stopping`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hiercodec.classify import Confidence
from hiercodec.errors import InputError

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Trace


class Until(NamedTuple):
    """Where to stop: the first cut at which the answer of `level` is at least `threshold` sure."""

    level: str
    threshold: float


def parse_until(text: str) -> Until:
    """ "LEVEL:CONFIDENCE" in words of ours; `InputError` says what is wrong.

    >>> parse_until("coarse:0.9")
    Until(level='coarse', threshold=0.9)
    """
    level, _, number = text.partition(":")
    try:
        threshold = float(number)
    except ValueError:
        threshold = 0.0
    if not level or not 0 < threshold < 1:
        raise InputError(f"stop at a level and how sure it should be, between 0 and 1: coarse:0.9, not {text!r}")
    return Until(level, threshold)


def confidences(trace: Trace, level: str, confidence: Confidence) -> list[float]:
    """How sure the answer of `level` is at every step of a trace; empty where nothing was classified."""
    if not all(step.top.get(level) for step in trace.steps):
        return []
    total = max(trace.file_bytes, *trace.cuts.values())  # of a file that was cut: what it was
    return [float(confidence(level, step.top[level][0][2], step.bytes / total)) for step in trace.steps]


def stop_step(trace: Trace, until: Until, confidence: Confidence) -> int | None:
    """The first step of a trace that is sure enough, and not of a blank picture; None if none is."""
    sure = confidences(trace, until.level, confidence)
    return next((i for i, p in enumerate(sure) if p >= until.threshold and not trace.steps[i].blank), None)

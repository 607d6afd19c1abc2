"""Stop when sure: read one file until the classifier is confident enough at a level, and no further.

This is the adaptive decoding of PICM (Kim, Kim and Lee, arXiv 2512.20070) with a confidence at every level: of one stream
that is being decoded, or of a trace. Confidence is what `classify.Confidence` makes of a probability. What the rule gives
over many photographs is worked out in `results.stopping`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hiercodec import stream
from hiercodec.classify import Confidence, path_of
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.peers import Prefix, prefixes
from hiercodec.evaluation.measure import Evaluator, Verdict
from hiercodec.evaluation.traces.tracing import budgets_of

if TYPE_CHECKING:
    from hiercodec.evaluation.traces.trace import Trace
    from hiercodec.models.common import EmbeddedCodec


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


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """Where decoding stopped: the prefix that was decoded, what it is taken for, and how sure its level's answer is.

    `reached` is False where no cut was sure enough and the whole stream was read.
    """

    point: Prefix
    verdict: Verdict
    confidence: float
    reached: bool


def decode_until(
    codec: EmbeddedCodec, data: bytes, until: Until, evaluator: Evaluator, confidence: Confidence, *, steps: int = 24
) -> Stop:
    """Decode about `steps` prefixes of a stream, shortest first, until one is sure enough; else all of it.

    Raises `HierarchyError` for a level that the hierarchy lacks, and the stream errors.
    """
    evaluator.hierarchy.level(until.level)
    total = stream.parse(data, codec.plan).total_bytes
    point = verdict = None
    sure = 0.0
    for point in prefixes(codec, data, {str(n): n for n in budgets_of(data, steps)}):
        (verdict,) = evaluator.verdicts([point.picture])
        _, _, p = path_of(verdict.probabilities, evaluator.hierarchy, top=1)[until.level][0]
        sure = float(confidence(until.level, p, point.bytes / total))
        if sure >= until.threshold and not point.blank:
            break
    assert point is not None  # a stream has one cut at least
    assert verdict is not None
    return Stop(point, verdict, sure, sure >= until.threshold and not point.blank)


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

"""Stop when sure: read a file until the classifier is confident enough at a level, and no further.

This is the adaptive decoding of PICM (Kim, Kim and Lee, arXiv 2512.20070) with a confidence at every level. Pure functions:
of measured rows (every photograph's cuts, how sure the answers are and whether they are right), of one trace, and of one
stream that is being decoded. Confidence is what `classify.Confidence` makes of a probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hiercodec import stream
from hiercodec.classify import Confidence, path_of
from hiercodec.errors import InputError
from hiercodec.evaluation.measure import Judging, Verdict
from hiercodec.evaluation.metrics import bootstrap, wilson
from hiercodec.evaluation.peers import Prefix, prefixes
from hiercodec.evaluation.tracing import budgets_of

if TYPE_CHECKING:
    from hiercodec.evaluation.rows import Rows
    from hiercodec.evaluation.trace import Trace
    from hiercodec.protocols import Codec

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
"""Confidences that the curve of the controller is drawn for."""


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


# ---- one stream, one trace ---------------------------------------------------------------------------------------------
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
    codec: Codec, data: bytes, until: Until, judging: Judging, confidence: Confidence, *, steps: int = 24
) -> Stop:
    """Decode about `steps` prefixes of a stream, shortest first, until one is sure enough; else all of it.

    Raises `HierarchyError` for a level that the hierarchy lacks, and the stream errors.
    """
    judging.hierarchy.level(until.level)
    total = stream.parse(data, codec.plan).total_bytes
    point = verdict = None
    sure = 0.0
    for point in prefixes(codec, data, {str(n): n for n in budgets_of(data, steps)}):
        (verdict,) = judging.verdicts([point.picture])
        _, _, p = path_of(verdict.probabilities, judging.hierarchy, top=1)[until.level][0]
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


# ---- many photographs --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The cuts of n photographs, one column a setting: bytes, how sure the answer of a level is, whether it is right.

    bytes: int[n, cuts], not rising everywhere, as a level may end before or after a share of the file; confidence:
    float[n, cuts] in 0…1; right: bool[n, cuts].
    """

    settings: tuple[str, ...]
    bytes: np.ndarray
    confidence: np.ndarray
    right: np.ndarray

    def __len__(self) -> int:
        return len(self.bytes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule gives over all photographs: mean bytes, accuracy (0…1) with its 95 % interval.

    `rule` is a threshold or a setting; `early` the share of photographs that stopped before the whole file.
    """

    rule: float | str
    bytes: float
    accuracy: float
    low: float
    high: float
    early: float


def ladder(rows: Rows, level: str, codec: str, judge: str, confidence: Confidence) -> Ladder:
    """The cuts of one codec as one judge saw them, from measured rows with a known truth.

    Photographs that lack a cut are left out. `InputError` where nothing is left or the level is not one of the rows'.
    """
    if level not in rows.levels:
        raise InputError(f"these rows have the levels {', '.join(rows.levels)}, not {level!r}")
    index = list(rows.levels).index(level)
    frame = rows.of(codec=codec, judge=judge).frame
    frame = frame[frame["label"] >= 0]
    if frame.empty:
        raise InputError(f"no rows of {codec!r} with a known truth, judged by {judge!r}")
    order = frame.groupby("setting")["bytes"].mean().sort_values().index
    frame = frame.assign(p=[row[index] for row in frame["path_p"]], hit=[bool(row[index]) for row in frame["right"]])
    table = frame.pivot(index="photo", columns="setting", values=["bytes", "p", "hit"]).dropna()
    n_bytes, p, hit = (table[name][order].to_numpy(float) for name in ("bytes", "p", "hit"))
    sure = confidence(level, p, n_bytes / n_bytes.max(1, keepdims=True))
    return Ladder(tuple(map(str, order)), n_bytes.astype(int), sure, hit.astype(bool))


def stopped_at(cuts: Ladder, threshold: float) -> np.ndarray:
    """int[n]: the column of the shortest cut that is sure enough, of the longest where none is."""
    order = cuts.bytes.argsort(1, kind="stable")
    sure = np.take_along_axis(cuts.confidence, order, 1) >= threshold
    sure[:, -1] = True
    return np.take_along_axis(order, sure.argmax(1)[:, None], 1)[:, 0]


def controlled(cuts: Ladder, thresholds: Iterable[float] = THRESHOLDS) -> list[Outcome]:
    """What stopping when sure gives, an outcome a threshold."""
    found = []
    for threshold in thresholds:
        at = stopped_at(cuts, threshold)
        early = float((at != cuts.bytes.argmax(1)).mean())
        found.append(_outcome(round(float(threshold), 4), _pick(cuts.bytes, at), _pick(cuts.right, at), early))
    return found


def fixed(cuts: Ladder) -> list[Outcome]:
    """What cutting every file at the same setting gives, an outcome a setting, fewest bytes first."""
    longest = cuts.bytes.argmax(1)
    return [
        _outcome(name, cuts.bytes[:, i], cuts.right[:, i], float((longest != i).mean()))
        for i, name in enumerate(cuts.settings)
    ]


def gain(cuts: Ladder, threshold: float, *, resamples: int = 1000) -> tuple[float, float, float]:
    """By how much stopping when sure is right more often than fixed cuts of the same mean bytes, and its 95 % interval.

    Between two fixed cuts accuracy is interpolated, which is what cutting some photographs here and the others there
    gives. The interval is a bootstrap over photographs. Beyond the fixed cuts the nearest one counts.
    """
    at = stopped_at(cuts, threshold)
    spent, right = _pick(cuts.bytes, at), _pick(cuts.right, at)

    def of(drawn: np.ndarray) -> float:
        n_bytes, accuracy = cuts.bytes[drawn].mean(0), cuts.right[drawn].mean(0)
        order = n_bytes.argsort()
        return float(right[drawn].mean() - np.interp(spent[drawn].mean(), n_bytes[order], accuracy[order]))

    return of(np.arange(len(cuts))), *bootstrap(of, len(cuts), resamples=resamples)


def bytes_for(outcomes: Sequence[Outcome], accuracy: float) -> float | None:
    """Mean bytes that `outcomes` (fewest bytes first) need for an accuracy, interpolated; None where none reaches it."""
    best = np.maximum.accumulate([outcome.accuracy for outcome in outcomes])
    after = int(np.searchsorted(best, accuracy))
    if after == len(outcomes):
        return None
    if after == 0 or best[after] == best[after - 1]:
        return outcomes[after].bytes
    share = (accuracy - best[after - 1]) / (best[after] - best[after - 1])
    return float(outcomes[after - 1].bytes + share * (outcomes[after].bytes - outcomes[after - 1].bytes))


def _pick(table: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.take_along_axis(table, columns[:, None], 1)[:, 0]


def _outcome(rule: float | str, n_bytes: np.ndarray, right: np.ndarray, early: float) -> Outcome:
    return Outcome(rule, float(n_bytes.mean()), float(right.mean()), *wilson(int(right.sum()), len(right)), early)

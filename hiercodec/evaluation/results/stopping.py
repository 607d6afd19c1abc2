"""Stop when sure over many photographs: what reading every file until its answer is sure enough gives.

Functions of a table of measurements: every photograph's cuts, how sure the answers of a level are (`classify.Confidence` of
their probability) and whether they are right. The rule for one file is `traces.trace.Until`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.classify import Confidence
from hiercodec.errors import InputError
from hiercodec.evaluation.metrics import bootstrap, wilson
from hiercodec.evaluation.results.table import Table

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
"""Confidences that the curve of the controller is drawn for."""


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


def sureness(table: Table, level: str, confidence: Confidence) -> np.ndarray:
    """float[n, s], 0…1: how sure the answers of a level are; `InputError` for a level that the table lacks."""
    if level not in table.levels:
        raise InputError(f"these rows have the levels {', '.join(table.levels)}, not {level!r}")
    share = table.bytes / table.bytes.max(1, keepdims=True)
    return confidence(level, table.probability[:, :, table.levels.index(level)], share)


def stopped_at(table: Table, sure: np.ndarray, threshold: float) -> np.ndarray:
    """int[n]: the shortest cut that is sure enough (`sureness`), the longest where none is."""
    order = table.bytes.argsort(1, kind="stable")
    sure = np.take_along_axis(sure, order, 1) >= threshold
    sure[:, -1] = True
    return np.take_along_axis(order, sure.argmax(1)[:, None], 1)[:, 0]


def controlled(table: Table, level: str, sure: np.ndarray, thresholds: Iterable[float] = THRESHOLDS) -> list[Outcome]:
    """What stopping when sure gives, an outcome a threshold; `sure` as from `sureness`."""
    hits, longest, outcomes = _hits(table, level), table.bytes.argmax(1), []
    for threshold in thresholds:
        at = stopped_at(table, sure, threshold)
        rule, early = round(float(threshold), 4), float((at != longest).mean())
        outcomes.append(_outcome(rule, _pick(table.bytes, at), _pick(hits, at), early))
    return outcomes


def fixed(table: Table, level: str) -> list[Outcome]:
    """What cutting every file at the same setting gives, an outcome a setting, fewest bytes first."""
    hits, longest = _hits(table, level), table.bytes.argmax(1)
    return [
        _outcome(name, table.bytes[:, i], hits[:, i], float((longest != i).mean()))
        for i, name in enumerate(table.settings)
    ]


def gain(
    table: Table, level: str, sure: np.ndarray, threshold: float, *, resamples: int = 1000
) -> tuple[float, float, float]:
    """By how much stopping when sure is right more often than fixed cuts of the same mean bytes, and its 95 % interval.

    Between two fixed cuts accuracy is interpolated, which is what cutting some photographs here and the others there
    gives. The interval is a bootstrap over photographs. Beyond the fixed cuts the nearest one counts.
    """
    at, hits = stopped_at(table, sure, threshold), _hits(table, level)
    spent, right = _pick(table.bytes, at), _pick(hits, at)

    def of(drawn: np.ndarray) -> float:
        n_bytes, accuracy = table.bytes[drawn].mean(0), hits[drawn].mean(0)
        order = n_bytes.argsort()
        return float(right[drawn].mean() - np.interp(spent[drawn].mean(), n_bytes[order], accuracy[order]))

    return of(np.arange(len(table))), *bootstrap(of, len(table), resamples=resamples)


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


def _hits(table: Table, level: str) -> np.ndarray:
    """bool[n, s]: whether the answers of a level are right."""
    return table.right[:, :, table.levels.index(level)]


def _pick(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, columns[:, None], 1)[:, 0]


def _outcome(rule: float | str, n_bytes: np.ndarray, right: np.ndarray, early: float) -> Outcome:
    return Outcome(rule, float(n_bytes.mean()), float(right.mean()), *wilson(int(right.sum()), len(right)), early)

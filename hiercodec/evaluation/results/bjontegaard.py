"""How much more one codec gives than another, over the same photographs, with intervals: on the mean over equal rates, at
each of them, or at full rate.

Bjøntegaard's delta of any measure: the mean gap of two curves over the log-rates that both cover (`metrics.bd_quality`).
Intervals are percentile bootstraps over photographs, drawn for both codecs together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.metrics import bd_rate, mean_gap, mean_of, reached
from hiercodec.evaluation.results.curves import resampling
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.table import PLAIN, Table, tables

RESAMPLES = 200
POINTS = 60
ENOUGH = 0.25
"""Share of the narrower curve's log-rates that both must cover; with less the mean gap would speak for a corner only."""


@dataclass(frozen=True, slots=True)
class Delta:
    """`value` more of the measure than the rival, 95 % interval; or None, and `why` not.

    `shared` is the part of the narrower curve's log-rates that both cover, 0…1; `n` photographs have both.
    """

    rival: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    shared: float
    n: int
    why: str = ""

    @property
    def verdict(self) -> str:
        """Either "more", "less", "no clear difference" (the interval holds 0), or why there is no figure."""
        if self.value is None or self.low is None or self.high is None:
            return self.why
        return "more" if self.low > 0 else "less" if self.high < 0 else "no clear difference"

    def to_json(self) -> dict[str, Any]:
        """What a results file keeps: value, low, high and n, rounded to what they are good for."""
        kept = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in kept.items()}


def words(gap: Mapping[str, Any], unit: str, digits: int, *, scale: float = 1.0) -> str:
    """A `Delta.to_json` as text, its interval, where there is one, in brackets; a dash where there is no figure.

    >>> words({"value": 0.25, "low": -0.05, "high": 0.5}, " dB", 2)
    '+0.25 dB [−0.05, +0.50]'
    """
    if gap["value"] is None:
        return "-"
    given = [gap[name] for name in ("value", "low", "high") if gap[name] is not None]
    value, *ends = (f"{scale * figure:+.{digits}f}".replace("-", "−") for figure in given)
    return f"{value}{unit} [{', '.join(ends)}]" if ends else f"{value}{unit}"


@dataclass(frozen=True, slots=True)
class Both:
    """A measure of two codecs: per cent more bits needed for equal values, and how much more of it at equal rate."""

    measure: str
    rate: Delta
    quality: Delta


def between(ours: tuple[Rows, str], rival: tuple[Rows, str], judge: str = "") -> list[Both]:
    """The Bjøntegaard differences of one codec of some rows against one of the same or other rows, by every measure.

    Over the photographs that both have; where either is a curve of averages, of means, without intervals. Answers are read
    as the rows have them, by `judge` ("": nobody). `InputError` where the two cannot be compared: other crops, other
    hierarchies, other pictures under one name, a codec or judge that is not there.
    """
    (a, _), (b, _) = ours, rival
    averages = bool(a.meta.get("averages") or b.meta.get("averages"))
    if not averages:
        for what in ("crop", "levels") if judge else ("crop",):
            if a.meta.get(what) != b.meta.get(what):
                raise InputError(
                    f"these cannot be compared: their {what} differ ({a.meta.get(what)}, {b.meta.get(what)})"
                )
        _same_pictures(a, b)
    both = [_table_of(*each, judge) for each in (ours, rival)]
    mine, theirs = map(_averaged, both) if averages else both
    measures = [name for name in theirs.measures if mine.has(name)]
    rates, qualities = rate_at_equal(mine, theirs, measures), at_equal_rate(mine, theirs, measures)
    if not rates:
        raise InputError("these have no photograph in common")
    if averages:
        n = max(map(len, both))
        rates, qualities = ([replace(d, low=None, high=None, n=n) for d in deltas] for deltas in (rates, qualities))
    by_measure = {delta.measure: delta for delta in qualities}
    return [Both(delta.measure, delta, by_measure[delta.measure]) for delta in rates]


def _table_of(rows: Rows, codec: str, judge: str) -> Table:
    if codec not in rows.codecs:
        raise InputError(f"no codec {codec!r} in these rows; there are {', '.join(rows.codecs)}")
    if judge and judge not in rows.judges:
        raise InputError(f"no judge {judge!r} in these rows; there are {', '.join(rows.judges) or 'none'}")
    asked = judge or next(iter(rows.judges), "")  # without one, any judge's rows say what the picture is like
    table = tables(rows.of(codec=[codec, ORIGINAL]), asked, common_to=[codec]).get(codec)
    if table is None:
        raise InputError(f"no photograph has all settings of {codec}")
    return table if judge else replace(table, levels=(), wup=table.wup * np.nan, wup_eq1=table.wup * np.nan, extra={})


def _same_pictures(a: Rows, b: Rows) -> None:
    """That photographs of one name are of one content, where the rows say of what."""
    known = [
        dict(zip(rows.frame["photo"], rows.frame["content"], strict=True)) if "content" in rows.frame else {}
        for rows in (a.of(codec=ORIGINAL), b.of(codec=ORIGINAL))
    ]
    for photo, content in known[0].items():
        other = known[1].get(photo)
        if isinstance(content, str) and isinstance(other, str) and other not in (content, ""):
            raise InputError(f"these cannot be compared: {photo} is another picture in each")


def _averaged(table: Table) -> Table:
    """The means over a table's photographs, as if they were one."""
    kept: dict[str, Any] = {"photos": np.array(["average"]), "bpp": table.bpp.mean(0, keepdims=True)}
    kept |= {name: mean_of(getattr(table, name))[None] for name in PLAIN}
    kept |= {name: getattr(table, name).mean(0, keepdims=True) for name in ("right", "bits")}
    return replace(table.where(np.arange(1)), **kept)


def at_equal_rate(ours: Table, rival: Table, measures: Sequence[str], *, resamples: int = RESAMPLES) -> list[Delta]:
    """How much more `ours` has of each measure at the same bits a pixel, over the photographs that have all of them.

    Measures that either codec lacks altogether are left out.
    """
    measures = [name for name in measures if rival.has(name) and ours.has(name)]
    a, b = _paired(rival, ours, measures)
    n = len(a)
    if not n or not measures:
        return []
    mean = np.full((1, n), 1 / n)
    shared = _shared(mean[0] @ a.bpp, mean[0] @ b.bpp)
    if shared < ENOUGH:
        why = "the curves do not overlap" if shared <= 0 else f"the curves share only {shared:.0%} of their rates"
        return [Delta(rival.codec, name, None, None, None, max(shared, 0.0), n, why) for name in measures]
    (value,) = _gaps(a, b, measures, mean)
    low, high = np.nanpercentile(_gaps(a, b, measures, resampling(n, resamples=resamples)), (2.5, 97.5), axis=0)
    return [
        Delta(rival.codec, name, float(value[i]), float(low[i]), float(high[i]), shared, n)
        for i, name in enumerate(measures)
    ]


def rate_at_equal(ours: Table, rival: Table, measures: Sequence[str], *, resamples: int = RESAMPLES) -> list[Delta]:
    """How many per cent more bits a pixel `ours` needs for the same value of each measure; below 0 where it needs fewer.

    Bjøntegaard's delta of rate (`metrics.bd_rate`), over the values that each curve has reached up to a rate: accuracy need
    not rise with every byte.
    """
    deltas = []
    for name, a, b in _each(ours, rival, measures):
        n = len(a)
        value, shared = _rate_gap(a, b, name, np.full(n, 1 / n))
        if value is None:
            some = f"the curves share only {shared:.0%} of their values"
            why = some if shared > 0 else "one never reaches what the other has"
            deltas.append(Delta(rival.codec, name, None, None, None, max(shared, 0.0), n, why))
            continue
        values = [
            gap
            for gap, _ in (_rate_gap(a, b, name, weight, enough=0.0) for weight in resampling(n, resamples=resamples))
            if gap is not None
        ]
        low, high = np.percentile(values, (2.5, 97.5))
        deltas.append(Delta(rival.codec, name, value, float(low), float(high), shared, n))
    return deltas


def _rate_gap(a: Table, b: Table, name: str, weight: np.ndarray, enough: float = ENOUGH) -> tuple[float | None, float]:
    """BD-rate of b against a in per cent, and the part of the narrower range of values that both cover."""
    curves = [reached(weight @ table.bpp, weight @ table.measure(name)) for table in (a, b)]
    (_, qa), (_, qb) = curves
    narrower = min(qa[-1] - qa[0], qb[-1] - qb[0])
    shared = float((min(qa[-1], qb[-1]) - max(qa[0], qb[0])) / narrower) if narrower > 0 else 0.0
    if shared <= 0 or shared < enough:
        return None, shared
    return bd_rate(*curves[0], *curves[1]), shared


def at_full_rate(ours: Table, other: Table, measures: Sequence[str], *, resamples: int = 1000) -> list[Delta]:
    """How much more `ours` has of each measure than `other`, each at its highest rate; paired over photographs."""
    deltas = []
    for name, a, b in _each(ours, other, measures):
        gap = b.measure(name)[:, -1] - a.measure(name)[:, -1]
        low, high = np.percentile(resampling(len(gap), resamples=resamples) @ gap, (2.5, 97.5))
        deltas.append(Delta(other.codec, name, float(gap.mean()), float(low), float(high), 1.0, len(gap)))
    return deltas


@dataclass(frozen=True, slots=True, eq=False)
class Lead:
    """How much more of a measure one codec has than another at each of `rates`, float64[r], with a 95 % band.

    `n` photographs have both.
    """

    rates: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int

    @property
    def crossings(self) -> list[float]:
        """The rates at which a lead ends: where the mean first changes its sign after a stretch of a clear difference.

        Straight over log-rates. Where the same codec is clearly ahead again, its lead did not end.
        """
        x, y = np.log(self.rates), self.mean
        at = np.flatnonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0)
        changes = [float(np.exp(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))) for i in at]
        clear = sorted((*span, sign) for sign in (1, -1) for span in self.spans(sign))
        stretches = pairwise([*clear, (np.inf, np.inf, 0)])
        ends = [(end, start) for (_, end, side), (start, _, next_) in stretches if next_ != side]
        return [min(inside) for a, b in ends if (inside := [rate for rate in changes if a <= rate <= b])]

    def spans(self, sign: int) -> list[tuple[float, float]]:
        """The stretches of rates over which the whole band lies above 0 (`sign` 1), below it (−1), or holds it (0)."""
        side = np.where(self.low > 0, 1, np.where(self.high < 0, -1, 0))
        edges = np.flatnonzero(np.diff(side, prepend=2, append=2))
        return [(float(self.rates[a]), float(self.rates[b - 1])) for a, b in pairwise(edges) if side[a] == sign]


def at_every_rate(ours: Table, rival: Table, measure: str) -> Lead | None:
    """How much more `ours` has of a measure than `rival` at each of `POINTS` rates that both cover, evenly on a log scale.

    Between settings both are drawn straight over log-rates. None where they share no rates, no photographs, or no measure.
    """
    both = next(_each(ours, rival, [measure]), None)
    if both is None:
        return None
    _, a, b = both
    ends = [np.log(table.bpp.mean(0)[[0, -1]]) for table in (a, b)]
    first, last = max(x[0] for x in ends), min(x[1] for x in ends)
    if first >= last:
        return None
    at = np.linspace(first, last, POINTS)

    def gaps(weights: np.ndarray) -> np.ndarray:
        lines = [(np.log(weights @ t.bpp), weights @ t.measure(measure)) for t in (a, b)]
        theirs, mine = (np.stack([np.interp(at, *row) for row in zip(x, y, strict=True)]) for x, y in lines)
        return mine - theirs

    low, high = np.percentile(gaps(resampling(len(a), resamples=RESAMPLES)), (2.5, 97.5), axis=0)
    return Lead(np.exp(at), gaps(np.full((1, len(a)), 1 / len(a)))[0], low, high, len(a))


def _each(ours: Table, other: Table, measures: Sequence[str]) -> Iterator[tuple[str, Table, Table]]:
    """(measure, table of `other`, table of `ours`) of each that any photograph has of both, over those that have it."""
    for name in measures:
        if other.has(name) and ours.has(name):
            a, b = _paired(other, ours, [name])
            if len(a):
                yield name, a, b


def _paired(a: Table, b: Table, measures: Sequence[str]) -> tuple[Table, Table]:
    """Both over the photographs for which both have every measure at every setting that has it for any."""
    whole = []
    for table in (a, b):
        for name in measures:
            table = table.whole(name)
        whole.append(table)
    _, at_a, at_b = np.intersect1d(whole[0].photos, whole[1].photos, return_indices=True)
    order = np.argsort(at_a)  # as they stand in `a`
    return whole[0].where(at_a[order]), whole[1].where(at_b[order])


def _shared(rates_a: np.ndarray, rates_b: np.ndarray) -> float:
    """The part of the narrower range of log-rates that both cover; below 0 where they lie apart."""
    a, b = np.log(rates_a[[0, -1]]), np.log(rates_b[[0, -1]])
    narrower = min(a[1] - a[0], b[1] - b[0])
    return float((min(a[1], b[1]) - max(a[0], b[0])) / narrower) if narrower > 0 else 0.0


def _gaps(a: Table, b: Table, measures: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Mean of b − a over the common log-rates, float64[resamples, measures], for every row of photographs' weights."""
    out = np.full((len(weights), len(measures)), np.nan)
    means = []
    for table in (a, b):
        values = np.stack([table.measure(name) for name in measures], 2)
        means.append((np.log(weights @ table.bpp), np.tensordot(weights, values, 1)))
    for row in range(len(weights)):
        curves = []
        for log_rates, values in means:
            rates, first = np.unique(log_rates[row], return_index=True)  # rising, whatever was drawn
            curves.append((rates, values[row, first]))
        with contextlib.suppress(ValueError):  # what was drawn may share no rate
            out[row] = mean_gap(*curves[0], *curves[1])
    return out

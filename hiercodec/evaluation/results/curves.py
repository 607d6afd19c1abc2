"""Curves over rate: means of a table's measures over its photographs with 95 % bands, and those of others on Kodak."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.evaluation.metrics import bd_rate, reached, wilson
from hiercodec.evaluation.results.table import Table, bits
from hiercodec.fsio import locate

RESAMPLES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Means over `n` photographs at every setting, float64[settings], between the ends of their 95 % intervals."""

    codec: str
    settings: tuple[str, ...]
    bpp: np.ndarray
    bytes: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int

    def at(self, bpp: float) -> float | None:
        """The mean at this rate, on the straight line between the settings beside it; None outside what was measured."""
        if not self.bpp[0] <= bpp <= self.bpp[-1]:
            return None
        return float(np.interp(bpp, self.bpp, self.mean))

    def rate_for(self, value: float) -> float | None:
        """The lowest rate from which on the curve, drawn straight between settings, has reached `value`; None if never."""
        above = np.flatnonzero(self.mean >= value)
        if not above.size:
            return None
        i = int(above[0])
        if i == 0:
            return float(self.bpp[0])
        share = (value - self.mean[i - 1]) / (self.mean[i] - self.mean[i - 1])
        return float(self.bpp[i - 1] + share * (self.bpp[i] - self.bpp[i - 1]))


def curve(table: Table, measure: str) -> Curve:
    """The measure's mean at every setting.

    The band of a share (`right`) is Wilson's interval, that of any other mean the percentile bootstrap over photographs. A
    picture that is reproduced exactly at a setting is in no mean of PSNR, and a setting at which all are is no point.
    """
    table = table.whole(measure)
    n = len(table)
    if not n:
        raise ValueError(f"{measure} was not measured for {table.codec}")
    values = table.measure(measure)
    mean = values.mean(0)
    if measure.startswith("right "):
        low, high = np.array([wilson(int(hits), n) for hits in values.sum(0)]).T
    else:
        low, high = np.percentile(resampling(n) @ values, (2.5, 97.5), axis=0)
    return Curve(table.codec, table.settings, table.bpp.mean(0), table.bytes.mean(0), mean, low, high, n)


@functools.lru_cache(maxsize=8)
def resampling(n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How much each of n photographs weighs in every bootstrap resample, float64[resamples, n], read-only; rows sum to 1."""
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    weights.setflags(write=False)
    return weights


def per_byte(table: Table, level: str) -> Curve:
    """Bits of meaning at a level for every 1000 bytes of file: mean bits by mean bytes, with a bootstrap band."""
    table = table.whole(bits(level))
    values, sizes, n = table.measure(bits(level)), table.bytes, len(table)
    weights = resampling(n)
    low, high = np.percentile(1000 * (weights @ values) / (weights @ sizes), (2.5, 97.5), axis=0)
    mean = 1000 * values.mean(0) / sizes.mean(0)
    return Curve(table.codec, table.settings, table.bpp.mean(0), sizes.mean(0), mean, low, high, n)


# ---- as other people published them: read, not measured here --------------------------------------------------------------
PUBLISHED = locate("results", "published-kodak.json")


@dataclass(frozen=True, slots=True)
class Published:
    """A curve as published: mean bits a pixel, rising, and mean PSNR in dB over the 24 photographs.

    `progressive`: one file that may be cut gives all points. `format` names the rival (`codecs`) that writes this format.
    """

    name: str
    source: str
    progressive: bool
    bpp: Sequence[float]
    psnr: Sequence[float]
    format: str = ""


@functools.lru_cache(maxsize=1)
def on_kodak() -> Mapping[str, Published]:
    """Name → curve, in the order of the file."""
    return {row["name"]: Published(**row) for row in json.loads(PUBLISHED.read_text(encoding="utf-8"))["curves"]}


def more_bytes(ours: Curve, theirs: Published) -> float | None:
    """How many per cent more bytes our mean PSNR on Kodak needs than theirs; None where no quality is common.

    Bjøntegaard's delta of rate over the qualities that both reach. Without an interval: theirs is known as a mean only.
    """
    curves = [reached(ours.bpp, ours.mean), reached(theirs.bpp, theirs.psnr)]
    (_, a), (_, b) = curves
    return bd_rate(*curves[1], *curves[0]) if max(a[0], b[0]) < min(a[-1], b[-1]) else None

"""Curves over rate from measured rows: one table a codec and judge, means over photographs with 95 % bands.

    Rows ──► tabulate ──► Cells: [photos, settings] a measure ──► curve ──► Curve: a mean and a band a setting

A measure is "psnr", "ms_ssim", "wup", "wup_eq1", or, at a level of the hierarchy, `right(level)` and `bits(level)`.
Everything is worked out from rows each time; nothing here is stored. Pure numpy and pandas.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.metrics import wilson
from hiercodec.taxonomy import HierarchyLevel

if TYPE_CHECKING:
    import pandas as pd

    from hiercodec.evaluation.rows import Rows

PLAIN = ("psnr", "ms_ssim", "wup", "wup_eq1")
RESAMPLES = 400
IMAGENET_CLASSES = 1000


def right(level: str) -> str:
    """The measure "the winner of this level is right" (0 or 1)."""
    return f"right {level}"


def bits(level: str) -> str:
    """The measure "bits of meaning at this level"."""
    return f"bits {level}"


def unsure(level: str) -> str:
    """The measure "the classes that were not stored could make another group the winner" (0 or 1); not of own levels."""
    return f"unsure {level}"


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What one codec gave by one judge: float64[photos, settings] a measure, NaN where it was not measured.

    Settings go by their mean rate, lowest first. `bytes` are those of whole files or prefixes, `bpp` bits a pixel.
    """

    codec: str
    photos: tuple[str, ...]
    settings: tuple[str, ...]
    bytes: np.ndarray
    bpp: np.ndarray
    values: Mapping[str, np.ndarray]

    def only(self, photos: Sequence[str]) -> Cells:
        """The same for these photographs, in this order."""
        place = {name: i for i, name in enumerate(self.photos)}
        rows = [place[name] for name in photos]
        values = {name: array[rows] for name, array in self.values.items()}
        return replace(self, photos=tuple(photos), bytes=self.bytes[rows], bpp=self.bpp[rows], values=values)

    def has(self, measure: str) -> bool:
        """Whether anything was measured."""
        return measure in self.values and bool(np.isfinite(self.values[measure]).any())


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


def tabulate(rows: Rows, judge: str, levels: Sequence[HierarchyLevel] = ()) -> dict[str, Cells]:
    """Codec (the original as `ORIGINAL`) → its cells by this judge, at the levels of the file's own hierarchy or at others.

    Only photographs that every codec has at all its settings count, so that all curves are over the same ones. Where a
    photograph has no label, what the judge says of the original counts as right. Other levels are answered from the stored
    probabilities (columns `classes` and `p`): see `regroup`.
    """
    frame = rows.of(judge=judge).frame
    photos = frame["photo"].unique()
    code = {name: i for i, name in enumerate(photos)}
    columns = {name: frame[name].to_numpy(np.float64) for name in ("bytes", "bpp", *PLAIN)}
    columns |= _regrouped(frame, levels) if levels else _levels(frame, list(rows.levels))
    at = frame["photo"].map(code).to_numpy()
    found = {}
    for codec in frame["codec"].unique():
        chosen = np.flatnonzero(frame["codec"].to_numpy() == codec)
        rates = frame.iloc[chosen].groupby("setting", sort=False, observed=True)["bpp"].mean().sort_values()
        settings = {name: i for i, name in enumerate(rates.index)}
        place = at[chosen], frame["setting"].iloc[chosen].map(settings).to_numpy()
        tables = {}
        for name, column in columns.items():
            tables[name] = np.full((len(photos), len(settings)), np.nan)
            tables[name][place] = column[chosen]
        found[codec] = Cells(codec, tuple(photos), tuple(settings), tables.pop("bytes"), tables.pop("bpp"), tables)
    whole = np.logical_and.reduce([np.isfinite(cells.bpp).all(1) for cells in found.values()])
    return {codec: cells.only(photos[whole]) for codec, cells in found.items()}


def _stacked(lists: pd.Series, width: int) -> np.ndarray:
    """float64[rows, width]; NaN where a list is empty."""
    out = np.full((len(lists), width), np.nan)
    full = lists.map(len).to_numpy() == width
    if width and full.any():
        out[full] = np.concatenate(lists.to_numpy()[full]).reshape(-1, width)
    return out


def _levels(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns `right` and `bits`, a level each; right is agreement with the original where there is no label."""
    hits, told = _stacked(frame["right"], len(names)), _stacked(frame["bits"], len(names))
    if np.isnan(hits).any():
        path = _stacked(frame["path"], len(names))
        same = path == path[_row_of_original(frame)]
        hits = np.where(np.isnan(hits) & np.isfinite(path), same, hits)
    return {right(name): hits[:, i] for i, name in enumerate(names)} | {
        bits(name): told[:, i] for i, name in enumerate(names)
    }


def _row_of_original(frame: pd.DataFrame) -> np.ndarray:
    """For every row the position of the row of its uncompressed photograph."""
    place = {name: i for i, name in enumerate(frame["photo"]) if frame["codec"].iat[i] == ORIGINAL}
    return frame["photo"].map(place).to_numpy(int)


def rungs(groups: Mapping[int, np.ndarray]) -> list[HierarchyLevel]:
    """Levels named "2", "3", … of a ladder (K → groups int64[1000]), and "1000", the classes themselves."""
    ladder = {**groups, IMAGENET_CLASSES: np.arange(IMAGENET_CLASSES)}
    return [HierarchyLevel(str(k), k, found, tuple(map(str, range(k)))) for k, found in sorted(ladder.items())]


def _regrouped(frame: pd.DataFrame, levels: Sequence[HierarchyLevel]) -> dict[str, np.ndarray]:
    labels, originals = frame["label"].to_numpy(np.int64), _row_of_original(frame)
    columns = {}
    for level in levels:
        found = regroup(frame["classes"], frame["p"], labels, originals, level)
        columns |= {right(level.name): found.right, bits(level.name): found.bits, unsure(level.name): found.unsure}
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class Regrouped:
    """Per row, float64[rows], NaN where nothing was judged: is the likeliest group right; bits of meaning; and whether the
    classes that were not kept could make another group the winner."""

    right: np.ndarray
    bits: np.ndarray
    unsure: np.ndarray


def regroup(
    classes: Sequence[np.ndarray] | pd.Series,
    p: Sequence[np.ndarray] | pd.Series,
    labels: np.ndarray,
    originals: np.ndarray,
    level: HierarchyLevel,
) -> Regrouped:
    """The answer at any grouping of the classes, from stored probabilities.

    classes, p: the likeliest classes of every row and their probabilities; what is missing to 1 belongs to no group.
    labels: int[rows], the class that is right; where it is −1 the winner of row `originals[row]` is right, and bits say
    how sure the answer is (`meaning.bits_of_meaning`).
    """
    counts = np.fromiter((len(row) for row in classes), int, len(classes))
    found = Regrouped(*(np.full(len(counts), np.nan) for _ in range(3)))
    judged = np.flatnonzero(counts)
    if not judged.size:
        return found
    row = np.repeat(np.arange(len(counts)), counts)
    group = level.assignment[np.concatenate([c for c in classes if len(c)])]
    keys, inverse = np.unique(row * level.k + group, return_inverse=True)  # one a row and group that has probability
    mass = np.bincount(inverse, np.concatenate([q for q in p if len(q)]).astype(np.float64))
    of, groups = keys // level.k, keys % level.k
    starts = np.searchsorted(of, judged)
    order = np.lexsort((groups, -mass, of))  # in every row the likeliest group first, ties to the lower number
    winner, told = np.zeros(len(counts), int), np.add.reduceat(mass, starts)
    winner[judged] = groups[order[starts]]
    target = np.where(labels >= 0, level.assignment[np.maximum(labels, 0)], winner[originals])[judged]
    wanted = judged * level.k + target
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    believed = np.where(keys[place] == wanted, mass[place], 0.0)
    share = mass / np.repeat(told, np.diff([*starts, len(mass)]))
    sure = np.log2(level.k) + np.add.reduceat(share * np.log2(share, where=share > 0, out=np.zeros_like(share)), starts)
    known = np.log2(np.maximum(level.k * believed, 1.0))
    found.right[judged] = winner[judged] == target
    found.bits[judged] = np.clip(np.where(labels[judged] >= 0, known, sure), 0, np.log2(level.k))
    found.unsure[judged] = _challenger(p, inverse, mass, of, groups, level, order[starts]) > mass[order[starts]]
    return found


def _challenger(p, inverse, mass, of, groups, level: HierarchyLevel, winners: np.ndarray) -> np.ndarray:
    """The most that a group other than the winner can have in every judged row, if classes that were not kept are its.

    None of those is likelier than the least likely class kept, and together they have what is missing to 1.
    """
    judged = [q for q in p if len(q)]
    rest = np.array([1 - float(q.sum(dtype=np.float64)) for q in judged]).clip(0)
    least = np.array([float(q.min()) for q in judged])
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    row = np.repeat(np.arange(len(starts)), np.diff([*starts, len(of)]))
    absent = level.sizes[groups] - np.bincount(inverse)
    most = mass + np.minimum(rest[row], least[row] * absent)
    most[winners] = 0.0
    return np.maximum(np.maximum.reduceat(most, starts), np.minimum(rest, least * level.sizes.max()))


def curve(cells: Cells, measure: str) -> Curve:
    """The measure's mean at every setting.

    The band of a share (`right`) is Wilson's interval, that of any other mean the percentile bootstrap over photographs.
    """
    values = cells.values[measure]
    rows = np.isfinite(values).all(1)
    values, n = values[rows], int(rows.sum())
    if not n:
        raise ValueError(f"{measure} was not measured for {cells.codec}")
    mean = values.mean(0)
    if measure.startswith("right "):
        low, high = np.array([wilson(int(hits), n) for hits in values.sum(0)]).T
    else:
        low, high = np.percentile(resampling(n) @ values, (2.5, 97.5), axis=0)
    return Curve(cells.codec, cells.settings, cells.bpp[rows].mean(0), cells.bytes[rows].mean(0), mean, low, high, n)


@functools.lru_cache(maxsize=8)
def resampling(n: int, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How much each of n photographs weighs in every bootstrap resample, float64[resamples, n], read-only; rows sum to 1."""
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    weights.setflags(write=False)
    return weights


def per_byte(cells: Cells, level: str) -> Curve:
    """Bits of meaning at a level for every 1000 bytes of file: mean bits by mean bytes, with a bootstrap band."""
    values = cells.values[bits(level)]
    rows = np.isfinite(values).all(1)
    values, sizes, n = values[rows], cells.bytes[rows], int(rows.sum())
    weights = resampling(n)
    low, high = np.percentile(1000 * (weights @ values) / (weights @ sizes), (2.5, 97.5), axis=0)
    mean = 1000 * values.mean(0) / sizes.mean(0)
    return Curve(cells.codec, cells.settings, cells.bpp[rows].mean(0), sizes.mean(0), mean, low, high, n)

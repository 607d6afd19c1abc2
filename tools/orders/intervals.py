"""What is known of each symbol while a stream arrives: an interval that shrinks to a third, and to a third of that.

    whole table ──3^k wide──► [c − (3^k−1)/2 … c + (3^k−1)/2] ──trit──► a third of it ──trit──► … ──► one symbol

Trit-planes (DPICT, arXiv 2112.06334) walk this tree one plane at a time, nested quantisers (PLONQ, arXiv 2102.02913) enter
it at a coarser grid, and a plain order enters it at single symbols. All masses are sums of the integers of the format's
Gaussian tables, so every policy counts with the same probabilities and none has a tail that another lacks.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from hiercodec import stream
from hiercodec.stream.tables import TOTAL


class Tree:
    """Every interval of every scale, numbered: its moments, the trit that splits it, and what that trit is worth.

    Arrays over interval numbers, of 3^1 and wider: `mean` and `variance` of the symbol, `gain` = expected fall of the
    squared error per bit of the trit (DPICT's order), `rank` int16 from the largest gain on; `bits` (n, 3) is what each of
    the trit's values costs. `depth[i]` is the trits of scale i's whole tree.
    """

    def __init__(self) -> None:
        pmfs = stream.gaussian_tables().pmfs
        self.depth = np.array([_depth(len(pmf) // 2) for pmf in pmfs])
        self._start = np.zeros((len(pmfs), int(self.depth.max()) + 1), np.int64)
        found, self.magnitude = [], np.zeros(self._start.shape, np.int64)
        count = 0
        for i, pmf in enumerate(pmfs):
            for k, level in enumerate(_levels(pmf, int(self.depth[i]))):
                self.magnitude[i, k] = round(256 * float(level.mass @ np.abs(level.centre)))
                if k:
                    self._start[i, k] = count + len(level.mass) // 2
                    found.append(level)
                    count += len(level.mass)
        self.mean, self.variance, self.gain = (
            np.concatenate([getattr(level, name) for level in found]) for name in ("mean", "variance", "gain")
        )
        order = np.argsort(-self.gain, kind="stable")
        self.rank = np.empty(len(order), np.int16)
        self.rank[order] = np.arange(len(order))
        units = np.concatenate([level.units for level in found])
        self.bits = np.log2(TOTAL / units)
        self.trits = stream.Tables.from_pmfs((-1, row) for row in units)

    def number(self, scale: np.ndarray, width: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Numbers of intervals 3^width wide (width ≥ 1) around `centre`, under these scale indexes."""
        return self._start[scale, width] + centre // 3**width

    @functools.lru_cache(maxsize=8)  # noqa: B019 (there is one tree)
    def bins(self, width: int) -> stream.Tables:
        """Tables of the grid 3^width wide, one a scale: what a whole symbol table is entered by."""
        return stream.Tables.from_pmfs(
            (-(len(units) // 2), units) for units in (_binned(pmf, width) for pmf in stream.gaussian_tables().pmfs)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """All intervals of one width of one scale, in order; `units` (n, 3) is each one's trit table."""

    mass: np.ndarray
    centre: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    gain: np.ndarray
    units: np.ndarray


def _depth(radius: int) -> int:
    depth = 1
    while (3**depth - 1) // 2 < radius:
        depth += 1
    return depth


def _binned(pmf: np.ndarray, width: int) -> np.ndarray:
    """Integer masses of the bins 3^width wide around 0, as a table."""
    if not width:
        return pmf
    half = 3**width // 2
    side = -(-(len(pmf) // 2 - half) // 3**width)
    padded = np.pad(pmf, side * 3**width + half - len(pmf) // 2)
    return stream.quantize_pmf(padded.reshape(-1, 3**width).sum(1))


def _levels(pmf: np.ndarray, depth: int) -> list[_Level]:
    """Intervals 3^0, 3^1, … 3^depth wide."""
    q = np.arange(3**depth) - 3**depth // 2
    p = np.pad(pmf, 3**depth // 2 - len(pmf) // 2) / TOTAL
    first, second = p * q, p * q * q
    levels = []
    mass, centre, spread = p, q, np.zeros(len(q))  # spread: mass times variance
    for k in range(depth + 1):
        if k:
            thirds, below = mass.reshape(-1, 3), spread.reshape(-1, 3).sum(1)
            mass, centre = thirds.sum(1), centre.reshape(-1, 3)[:, 1]
            first, second = first.reshape(-1, 3).sum(1), second.reshape(-1, 3).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(mass > 0, first / mass, centre)
            spread = np.maximum(second - mass * mean**2, 0)
            variance = np.where(mass > 0, spread / mass, 0)
            if k:
                share = np.where(mass[:, None] > 0, thirds / mass[:, None], 1 / 3)
                bits = -(share * np.where(share > 0, np.log2(share), 0)).sum(1)
                gain = np.where((bits > 1e-12) & (mass > 0), (spread - below) / (mass * bits), 0)
                units = _units(share)
            else:
                gain, units = np.zeros(len(q)), np.zeros((len(q), 3))
        levels.append(_Level(mass, centre, mean, variance, gain, units))
    return levels


def _units(share: np.ndarray) -> np.ndarray:
    """Rows of three shares as tables; what rounding leaves goes to the largest."""
    units = np.floor(share * (TOTAL - 3)).astype(np.int64) + 1
    units[np.arange(len(units)), share.argmax(1)] += TOTAL - units.sum(1)
    return units


@functools.lru_cache(maxsize=1)
def tree() -> Tree:
    """The tree of the format's Gaussian tables; 0.3 s to build."""
    return Tree()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A refinement: symbols at `where` (int64[m], in coding order) are narrowed to a third, or to the grid 3^`enter`.

    `enter` is for symbols of which nothing is known; None splits intervals by a trit.
    """

    where: np.ndarray
    enter: int | None = None


class Known:
    """Per symbol (n,): scale index, and the interval 3^`width` wide around `centre` that it is known to lie in."""

    def __init__(self, scale: np.ndarray) -> None:
        self.scale = scale.astype(np.int64)
        self.width, self.centre = tree().depth[self.scale], np.zeros(len(scale), np.int64)

    def tables(self, step: Step) -> tuple[np.ndarray, stream.Tables]:
        """(indexes, tables) that the step's symbols are coded with."""
        if step.enter is not None:
            return self.scale[step.where], tree().bins(step.enter)
        return self.numbers(step.where), tree().trits

    def numbers(self, where: np.ndarray) -> np.ndarray:
        """Numbers of the intervals at `where`, all wider than one symbol."""
        return tree().number(self.scale[where], self.width[where], self.centre[where])

    def branches(self, step: Step, symbols: np.ndarray) -> np.ndarray:
        """Which part of its interval each of `symbols` (those at `step.where`) lies in, counted from the middle one."""
        part = self._parts(step)
        return (symbols - self.centre[step.where] + part // 2) // part

    def narrow(self, step: Step, branches: np.ndarray) -> None:
        """Learn the first branches of a step: all of them, or as many as arrived."""
        where, part = step.where[: len(branches)], self._parts(step)[: len(branches)]
        self.centre[where] += branches * part
        self.width[where] = self.width[where] - 1 if step.enter is None else step.enter

    def values(self) -> np.ndarray:
        """The expected value of every symbol (float64), given its interval."""
        values, open_ = self.centre.astype(np.float64), np.flatnonzero(self.width)
        values[open_] = tree().mean[self.numbers(open_)]
        return values

    def _parts(self, step: Step) -> np.ndarray:
        if step.enter is not None:
            return np.full(len(step.where), 3**step.enter)
        return 3 ** (self.width[step.where] - 1)

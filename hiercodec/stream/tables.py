"""Integer probability tables: what the entropy coder believes about one symbol.

A table is a pmf over consecutive integers, in units of 2⁻²⁴, every entry ≥ 1, the sum exactly 2²⁴: every symbol of
the support can be coded (at most 24 bits) and both sides of the coder work on the same integers.

The Gaussian tables are part of the file format. They are computed, not stored: float64 `math.erfc`, then one rounding.
No value lies near a rounding boundary (a test measures the margin), so that every platform gets the same integers;
`gaussian_tables` compares their digest with the pinned one and refuses to work otherwise.
"""

# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Iterable

import numpy as np
from constriction import stream as coders  # pyright: ignore[reportAttributeAccessIssue] (compiled, untyped)

PRECISION = 24
"""Bits of probability: the precision of constriction's default range coder."""

TOTAL = 1 << PRECISION
SCALE_LEVELS = 64
SCALE_MIN, SCALE_MAX = 0.11, 64.0
GAUSSIAN_DIGEST = "c54b493049130724121537d959786692c38f1ca758746b7838b947dee8b7258f"


def scale_table() -> np.ndarray:
    """The 64 scales (float64, geometric from 0.11 to 64.0, rounded to 12 decimals so that no libm can move them)."""
    ratio = SCALE_MAX / SCALE_MIN
    return np.array([round(SCALE_MIN * ratio ** (i / (SCALE_LEVELS - 1)), 12) for i in range(SCALE_LEVELS)])


def scale_edges() -> np.ndarray:
    """The 63 boundaries (float64) between neighbouring scales, their geometric means rounded to 12 decimals.

    `searchsorted(scale_edges(), sigma)` (torch: `bucketize`) is the index of the nearest scale in log distance, which
    costs a quarter of what rounding up to the next scale costs.
    """
    scales = scale_table()
    return np.array([round(math.sqrt(a * b), 12) for a, b in itertools.pairwise(scales)])


def scale_indexes(sigma: np.ndarray) -> np.ndarray:
    """Index (uint8, the shape of `sigma`) of the nearest scale in log distance; saturates at both ends."""
    return np.searchsorted(scale_edges(), sigma).astype(np.uint8)


def quantize_pmf(weights: np.ndarray) -> np.ndarray:
    """Turn nonnegative weights [n] into a table: int64[n], every entry ≥ 1, sum 2²⁴.

    Largest-remainder rounding of the mass left after one unit each; ties go to the earlier symbol. `ValueError` if a
    weight is negative or not finite, if all are zero, or if there are more than 65 536.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 1 or not 1 <= len(weights) <= 65536:
        raise ValueError(f"a pmf is a vector of 1 to 65536 weights, got shape {weights.shape}")
    total = math.fsum(weights.tolist())
    if not (np.isfinite(weights).all() and (weights >= 0).all() and 0 < total < math.inf):
        raise ValueError("weights must be finite, nonnegative and not all zero")
    share = weights / total * (TOTAL - len(weights))
    units = np.floor(share).astype(np.int64)
    missing = TOTAL - len(weights) - int(units.sum())
    if missing < 0 or missing > len(weights):
        raise ValueError("weights span too many orders of magnitude to be normalised")
    units[np.argsort(-(share - units), kind="stable")[:missing]] += 1
    return units + 1


class Tables:
    """A list of pmfs, addressed by the index that comes with every symbol.

    `offsets[i]` is the smallest symbol of table i, `pmfs[i]` its integer pmf (int64, units of 2⁻²⁴).
    """

    __slots__ = ("_highs", "_models", "offsets", "pmfs")

    def __init__(self, offsets: np.ndarray, pmfs: tuple[np.ndarray, ...]) -> None:
        self.offsets = offsets
        self.pmfs = pmfs
        self._highs = offsets + np.array([len(pmf) - 1 for pmf in pmfs], dtype=np.int64)
        self._models: list[object | None] = [None] * len(pmfs)

    @classmethod
    def from_pmfs(cls, pmfs: Iterable[tuple[int, np.ndarray]]) -> Tables:
        """Build tables from (offset, integer pmf) pairs; a smaller power of two than 2²⁴ as sum is scaled up.

        `ValueError` if an entry is < 1 or a sum is not a power of two ≤ 2²⁴.

        >>> tables = Tables.from_pmfs([(-1, [1, 2, 1])])
        >>> tables.bits(np.array([0, 1]), np.array([0, 0])).tolist()
        [1.0, 2.0]
        """
        offsets, checked = [], []
        for index, (offset, pmf) in enumerate(pmfs):
            array = np.array(pmf, dtype=np.int64)
            total = int(array.sum())
            if array.ndim != 1 or not len(array) or array.min() < 1 or array.max() > TOTAL:
                raise ValueError(f"pmf {index}: entries must be 1 to 2^24")
            if total > TOTAL or total & (total - 1):
                raise ValueError(f"pmf {index} sums to {total}, not to a power of two up to 2^24")
            if abs(int(offset)) > 1 << 24:
                raise ValueError(f"pmf {index}: offset {offset} is out of range")
            array *= TOTAL // total
            array.setflags(write=False)
            offsets.append(int(offset))
            checked.append(array)
        if not checked:
            raise ValueError("tables need at least one pmf")
        return cls(np.array(offsets, dtype=np.int64), tuple(checked))

    def __len__(self) -> int:
        return len(self.pmfs)

    def check_indexes(self, indexes: np.ndarray) -> np.ndarray:
        """`indexes` as an int64 vector; `ValueError` where one names no table."""
        indexes = np.asarray(indexes)
        if indexes.ndim != 1 or indexes.dtype.kind not in "iu":
            raise ValueError(f"indexes must be a vector of integers, got {indexes.dtype} {indexes.shape}")
        indexes = indexes.astype(np.int64, copy=False)
        if len(indexes) and not (indexes.min() >= 0 and indexes.max() < len(self)):
            raise ValueError(f"indexes must be 0 to {len(self) - 1}")
        return indexes

    def clamp(self, symbols: np.ndarray, indexes: np.ndarray) -> np.ndarray:
        """The nearest codable symbols (int32, any shape): an encoder must reconstruct from these, not from its own."""
        indexes = np.asarray(indexes)
        return np.clip(symbols, self.offsets[indexes], self._highs[indexes]).astype(np.int32)

    def bits(self, symbols: np.ndarray, indexes: np.ndarray) -> np.ndarray:
        """Ideal code length of every symbol under its table, in bits (float64, the shape of `symbols`)."""
        symbols, indexes = np.asarray(symbols), np.asarray(indexes)
        starts = np.cumsum([0] + [len(pmf) for pmf in self.pmfs[:-1]])
        lengths = PRECISION - np.log2(np.concatenate(self.pmfs))
        return lengths[starts[indexes] + self.clamp(symbols, indexes) - self.offsets[indexes]]

    def digest(self) -> str:
        """sha256 (hex) over every offset and pmf, as little-endian int32."""
        hasher = hashlib.sha256()
        for offset, pmf in zip(self.offsets, self.pmfs, strict=True):
            hasher.update(np.array([offset, len(pmf)], dtype="<i4").tobytes())
            hasher.update(pmf.astype("<i4").tobytes())
        return hasher.hexdigest()

    def model(self, index: int) -> object | None:
        """Table `index` as a model of the range coder; None where there is only one symbol, which costs no bits.

        `Categorical(perfect=False)` gives every symbol one unit and rounds cumulative weights, scaled to 2²⁴ − n, down.
        Given our pmf less one unit each, the weights already sum to 2²⁴ − n, the scale is exactly 1, nothing is rounded
        and the library works on our integers (a test reads them back out of it).
        """
        pmf = self.pmfs[index]
        if len(pmf) == 1:
            return None
        if self._models[index] is None:
            self._models[index] = coders.model.Categorical((pmf - 1).astype(np.float64), perfect=False)
        return self._models[index]


def gaussian_weights(scale: float) -> np.ndarray:
    """Mass of a zero-mean Gaussian in the unit bins around −r…r with r = max(64, ⌈8σ⌉) (float64[2r + 1])."""
    radius = max(64, math.ceil(8 * scale))
    root = scale * math.sqrt(2)
    # Differences of the upper tail keep full relative precision where 1 − Φ would cancel.
    tail = [0.5 * math.erfc((k - 0.5) / root) for k in range(1, radius + 2)]
    side = [tail[k] - tail[k + 1] for k in range(radius)]
    return np.array([*side[::-1], 1.0 - 2.0 * tail[0], *side])


@functools.lru_cache(maxsize=1)
def gaussian_tables() -> Tables:
    """The 64 zero-mean Gaussian tables of the format, one a scale of `scale_table()`."""
    pmfs = []
    for scale in scale_table():
        weights = gaussian_weights(float(scale))
        # Rounding every entry but the centre by itself keeps the table symmetric; the centre takes what is left.
        units = np.floor(weights * (TOTAL - len(weights)) + 0.5).astype(np.int64) + 1
        radius = len(weights) // 2
        units[radius] += TOTAL - int(units.sum())
        pmfs.append((-radius, units))
    tables = Tables.from_pmfs(pmfs)
    if tables.digest() != GAUSSIAN_DIGEST:
        raise RuntimeError("this platform computes other Gaussian tables than the .hc format is defined with")
    return tables

"""Synthetic streams: seeded entropy parameters and symbols as an encoder of the paper's plan would produce them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hiercodec import stream
from hiercodec.levels import PAPER_PLAN, LevelPlan

Z_CHANNELS = 8


@dataclass(frozen=True)
class Block:
    """Indexes, means and symbols of one block in raster order."""

    indexes: np.ndarray
    means: np.ndarray
    symbols: np.ndarray


@dataclass(frozen=True)
class Synthetic:
    """A whole file and everything that went into it."""

    data: bytes
    header: stream.Header
    z_tables: stream.Tables
    z_indexes: np.ndarray
    z_symbols: np.ndarray
    blocks: tuple[Block, ...]

    def decode(self, data: bytes) -> dict[str, tuple[np.ndarray, int]]:
        """What a codec does with a prefix: symbols in coding order and n_valid of every section, until one is open."""
        parsed = stream.parse(data)
        out = {"z": stream.decode_symbols(parsed.z.payload, self.z_indexes, self.z_tables, parsed.z.complete)}
        for section, block in zip(parsed.blocks, self.blocks, strict=True):
            if section.check is None:
                break
            assert section.check == stream.checksum(block.indexes, block.means)
            indexes = block.indexes[order(block.indexes)]
            out[section.name] = stream.decode_symbols(
                section.payload, indexes, stream.gaussian_tables(), section.complete
            )
        return out

    def truth(self) -> dict[str, np.ndarray]:
        """The symbols of every section in coding order."""
        names = [level.name for level in self.header.plan]
        blocks = {n: b.symbols[order(b.indexes)] for n, b in zip(names, self.blocks, strict=True)}
        return {"z": self.z_symbols, **blocks}


def order(indexes: np.ndarray) -> np.ndarray:
    """Coding order of a block as FORMAT.md has it: largest index first, ties in raster order."""
    flat = np.asarray(indexes, np.int64).ravel()
    return np.lexsort((np.arange(len(flat)), -flat))


LEVELS = (np.arange(1000) // 100, np.arange(1000) // 10, np.arange(1000))
"""A hierarchy of 10, 100 and 1000 groups, as a label's path is coded by: the group of every class, a level."""

PATH = ((3, 3), (35, 2), (357, 0))
"""What the label of `made` streams tells: (group, confidence) a level."""


def make(
    width: int, height: int, seed: int = 0, floor: float = 0.8, plan: LevelPlan = PAPER_PLAN, *, label: bool = False
) -> Synthetic:
    """A stream for an image of that size; `floor` is the share of symbols at the smallest scale."""
    rng = np.random.default_rng(seed)
    tables = stream.gaussian_tables()
    positions = -(-width // 16) * -(-height // 16)
    z_positions = -(-width // 64) * -(-height // 64)
    z_tables = stream.Tables.from_pmfs(
        [(-6, stream.quantize_pmf(np.exp(-np.abs(np.arange(-6, 7)) / (1 + c / 4)))) for c in range(Z_CHANNELS)]
    )
    z_indexes = np.repeat(np.arange(Z_CHANNELS), z_positions)
    z_symbols = rng.integers(-2, 3, len(z_indexes)).astype(np.int32)
    blocks = []
    for level in plan:
        n = level.width * positions
        sigma = np.where(rng.random(n) < floor, 0.11, np.exp(rng.normal(-0.8, 0.9, n)))
        indexes = stream.scale_indexes(sigma)
        symbols = np.rint(rng.normal(0, stream.scale_table()[indexes])).astype(np.int32)
        means = rng.integers(-500, 500, n).astype(np.int16)
        blocks.append(Block(indexes, means, tables.clamp(symbols, indexes)))
    written = stream.Label.of(stream.Mark("5e74", "579"), PATH, LEVELS) if label else None
    header = stream.Header(width, height, b"\x01\x02\xfe\xff", plan, mark=written.mark if written else None)
    orders = [order(block.indexes) for block in blocks]
    data = stream.write(
        header,
        stream.encode_symbols(z_symbols, z_indexes, z_tables),
        [stream.encode_symbols(b.symbols[o], b.indexes[o], tables) for b, o in zip(blocks, orders, strict=True)],
        [stream.checksum(block.indexes, block.means) for block in blocks],
        written.payload if written else b"",
    )
    return Synthetic(data, header, z_tables, z_indexes, z_symbols, tuple(blocks))


@pytest.fixture(scope="session")
def small() -> Synthetic:
    """A stream of a few hundred bytes."""
    return make(40, 30, seed=3, floor=0.0)


@pytest.fixture(scope="session")
def square() -> Synthetic:
    """A 256×256 stream at a realistic rate."""
    return make(256, 256, seed=4, floor=0.5)

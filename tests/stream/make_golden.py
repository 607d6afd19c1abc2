"""Write a golden stream, once a format version: `PYTHONPATH=. python tests/stream/make_golden.py NAME [LEVELS]`.

Without LEVELS it has the paper's plan; with it, that many levels of 20 channels, as a model's own plan. A NAME that ends in
v2 has a label, that of `conftest.PATH`, before the same symbols as v1.

The `.npz` beside the `.hc` holds what went in: z pmfs, indexes, means and symbols, in raster order.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from conftest import make

from hiercodec.levels import PAPER_PLAN, LevelPlan


def main(name: str, levels: int | None = None) -> None:
    """Write data/NAME.hc and data/NAME.npz."""
    target = Path(__file__).parent / "data" / f"{name}.hc"
    if target.exists():
        raise SystemExit(f"{target.name} exists; golden streams are never rewritten")
    plan = PAPER_PLAN
    if levels:
        counted = range(1, levels + 1)
        plan = LevelPlan.from_cuts(LevelPlan.numbered(levels).names, tuple(20 * i for i in counted), tuple(counted))
    golden = make(75, 50, seed=2605_08266, floor=0.5, plan=plan, label=name.endswith("v2"))
    arrays = {
        "z_offsets": golden.z_tables.offsets,
        "z_pmfs": np.stack(golden.z_tables.pmfs).astype(np.int32),
        "z_indexes": golden.z_indexes.astype(np.uint8),
        "z": golden.z_symbols.astype(np.int16),
    }
    for level, block in zip(golden.header.plan, golden.blocks, strict=True):
        arrays[f"{level.name}_indexes"] = block.indexes
        arrays[f"{level.name}_means"] = block.means
        arrays[level.name] = block.symbols.astype(np.int16)
    target.write_bytes(golden.data)
    if golden.header.version == 1:
        np.savez_compressed(target.with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

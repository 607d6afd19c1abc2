"""Write a golden stream, once a format version: `PYTHONPATH=. python tests/stream/make_golden.py NAME`.

The `.npz` beside the `.hc` holds what went in: z pmfs, indexes, means and symbols, in raster order.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from conftest import make


def main(name: str) -> None:
    """Write data/NAME.hc and data/NAME.npz."""
    target = Path(__file__).parent / "data" / f"{name}.hc"
    if target.exists():
        raise SystemExit(f"{target.name} exists; golden streams are never rewritten")
    golden = make(75, 50, seed=2605_08266, floor=0.5)
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
    np.savez_compressed(target.with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])

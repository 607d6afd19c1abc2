"""How stable hierarchies are, as `python -m tools.assets taxonomy stability` measured it: do groups survive another seed or
another CLIP model, and what does the consensus gain?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hiercodec.taxonomy.paths import ASSETS, read_asset

STABILITY_FILE = ASSETS / "taxonomy" / "stability.json"
STABILITY_COMMAND = "python -m tools.assets taxonomy stability --embeddings DIR"
RESAMPLES = 2000


def load_stability() -> dict[str, Any]:
    """The shipped report."""
    return read_asset(STABILITY_FILE, "the stability report", STABILITY_COMMAND)


def interval(values: np.ndarray) -> list[float]:
    """2.5th and 97.5th percentile of bootstrap values, rounded."""
    return [round(float(v), 4) for v in np.percentile(values, (2.5, 97.5))]


def fragile(level: dict[str, Any], count: int, model: str = "all") -> list[tuple[int, float]]:
    """The classes that keep their company least, as (index, stability), most fragile first; ties by index."""
    values = level["stability"][model]
    return sorted(((i, v) for i, v in enumerate(values) if v is not None), key=lambda row: (row[1], row[0]))[:count]

"""k-means at many K for every embedding, so that sizes and similarity can be shown at any K without the embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.paths import ASSETS, read_asset

LADDER_FILE = ASSETS / "taxonomy" / "ladder.json"
LADDER_COMMAND = "python -m tools.assets taxonomy ladder --embeddings DIR"


def load_ladder(name: str) -> dict[int, np.ndarray]:
    """K → groups of one embedding, small K first; `HierarchyError` names the embeddings there are."""
    data: dict[str, Any] = read_asset(LADDER_FILE, "the k-means ladder", LADDER_COMMAND)["groups"]
    if name not in data:
        raise HierarchyError(f"no ladder of {name!r}; there are: {', '.join(data)}")
    return {int(k): np.array(groups) for k, groups in data[name].items()}


def ladder_names() -> list[str]:
    """The embeddings of the shipped ladder."""
    return list(read_asset(LADDER_FILE, "the k-means ladder", LADDER_COMMAND)["groups"])

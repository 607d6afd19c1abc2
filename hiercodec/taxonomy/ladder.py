"""k-means at many K for every embedding, so that sizes and similarity can be shown at any K without the embeddings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.cluster import kmeans
from hiercodec.taxonomy.embeddings import Embedding
from hiercodec.taxonomy.paths import ASSETS, read_asset

LADDER_FILE = ASSETS / "taxonomy" / "ladder.json"
LADDER_COMMAND = "python -m hiercodec assets taxonomy ladder --embeddings DIR"
RUNGS = (2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 200, 300)
SEED, STARTS = 0, 4


def make_ladder(embeddings: Mapping[str, Embedding], *, jobs: int = 1) -> dict[str, dict[int, np.ndarray]]:
    """Embedding → K → groups int64[n], flat k-means as in the paper, seed 0."""
    from joblib import Parallel, delayed

    plan = [(name, k) for name in embeddings for k in RUNGS]
    work = (delayed(kmeans)(embeddings[name].vectors, k, seed=SEED, n_init=STARTS) for name, k in plan)
    ladder: dict[str, dict[int, np.ndarray]] = {name: {} for name in embeddings}
    made: Any = Parallel(n_jobs=jobs)(work)
    for (name, k), groups in zip(plan, made, strict=True):
        ladder[name][k] = groups
    return ladder


def load_ladder(name: str) -> dict[int, np.ndarray]:
    """K → groups of one embedding, small K first; `HierarchyError` names the embeddings there are."""
    data: dict[str, Any] = read_asset(LADDER_FILE, "the k-means ladder", LADDER_COMMAND)["groups"]
    if name not in data:
        raise HierarchyError(f"no ladder of {name!r}; there are: {', '.join(data)}")
    return {int(k): np.array(groups) for k, groups in data[name].items()}


def ladder_names() -> list[str]:
    """The embeddings of the shipped ladder."""
    return list(read_asset(LADDER_FILE, "the k-means ladder", LADDER_COMMAND)["groups"])


def dump_ladder(ladder: Mapping[str, Mapping[int, np.ndarray]], tools: Mapping[str, str]) -> str:
    """The ladder's JSON text, one rung a line."""
    head = {"method": "flat k-means", "seed": SEED, "n_init": STARTS, "tools": dict(tools)}
    parts = []
    for name, rungs in ladder.items():
        rows = ",\n".join(f'"{k}":{json.dumps(g.tolist(), separators=(",", ":"))}' for k, g in rungs.items())
        parts.append(f'"{name}": {{\n{rows}}}')
    return f'{{"provenance": {json.dumps(head, sort_keys=True)},\n"groups": {{\n' + ",\n".join(parts) + "}}\n"

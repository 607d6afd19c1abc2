"""Making the taxonomy's assets: hierarchies of every embedding, k-means at many K, and the maps of classes.

UMAP differs between machines even with a fixed seed, coordinates do not: so maps ship.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.fsio import write_bytes
from hiercodec.taxonomy.build import KS, LEVEL_NAMES, cluster_hierarchy
from hiercodec.taxonomy.cluster import kmeans
from hiercodec.taxonomy.cuts import cut_hierarchy, depth_near
from hiercodec.taxonomy.embeddings import Embedding, known_embedding
from hiercodec.taxonomy.hierarchy import Hierarchy
from hiercodec.taxonomy.hierarchy_file import SUMS, dump_hierarchy, load_hierarchy
from hiercodec.taxonomy.shipped import Layout

NEAREST = 5
UMAP_SETTINGS = {"n_neighbors": 15, "min_dist": 0.2, "metric": "cosine", "random_state": 7, "n_jobs": 1}
RUNGS = (2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 200, 300)
SEED, STARTS = 0, 4
SEEDS = (0, 1, 2)
Say = Callable[[str], None]


def wordnet_hierarchy() -> Hierarchy:
    """The depth-cuts nearest to K = 10 and K = 100."""
    depths = [depth_near(k) for k in KS]
    return cut_hierarchy(depths, name="wordnet", level_names=[LEVEL_NAMES[k] for k in KS])


def shipped_hierarchies(
    embeddings: Mapping[str, Embedding], say: Say = lambda _: None, *, jobs: int = 1
) -> dict[str, Hierarchy]:
    """Flat and nested k-means of every embedding with three seeds; the name carries the seed from the second on."""
    from joblib import Parallel, delayed

    plan = [
        (embedding, method, seed, f"{embedding.name}-{method}" + (f"-s{seed}" if seed else ""))
        for embedding in embeddings.values()
        for method in ("flat", "nested")
        for seed in SEEDS
    ]
    say(f"clustering {len(plan)} hierarchies")
    work = (delayed(cluster_hierarchy)(e, KS, method=method, seed=seed, name=name) for e, method, seed, name in plan)
    made: Any = Parallel(n_jobs=jobs)(work)
    return {hierarchy.name: hierarchy for hierarchy in made}


def write_hierarchies(hierarchies: Mapping[str, Hierarchy], folder: Path) -> None:
    """One JSON file each; groups that are in the folder as they were stay known by what they were first called."""
    for name, hierarchy in hierarchies.items():
        path = folder / f"{name}.json"
        kept = _known_as(hierarchy, load_hierarchy(path)) if path.is_file() else hierarchy
        write_bytes(path, dump_hierarchy(kept).encode(), parents=True)
    write_sums(folder)


def write_sums(folder: Path) -> None:
    """Write SUMS for the hierarchies in a folder."""
    rows = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.json"))]
    write_bytes(folder / SUMS, "".join(rows).encode())


def _known_as(made: Hierarchy, before: Hierarchy) -> Hierarchy:
    """The hierarchy, its groups known by the keys of `before` where they are the same groups."""
    same = made.ks == before.ks and all(
        np.array_equal(level.assignment, old.assignment) for level, old in zip(made.levels, before.levels, strict=True)
    )
    if not same:
        return made
    pairs = zip(made.levels, before.levels, strict=True)
    return replace(made, levels=tuple(replace(level, keys=old.keys) for level, old in pairs))


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


def dump_ladder(ladder: Mapping[str, Mapping[int, np.ndarray]], tools: Mapping[str, str]) -> str:
    """The ladder's JSON text, one rung a line."""
    head = {"method": "flat k-means", "seed": SEED, "n_init": STARTS, "tools": dict(tools)}
    parts = []
    for name, rungs in ladder.items():
        rows = ",\n".join(f'"{k}":{json.dumps(g.tolist(), separators=(",", ":"))}' for k, g in rungs.items())
        parts.append(f'"{name}": {{\n{rows}}}')
    return f'{{"provenance": {json.dumps(head, sort_keys=True)},\n"groups": {{\n' + ",\n".join(parts) + "}}\n"


def make_layouts(embeddings: Mapping[str, Embedding]) -> list[Layout]:
    """UMAP of every embedding, each moved, turned and scaled onto the first."""
    layouts: list[Layout] = []
    for name, embedding in embeddings.items():
        points = umap_points(embedding.vectors)
        points = align(points, layouts[0].points) if layouts else upright(points)
        known = known_embedding(name)
        title = known.title if known else name
        made = {
            "embedding": embedding.provenance,
            "umap": UMAP_SETTINGS,
            "aligned_to": layouts[0].name if layouts else name,
        }
        layouts.append(Layout(name, title, points, embedding.nearest(NEAREST), made))
    return layouts


def umap_points(vectors: np.ndarray) -> np.ndarray:
    """UMAP coordinates float64[n, 2] with a fixed seed; needs umap-learn."""
    try:
        from umap import UMAP
    except ImportError as error:
        raise HierarchyError("making maps needs UMAP: pip install umap-learn") from error
    return np.asarray(UMAP(**UMAP_SETTINGS).fit_transform(vectors), np.float64)


def align(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Procrustes: shift, turn and mirror points[n, 2] to lie as near as possible to reference[n, 2], at its size.

    >>> square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    >>> turned = 3 * square @ np.array([[0.0, 1], [-1, 0]]) + 5
    >>> bool(np.allclose(align(turned, square), square))
    True
    """
    a, b = points - points.mean(0), reference - reference.mean(0)
    u, _, vt = np.linalg.svd(a.T @ b)
    # the least-squares scale would shrink maps that agree less; equal sizes are what a switch of maps should show
    return a @ (u @ vt) * np.sqrt((b**2).sum() / (a**2).sum()) + reference.mean(0)


def upright(points: np.ndarray) -> np.ndarray:
    """Centred, mean squared radius 1, and the longest extent along x: screens are wide."""
    centred = points - points.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    turned = centred @ (axes * np.sign(axes[:, :1])).T  # the sign of an axis is free: fix it
    return turned / np.sqrt((centred**2).sum(1).mean())


def dump_layout(layout: Layout) -> str:
    """The map's JSON text; coordinates to three decimals."""
    points = [[round(float(v), 3) for v in row] for row in layout.points]
    rows = {"points": points, "nearest": layout.nearest.tolist()}
    body = ",\n".join(f'"{key}":{json.dumps(value, separators=(",", ":"))}' for key, value in rows.items())
    head = {"title": layout.title, "provenance": layout.provenance}
    return f"{json.dumps(head, ensure_ascii=False, sort_keys=True)[:-1]},\n{body}}}\n"

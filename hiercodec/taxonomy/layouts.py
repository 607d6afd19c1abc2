"""2-D maps of the classes: UMAP of each embedding, all turned onto the first so that switching models does not spin.

The maps ship (`assets/layouts/*.json`): UMAP differs between machines even with a fixed seed, coordinates do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.embeddings import Embedding, known_embedding
from hiercodec.taxonomy.paths import ASSETS, read_asset

LAYOUTS = ASSETS / "layouts"
LAYOUTS_COMMAND = "python -m hiercodec assets taxonomy layouts --embeddings DIR"
NEAREST = 5
UMAP_SETTINGS = {"n_neighbors": 15, "min_dist": 0.2, "metric": "cosine", "random_state": 7, "n_jobs": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each class lies on the map, float[n, 2], and its nearest classes in the embedding, int[n, 5], best first."""

    name: str
    title: str
    points: np.ndarray
    nearest: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)


def available_layouts() -> list[str]:
    """Names of the shipped maps, in the order of the embeddings."""
    names = [path.stem for path in LAYOUTS.glob("*.json")]
    return sorted(names, key=lambda name: (name != "clip-b16", name))


def load_layout(name: str) -> Layout:
    """A shipped map; `HierarchyError` names those there are."""
    if name not in available_layouts():
        raise HierarchyError(f"no map {name!r}; there are: {', '.join(available_layouts()) or 'none'}")
    data = read_asset(LAYOUTS / f"{name}.json", f"the map {name}", LAYOUTS_COMMAND)
    return Layout(name, data["title"], np.array(data["points"]), np.array(data["nearest"]), data["provenance"])


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

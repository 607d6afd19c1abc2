"""2-D maps of the classes: UMAP of each embedding, all turned onto the first so that switching models does not spin.

The maps ship (`assets/layouts/*.json`): UMAP differs between machines even with a fixed seed, coordinates do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.paths import ASSETS, read_asset

LAYOUTS = ASSETS / "layouts"
LAYOUTS_COMMAND = "python -m tools.assets taxonomy layouts --embeddings DIR"


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

"""What was worked out once of embeddings and ships: k-means at many K, maps of the classes, the stability report.

UMAP differs between machines even with a fixed seed, coordinates do not: so maps ship, all turned onto the first, so that
switching models does not spin. What is stable says `tools.assets taxonomy stability`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import ASSETS, read_asset

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

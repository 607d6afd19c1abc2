"""Builds hierarchies from embeddings, with names for levels and groups."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np

from hiercodec._version import __version__
from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import classes
from hiercodec.taxonomy.cluster import LINKAGES, flat, linkage_tree, nested
from hiercodec.taxonomy.embeddings import Embedding
from hiercodec.taxonomy.hierarchy import Hierarchy, HierarchyLevel, make_hierarchy, named_levels
from hiercodec.taxonomy.naming import name_groups
from hiercodec.taxonomy.wordnet import wordnet_graph

METHODS = ("flat", "nested", *LINKAGES)
LEVEL_NAMES = {10: "coarse", 100: "intermediate"}
KS = (10, 100)


def cluster_hierarchy(
    embedding: Embedding,
    ks: Sequence[int] = KS,
    *,
    method: str = "nested",
    seed: int = 0,
    n_init: int = 10,
    name: str | None = None,
    class_names: tuple[str, ...] | None = None,
    level_names: Sequence[str] = (),
) -> Hierarchy:
    """Cluster one embedding at every K (coarse first) by a method of METHODS; groups get names.

    `class_names` are the user's own classes, one a row; without it the rows are the 1000 ImageNet classes. `level_names` as
    in `named_levels`.
    """
    ks = _sorted_ks(ks, len(embedding.vectors))
    if method in ("flat", "nested"):
        make = flat if method == "flat" else nested
        groupings = make(embedding.vectors, ks, seed=seed, n_init=n_init)
        how = {"method": f"{method} k-means", "seed": seed, "n_init": n_init}
    elif method in LINKAGES:
        groupings = linkage_tree(embedding.vectors, ks, linkage=method)
        how = {"method": f"{method} linkage"}
    else:
        raise HierarchyError(f"no method {method!r}; there are {', '.join(METHODS)}")
    kind = "independent runs per K, as in the paper" if method == "flat" else "a tree"
    return named_hierarchy(
        name or f"{embedding.name}-{method}",
        groupings,
        similarity=embedding.similarity,
        class_names=class_names,
        level_names=level_names,
        description=f"{how['method'].capitalize()} of {embedding.name} at K = {_listed(ks)}: {kind}.",
        provenance={**how, "k": list(ks), "embedding": embedding.provenance, "tools": tools()},
    )


def named_hierarchy(
    name: str,
    groupings: Sequence[np.ndarray],
    *,
    similarity: np.ndarray,
    description: str,
    provenance: dict[str, Any],
    class_names: tuple[str, ...] | None = None,
    level_names: Sequence[str] = (),
) -> Hierarchy:
    """A hierarchy whose groups are named by hypernyms, or, for a user's own classes, by their most typical classes.

    Levels are called by `level_names` (see `named_levels`); without them those of 10 and 100 groups as the paper calls them,
    others by their number.
    """
    ks = [int(groups.max()) + 1 for groups in groupings]
    called, class_level = named_levels(level_names, [LEVEL_NAMES.get(k, f"level {i + 1}") for i, k in enumerate(ks)])
    graph = wordnet_graph() if class_names is None else None
    names = tuple(c.name for c in classes()) if class_names is None else class_names
    levels = []
    for level, groups in zip(called, groupings, strict=True):
        labels = name_groups(groups, names, similarity, graph=graph)
        levels.append(HierarchyLevel(level, len(labels), groups, labels))
    return make_hierarchy(
        name,
        levels,
        class_names=class_names,
        class_level=class_level,
        description=description,
        provenance=provenance,
    )


def tools() -> dict[str, str]:
    """Versions that decide the result."""
    return {
        "hiercodec": __version__,
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in ("numpy", "scikit-learn", "scipy")},
    }


def _sorted_ks(ks: Sequence[int], n: int) -> list[int]:
    unique = sorted(set(ks))
    if not unique:
        raise HierarchyError("give at least one K")
    if unique[0] < 2 or unique[-1] >= n:
        raise HierarchyError(f"each K lies between 2 and {n - 1}, one less than the classes; got {_listed(unique)}")
    return unique


def _listed(ks: Sequence[int]) -> str:
    return ", ".join(map(str, ks))

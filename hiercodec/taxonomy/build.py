"""Builds hierarchies: one for a user's own needs, or every asset that ships.

embeddings ──► k-means voters ──► consensus.json ──(WordNet's vote)──► consensus-mended.json
           ├─► flat and nested k-means, three seeds each ──► clip-….json
           ├─► k-means judges + consensus ──► stability.json
           └─► UMAP ──► layouts/*.json
WordNet graph ──► depth-cuts ──► wordnet.json
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from hiercodec._version import __version__
from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import stability
from hiercodec.taxonomy.classes import classes
from hiercodec.taxonomy.cluster import LINKAGES, flat, linkage_tree, nested
from hiercodec.taxonomy.consensus import Kinship, mend
from hiercodec.taxonomy.embeddings import Embedding
from hiercodec.taxonomy.hierarchy import Hierarchy, HierarchyLevel, make_hierarchy, named_levels
from hiercodec.taxonomy.naming import name_groups
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.taxonomy.wordnet import wordnet_graph

METHODS = ("flat", "nested", *LINKAGES)
LEVEL_NAMES = {10: "coarse", 100: "intermediate"}
KS = (10, 100)
SEEDS = (0, 1, 2)
MENDING = 3.0
"""Weight of WUP in the mended consensus: the smallest whole one at which under 2 % of the classes are odd at K = 10.

At 0, 1, 2, 3, 5, 8: odd 5.4, 4.7, 3.0, 1.7, 1.1, 0.9 % at K = 10 and 19.2, 17.0, 12.9, 7.0, 4.8, 2.2 % at K = 100; mean ARI
to the judges of `stability` .567, .598, .591, .583, .575, .562 and .414, .415, .414, .394, .384, .358 (single runs among
themselves: .496, .334).
"""

Say = Callable[[str], None]


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


def consensus_hierarchy(
    voters: stability.Runs,
    embeddings: Mapping[str, Embedding],
    *,
    name: str = "consensus",
    kinship: float = 0.0,
    level_names: Sequence[str] = (),
) -> Hierarchy:
    """The tree that agrees best with all voters; with `kinship` > 0, mended by WUP at that weight (see `MENDING`)."""
    seeds = sorted({run.seed for run in next(iter(voters.values()))})
    count = len(next(iter(voters.values())))
    tree = stability.consensus_of(voters)
    description = f"A tree that agrees best with {count} k-means runs of {len(embeddings)} CLIP text embeddings"
    method = "co-association, Ward tree, moves that raise the mean ARI to the runs; finer levels inside coarser"
    if kinship:
        tree = mended(tree, voters, kinship)
        description += ", mended where WordNet disagrees and the embeddings hardly care"
        method += f"; then moves that raise the mean ARI plus {kinship:g} / n x the mean WUP to the group"
    return named_hierarchy(
        name,
        tree,
        similarity=np.mean([e.similarity for e in embeddings.values()], 0),
        level_names=level_names,
        description=f"{description}.",
        provenance={
            "method": method,
            "k": sorted(voters),
            "voters": {"seeds": seeds, "n_init": stability.VOTER_STARTS, "embeddings": list(embeddings)},
            "embeddings": {n: e.provenance for n, e in embeddings.items()},
            "tools": tools(),
        },
    )


def mended(tree: Sequence[np.ndarray], voters: stability.Runs, weight: float = MENDING) -> list[np.ndarray]:
    """A consensus tree of the 1000 classes after `consensus.mend` with Wu-Palmer similarity (mean of both directions)."""
    wup = wup_matrix()
    runs = {k: [run.groups for run in voters[k]] for k in voters}
    return mend(tree, runs, Kinship((wup + wup.T) / 2, weight))


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

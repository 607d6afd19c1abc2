"""WordNet depth-cuts: the classes under each hypernym at one depth, the hierarchy that the paper compares with.

A class stands under the node that its *shortest* hypernym path passes at that depth (ties between paths go to the
smaller synset name, so the cut is the same on every run); a class that lies shallower is its own group. Cuts of one
graph nest.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.cluster import canonical
from hiercodec.taxonomy.hierarchy import Hierarchy, HierarchyLevel, make_hierarchy, named_levels
from hiercodec.taxonomy.wordnet import shortest_path, wordnet_graph


@functools.lru_cache(maxsize=64)
def depth_cut(depth: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Groups int64[n], read-only, at this depth (edges from the root, ≥ 0) and their labels, the synsets' lemmas."""
    if depth < 0:
        raise HierarchyError(f"a depth is 0 or more, got {depth}")
    graph = wordnet_graph()
    node = np.array([path[min(depth, len(path) - 1)] for path in _paths()])
    assignment = canonical(node)
    assignment.setflags(write=False)
    first = np.unique(assignment, return_index=True)[1]
    plain = [graph.labels[node[i]] for i in first]
    # WordNet has two "substances": tell equal lemmas apart by a class under them
    shared = Counter(plain)
    labels = [f"{p} ({graph.labels[i]})" if shared[p] > 1 else p for p, i in zip(plain, first, strict=True)]
    shared = Counter(labels)
    return assignment, tuple(f"{p} {i}" if shared[p] > 1 else p for p, i in zip(labels, first, strict=True))


def depth_sizes() -> list[tuple[int, int]]:
    """(depth, K) for every depth down to where each class is alone."""
    sizes = [(0, 1)]
    while sizes[-1][1] < wordnet_graph().n_classes:
        depth = sizes[-1][0] + 1
        sizes.append((depth, len(depth_cut(depth)[1])))
    return sizes


def depth_near(k: int) -> int:
    """The depth whose number of groups is nearest to k by ratio (the shallower one of two equally near)."""
    if k < 1:
        raise HierarchyError(f"K is 1 or more, got {k}")
    return min(depth_sizes(), key=lambda row: (abs(np.log(row[1] / k)), row[0]))[0]


def cut_hierarchy(depths: Sequence[int], *, name: str = "wordnet", level_names: Sequence[str] = ()) -> Hierarchy:
    """A hierarchy of the 1000 classes from depth-cuts at these depths, shallow first: a tree by construction.

    Levels are called by `level_names` (see `named_levels`), else by their depth.
    """
    names, class_level = named_levels(level_names, [f"depth {d}" for d in depths])
    levels = []
    for level_name, depth in zip(names, depths, strict=True):
        assignment, labels = depth_cut(depth)
        levels.append(HierarchyLevel(level_name, len(labels), assignment, labels))
    return make_hierarchy(
        name,
        levels,
        class_level=class_level,
        description=f"WordNet cut at depth {' and '.join(map(str, depths))} on shortest hypernym paths.",
        provenance={"method": "WordNet depth-cut", "wordnet": "3.0", "depths": list(depths), "paths": "shortest"},
    )


@functools.lru_cache(maxsize=1)
def _paths() -> tuple[tuple[int, ...], ...]:
    return tuple(shortest_path(wordnet_graph(), i) for i in range(wordnet_graph().n_classes))

"""Wu-Palmer similarity (WUP) of all pairs of classes at once.

`wup_nltk` is NLTK's `wup_similarity`, number for number, and the measure behind the paper's figures. It is not the
textbook formula (the paper's Eq. 1): the deepest common hypernym is chosen by its *shortest* path to the root but
scored by its *longest*, and where a class has several hypernym paths even its similarity to itself may stay below 1
(107 of the 1000). `wup_eq1` is Eq. 1 literally. Ties between equally deep hypernyms go to the smaller synset name (NLTK
3.10 sorts them so), and nothing here depends on hashing.
"""

from __future__ import annotations

import functools

import numpy as np

from hiercodec.taxonomy.wordnet import FAR, WordNetGraph, wordnet_graph

MEASURES = ("nltk", "eq1")


@functools.lru_cache(maxsize=2)
def wup_matrix(measure: str = "nltk") -> np.ndarray:
    """WUP of the 1000 classes, float64[1000, 1000], read-only; `measure` is "nltk" (the paper's figures) or "eq1".

    >>> round(float(wup_matrix()[23, 404]), 3)  # vulture and airliner, Fig. 6
    0.32
    """
    if measure not in MEASURES:
        raise ValueError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    matrix = (wup_nltk if measure == "nltk" else wup_eq1)(wordnet_graph())
    matrix.setflags(write=False)
    return matrix


def wup_nltk(graph: WordNetGraph) -> np.ndarray:
    """NLTK's `wup_similarity` for all pairs: float64[n, n] in (0, 1], row = the synset it is called on."""
    n = graph.n_classes
    lcs = _lowest_common(graph, graph.min_depth)
    rows, columns = np.nonzero(graph.distance[:n, :n] < FAR)  # NLTK prefers the first synset itself among equals
    own = graph.min_depth[rows] == graph.min_depth[lcs[rows, columns]]
    lcs[rows[own], columns[own]] = rows[own]
    depth = graph.max_depth[lcs].astype(np.float64) + 1
    path = _paths_to_hypernyms(graph)
    length = path[np.arange(n)[:, None], lcs] + path[np.arange(n)[None, :], lcs]
    return 2.0 * depth / (length + 2.0 * depth)


def wup_eq1(graph: WordNetGraph) -> np.ndarray:
    """Eq. 1, 2·d(LCS) / (d(a) + d(b)), for all pairs: float64[n, n] in (0, 1], symmetric, 1 on the diagonal.

    d counts the nodes of the longest path to the root and the LCS is the deepest common hypernym by that same d: with
    shortest paths a hypernym may lie deeper than its class, and the quotient exceed 1.
    """
    nodes = graph.max_depth.astype(np.float64) + 1
    own = nodes[: graph.n_classes]
    common = nodes[_lowest_common(graph, graph.max_depth)]
    return 2.0 * common / (own[:, None] + own[None, :])


def _lowest_common(graph: WordNetGraph, depths: np.ndarray) -> np.ndarray:
    """int64[n, n]: the deepest common hypernym of every pair of classes; ties to the smaller key."""
    lcs = np.empty((graph.n_classes, graph.n_classes), np.int64)
    under = graph.ancestors
    for node in np.lexsort((-graph.rank, depths)):  # shallow first, so that the deepest node is written last
        members = np.flatnonzero(under[:, node])
        lcs[np.ix_(members, members)] = node
    return lcs


def _paths_to_hypernyms(graph: WordNetGraph) -> np.ndarray:
    """Edges of the shortest path between a class and each of its hypernyms, int32[n, nodes], by any common hypernym.

    NLTK lets the path climb above the hypernym and come down again where that is shorter.
    """
    up = graph.distance.astype(np.int32)
    best = up[: graph.n_classes].copy()
    for node in range(len(graph.keys)):
        above = np.flatnonzero(up[node] < FAR)
        best[:, node] = np.minimum(best[:, node], (up[: graph.n_classes, above] + up[node, above]).min(1))
    return best

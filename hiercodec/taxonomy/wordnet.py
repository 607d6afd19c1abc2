"""The part of WordNet 3.0 that the 1000 classes need: every hypernym of every class, as a small shipped graph.

    classes ──► hypernyms ──► … ──► entity.n.01          860 inner nodes, a class may reach the root by several paths

`assets/taxonomy/wordnet.json` is made by `python -m tools.assets taxonomy wordnet --nltk-data DIR`, so that
nothing here needs NLTK or its corpus. Depths count edges: the root has depth 0. A graph can be built for other
synsets too.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import ASSETS, classes, read_asset

WORDNET_FILE = ASSETS / "taxonomy" / "wordnet.json"
WORDNET_COMMAND = "python -m tools.assets taxonomy wordnet --nltk-data DIR"
FAR = np.int16(32000)
"""Distance to a node that is no ancestor."""


@dataclass(frozen=True, slots=True, eq=False)
class WordNetGraph:
    """A hypernym graph in which node i < n_classes is class i and the root is the one node without parents.

    `keys` are NLTK's synset names ("crane.n.05"), `labels` the first lemma as written ("Chihuahua"), `parents` node
    indexes.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    n_classes: int
    min_depth: np.ndarray  # int16[n]: shortest path to the root
    max_depth: np.ndarray  # int16[n]: longest path to the root
    distance: np.ndarray  # int16[n, n]: edges of the shortest upward path from row to column, FAR where there is none

    @property
    def ancestors(self) -> np.ndarray:
        """bool[n_classes, n]: is the node the class itself or one of its hypernyms?"""
        return self.distance[: self.n_classes] < FAR

    @property
    def rank(self) -> np.ndarray:
        """int64[n]: position of each node in the order of its key; how ties between nodes are broken (as NLTK does)."""
        order = sorted(range(len(self.keys)), key=self.keys.__getitem__)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank


def build_graph(nodes: list[tuple[str, str, str, tuple[int, ...]]], n_classes: int) -> WordNetGraph:
    """A graph from rows (wnid, key, label, parent indexes), classes first; `HierarchyError` on a cycle or two roots."""
    n = len(nodes)
    parents = tuple(row[3] for row in nodes)
    if any(not 0 <= p < n for row in parents for p in row):
        raise HierarchyError("the WordNet graph names a parent that it does not hold")
    if sum(not row for row in parents) != 1:
        raise HierarchyError("the WordNet graph must have exactly one root")
    try:
        order = [*TopologicalSorter(dict(enumerate(parents))).static_order()]  # parents before children
    except CycleError:
        raise HierarchyError("the WordNet graph has a cycle") from None
    shortest, longest = np.zeros(n, np.int16), np.zeros(n, np.int16)
    for i in order:
        if parents[i]:
            shortest[i] = min(shortest[p] for p in parents[i]) + 1
            longest[i] = max(longest[p] for p in parents[i]) + 1
    distance = np.full((n, n), FAR, np.int16)
    np.fill_diagonal(distance, 0)
    for i in order:  # a row is its parents' rows, one step further
        for p in parents[i]:
            np.minimum(distance[i], np.where(distance[p] < FAR, distance[p] + 1, FAR), out=distance[i])
    _, keys, labels, _ = zip(*nodes, strict=True)
    return WordNetGraph(keys, labels, parents, n_classes, shortest, longest, distance)


@functools.lru_cache(maxsize=1)
def wordnet_graph() -> WordNetGraph:
    """The shipped graph of the 1000 classes."""
    data: dict[str, Any] = read_asset(WORDNET_FILE, "the WordNet graph", WORDNET_COMMAND)
    nodes = [(wnid, key, label, tuple(parents)) for wnid, key, label, parents in data["nodes"]]
    graph = build_graph(nodes, data["n_classes"])
    if [wnid for wnid, *_ in nodes[: graph.n_classes]] != [c.wnid for c in classes()]:
        raise HierarchyError(f"the WordNet graph does not fit the class list; make it anew with: {WORDNET_COMMAND}")
    return graph


def shortest_path(graph: WordNetGraph, index: int) -> tuple[int, ...]:
    """Nodes from the root down to a class along a shortest hypernym path; ties go to the smaller synset name."""
    path = [index]
    while graph.parents[path[-1]]:
        path.append(min(graph.parents[path[-1]], key=lambda p: (graph.min_depth[p], graph.keys[p])))
    return tuple(reversed(path))

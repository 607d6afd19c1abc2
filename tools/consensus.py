"""Consensus over many clusterings (seeds, models): one tree that agrees with them better than they do with each other.

    runs ──► co-association ──► Ward tree, cut at K ─┐
             (how often two  └► k-means of its rows ─┴─► moves of classes while the mean ARI to the runs rises; the best
              classes meet)                              end wins ──► next finer K, inside the groups found so far

Evidence accumulation (Fred & Jain 2005) gives the start, median-partition moves the rest. At the coarsest level ends with a
group above `largest_share` lose to all others: a level that is mostly one group tells nobody much. Seeds are fixed.

`mend` moves on from there with WordNet's vote beside the runs': a class goes where the embeddings hardly care and its
meaning does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.cluster import canonical, kmeans
from hiercodec.taxonomy.measures import ari, one_hot

STARTS = 3
"""How many k-means starts the coarsest level has beside Ward's."""


def largest_share(k: int) -> float:
    """Largest share of the classes that one of k groups should hold: a fifth at K = 10, 1.5 / k where k is small."""
    return max(0.2, 1.5 / k)


def consensus(runs: Mapping[int, Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Nested groupings, coarse first, one for each K of `runs` (K → assignments int64[n] found at that K)."""
    found: list[np.ndarray] = []
    for k in sorted(runs):
        if len(runs[k]) < 2:
            raise HierarchyError(f"a consensus needs two runs or more at K = {k}, got {len(runs[k])}")
        together = coassociation(runs[k])
        if found:
            start, parent = _cut_inside(together, found[-1], k)
            end = climb(start, runs[k], parent=parent)
        else:
            starts = [_ward_cut(together, k), *(kmeans(together, k, seed=s, n_init=3) for s in range(STARTS))]
            ends = [climb(start, runs[k]) for start in starts]
            even = [end for end in ends if np.bincount(end).max() < largest_share(k) * len(end)]
            end = max(even or ends, key=lambda groups: _mean_ari(groups, runs[k]))
        found.append(canonical(end))
    return found


def mend(tree: Sequence[np.ndarray], runs: Mapping[int, Sequence[np.ndarray]], kinship: Kinship) -> list[np.ndarray]:
    """A nested tree with the Ks of `tree` (coarse first) in which kin stand together, as far as `runs` allow.

    The coarsest level climbs on from the tree's own; finer ones are cut anew inside the groups that gives.
    """
    found: list[np.ndarray] = []
    for k, start in zip(sorted(runs), tree, strict=True):
        parent = None
        if found:
            start, parent = _cut_inside(coassociation(runs[k]), found[-1], k)
        found.append(canonical(climb(start, runs[k], parent=parent, kinship=kinship)))
    return found


def climb(
    start: np.ndarray,
    runs: Sequence[np.ndarray],
    *,
    parent: np.ndarray | None = None,
    kinship: Kinship | None = None,
    max_sweeps: int = 50,
) -> np.ndarray:
    """Move single classes between groups while that raises the mean ARI to `runs`; never empties a group.

    `parent`[k] keeps moves among groups of the same parent. With `kinship` a move also counts, per class, its weight times
    the rise of the class's mean similarity to its group. Classes are visited in order, ties keep the class where it is, so
    the result is the same on every run.
    """
    votes = _Votes(start, runs)
    weight = 0.0 if kinship is None else kinship.weight / len(start)
    kin = None if kinship is None else _Kin(start, kinship.similarity)
    parent = np.zeros(votes.k, np.int64) if parent is None else parent
    for _ in range(max_sweeps):
        moved = False
        for i in range(len(start)):
            here = votes.groups[i]
            if votes.sizes[here] == 1:
                continue
            score = votes.scores(i)
            if kin is not None:
                score = score + weight * kin.scores(i, here, votes.sizes)
            score = np.where(parent == parent[here], score, -np.inf)
            best = int(score.argmax())
            if score[best] > score[here] + 1e-12:
                votes.move(i, best)
                if kin is not None:
                    kin.move(i, here, best)
                moved = True
        if not moved:
            break
    return votes.groups


@dataclass(frozen=True, slots=True, eq=False)
class Kinship:
    """How alike classes are by meaning, symmetric float64[n, n], and how much that counts beside the runs' mean ARI."""

    similarity: np.ndarray
    weight: float


class _Kin:
    """Sums of similarity between every class and every group, kept up to date move by move in O(n)."""

    def __init__(self, start: np.ndarray, similarity: np.ndarray) -> None:
        self.similarity = similarity
        self.sums = similarity @ one_hot(start)  # [n, k]

    def scores(self, i: int, here: int, sizes: np.ndarray) -> np.ndarray:
        """Mean similarity of class i to the other members of each group, float64[k]; i stands in group `here`."""
        sums, count = self.sums[i].copy(), sizes.copy()
        sums[here] -= self.similarity[i, i]
        count[here] -= 1
        return sums / count

    def move(self, i: int, here: int, there: int) -> None:
        self.sums[:, here] -= self.similarity[:, i]
        self.sums[:, there] += self.similarity[:, i]


class _Votes:
    """Bookkeeping that gives the mean ARI to all runs after any single move in O(k · runs)."""

    def __init__(self, start: np.ndarray, runs: Sequence[np.ndarray]) -> None:
        n, count = len(start), len(runs)
        self.groups = start.copy()
        self.k = int(start.max()) + 1
        self.sizes = np.bincount(start, minlength=self.k).astype(np.float64)
        width = max(int(run.max()) for run in runs) + 1
        self.columns = np.stack(runs, 1) + np.arange(count) * width  # [n, runs]: column of each class in `table`
        self.table = np.zeros((self.k, count * width))  # contingency with every run, side by side
        np.add.at(self.table, (np.repeat(start[:, None], count, 1), self.columns), 1.0)
        self.together = (self.table**2).reshape(self.k, count, width).sum((0, 2))  # [runs]: Σ n_ij²
        self.run_pairs = np.array([(np.bincount(run).astype(float) ** 2).sum() - n for run in runs]) / 2
        self.n, self.all_pairs = n, n * (n - 1) / 2

    def scores(self, i: int) -> np.ndarray:
        """Mean ARI after moving class i to each group, float64[k]; at its own group the present value."""
        here = self.groups[i]
        mates = self.table[:, self.columns[i]]  # [k, runs]
        gain = 2 * (mates - mates[here] + 1)
        grow = 2 * (self.sizes - self.sizes[here] + 1)
        gain[here], grow[here] = 0, 0
        together = (self.together + gain - self.n) / 2
        own_pairs = (((self.sizes**2).sum() + grow - self.n) / 2)[:, None]
        expected = own_pairs * self.run_pairs / self.all_pairs
        return ((together - expected) / ((own_pairs + self.run_pairs) / 2 - expected)).mean(1)

    def move(self, i: int, there: int) -> None:
        here = self.groups[i]
        columns = self.columns[i]
        self.together += 2 * (self.table[there, columns] - self.table[here, columns] + 1)
        self.table[here, columns] -= 1
        self.table[there, columns] += 1
        self.sizes[here] -= 1
        self.sizes[there] += 1
        self.groups[i] = there


def coassociation(runs: Sequence[np.ndarray]) -> np.ndarray:
    """float64[n, n]: the share of runs in which two classes are in the same group; the diagonal is 1."""
    total = np.zeros((len(runs[0]), len(runs[0])))
    for run in runs:
        total += run[:, None] == run[None, :]
    return total / len(runs)


def _mean_ari(groups: np.ndarray, runs: Sequence[np.ndarray]) -> float:
    return float(np.mean([ari(groups, run) for run in runs]))


def _ward_cut(together: np.ndarray, k: int) -> np.ndarray:
    """Ward's tree over rows of the co-association matrix: classes with the same company are near; cut at k."""
    from scipy.cluster.hierarchy import cut_tree, linkage

    return canonical(cut_tree(linkage(together, "ward"), n_clusters=k)[:, 0])


def _cut_inside(together: np.ndarray, upper: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Average linkage on 1 − co-association, merging inside the groups of `upper` only; k groups and their parents."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    if k <= upper.max() + 1:
        raise HierarchyError(f"finer levels need more groups: K = {k} under {int(upper.max()) + 1}")
    apart = 1.0 - together + 2.0 * (upper[:, None] != upper[None, :])  # > 1: such merges come last
    np.fill_diagonal(apart, 0.0)
    groups = canonical(cut_tree(linkage(squareform(apart, checks=False), "average"), n_clusters=k)[:, 0])
    parent = np.zeros(k, np.int64)
    parent[groups] = upper
    return groups, parent

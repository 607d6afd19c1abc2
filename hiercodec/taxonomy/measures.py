"""What to measure on a grouping of classes: WUP inside and between groups, balance, agreement, nesting, stability.

Pure functions of arrays; scikit-learn loads where two groupings are compared. Groups are numbered 0…k−1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hiercodec.taxonomy.hierarchy import Hierarchy


@dataclass(frozen=True, slots=True)
class Separation:
    """Mean similarity inside groups, between groups, and their difference; NaN where there is no such pair."""

    intra: float
    inter: float

    @property
    def gap(self) -> float:
        """How much closer two classes of one group are than two of different groups."""
        return self.intra - self.inter


@dataclass(frozen=True, slots=True)
class Balance:
    """How evenly classes are spread: largest group, its share 0…1, entropy / log k (1 = all equal), groups of one."""

    k: int
    largest: int
    largest_share: float
    entropy: float
    singletons: int


def separation(assignment: np.ndarray, similarity: np.ndarray) -> Separation:
    """Mean similarity[n, n] of unordered pairs i < j inside and between groups, every pair alike (paper Table 1)."""
    groups = one_hot(assignment)
    symmetric = (similarity + similarity.T) / 2
    sums = groups.T @ symmetric @ groups  # [k, k]: ordered pairs, the diagonal still holds i = i
    sizes = groups.sum(0)
    counts = np.outer(sizes, sizes)
    own = (sums.diagonal() - groups.T @ symmetric.diagonal()) / 2, sizes * (sizes - 1) / 2
    upper = np.triu_indices(len(sizes), 1)
    return Separation(_mean(*own), _mean(sums[upper], counts[upper]))


def balance(assignment: np.ndarray) -> Balance:
    """How evenly the classes are spread over the groups.

    >>> balance(np.array([0, 0, 1, 1]))
    Balance(k=2, largest=2, largest_share=0.5, entropy=1.0, singletons=0)
    """
    sizes = np.bincount(assignment)
    share = sizes / sizes.sum()
    entropy = float(-(share * np.log(share)).sum() / np.log(len(sizes))) if len(sizes) > 1 else 0.0
    return Balance(len(sizes), int(sizes.max()), float(share.max()), entropy, int((sizes == 1).sum()))


def ari(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index (Hubert and Arabie) of two groupings: pairs grouped alike; 0 at chance, 1 when equal.

    >>> ari(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(a, b))


def ami(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted mutual information (Vinh et al., arithmetic normalisation) of two groupings; 0 at chance, 1 when equal."""
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(a, b))


@dataclass(frozen=True, slots=True)
class Nesting:
    """How far a level is from lying inside the level above: groups wholly inside one parent, and the share of classes
    that sit with their group's main parent (1 in a tree)."""

    level: str
    groups: int
    inside: int
    purity: float


def nesting(hierarchy: Hierarchy) -> tuple[Nesting, ...]:
    """One `Nesting` for every level under the top."""
    rows = []
    for level in hierarchy.levels[1:]:
        share = hierarchy.parents(level.name)[1]
        rows.append(
            Nesting(
                level.name, level.k, int((share == 1).sum()), float((share * level.sizes).sum() / level.sizes.sum())
            )
        )
    return tuple(rows)


ODD_MARGIN = 0.1
"""By how much a class must be more similar to another group than to its own to count as odd there."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A class that by meaning belongs elsewhere: its index, its group, the nearest group and how much nearer that is."""

    index: int
    group: int
    nearer: int
    margin: float


def odd_members(assignment: np.ndarray, similarity: np.ndarray, margin: float = ODD_MARGIN) -> list[Odd]:
    """Classes whose mean similarity[n, n] to another group exceeds that to their own by more than `margin`, oddest first.

    A class does not count as its own company, and one that is alone in its group is not odd.
    """
    here = one_hot(assignment)
    sums, sizes = similarity @ here, here.sum(0)
    n = np.arange(len(assignment))
    company = sizes[assignment] - 1
    means = sums / sizes
    own = np.divide(sums[n, assignment] - similarity[n, n], company, out=np.full(len(n), np.inf), where=company > 0)
    means[n, assignment] = -np.inf
    nearer = means.argmax(1)
    by = means[n, nearer] - own
    order = sorted(np.flatnonzero(by > margin), key=lambda i: (-by[i], i))
    return [Odd(int(i), int(assignment[i]), int(nearer[i]), float(by[i])) for i in order]


def one_hot(assignment: np.ndarray) -> np.ndarray:
    """float64[n, k] of an assignment."""
    return (assignment[:, None] == np.arange(int(assignment.max()) + 1)).astype(np.float64)


def _mean(sums: np.ndarray, counts: np.ndarray) -> float:
    return float(sums.sum() / counts.sum()) if counts.any() else float("nan")

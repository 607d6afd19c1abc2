"""Clusterings of class embeddings: flat k-means as in the paper, nested k-means (a real tree), and linkage trees.

Every function returns assignments int64[n] whose groups are numbered by their first member, so that group 0 always
holds class 0 and the same partition always has the same numbers. scikit-learn and SciPy load only inside the calls.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from hiercodec.errors import HierarchyError

LINKAGES = ("average", "complete", "ward")


def canonical(assignment: np.ndarray) -> np.ndarray:
    """The same partition with groups numbered 0…k−1 in the order of their first members.

    >>> canonical(np.array([7, 7, 2, 7, 5]))
    array([0, 0, 1, 0, 2])
    """
    _, first, inverse = np.unique(assignment, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    return rank[inverse.ravel()]


def kmeans(x: np.ndarray, k: int, *, seed: int = 0, n_init: int = 10, weights: np.ndarray | None = None) -> np.ndarray:
    """k-means (Lloyd, k-means++ starts) of rows x[n, d] into k groups; the best of `n_init` starts of this seed."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    _check(x, (k,))
    if k == len(x):
        return np.arange(len(x))
    # one thread: the sums, and so the groups, must not depend on how many cores there are
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # `_all_groups` says it, and what to look at
        estimator = KMeans(k, n_init=n_init, random_state=seed)  # pyright: ignore[reportArgumentType] (a number, too)
        groups = estimator.fit_predict(np.asarray(x, np.float64), sample_weight=weights)
    return _all_groups(canonical(groups), k)


def flat(x: np.ndarray, ks: Sequence[int], *, seed: int = 0, n_init: int = 10) -> list[np.ndarray]:
    """One independent k-means per K, as the paper does: levels need not nest."""
    return [kmeans(x, k, seed=seed, n_init=n_init) for k in ks]


def nested(x: np.ndarray, ks: Sequence[int], *, seed: int = 0, n_init: int = 10) -> list[np.ndarray]:
    """A tree from below: k-means at the largest K, then k-means of the group centroids, weighted by size, and so on."""
    _check(x, ks)
    groupings: dict[int, np.ndarray] = {}
    points, weights = np.asarray(x, np.float64), np.ones(len(x))
    of_class = np.arange(len(x))  # class → point
    for k in sorted(set(ks), reverse=True):
        groups = kmeans(points, k, seed=seed, n_init=n_init, weights=weights)
        mass = np.bincount(groups, weights, minlength=k)
        points = (
            np.stack([np.bincount(groups, weights * column, minlength=k) for column in points.T], 1) / mass[:, None]
        )
        weights, of_class = mass, groups[of_class]
        groupings[k] = of_class
    return [canonical(groupings[k]) for k in ks]


def linkage_tree(x: np.ndarray, ks: Sequence[int], *, linkage: str = "ward") -> list[np.ndarray]:
    """Cuts into exactly k groups of one agglomerative tree over rows x[n, d] (Euclidean): no seed, nested."""
    from scipy.cluster.hierarchy import cut_tree
    from scipy.cluster.hierarchy import linkage as build

    _check(x, ks)
    if linkage not in LINKAGES:
        raise HierarchyError(f"no linkage {linkage!r}; there are {', '.join(LINKAGES)}")
    tree = build(np.asarray(x, np.float64), linkage)
    return [canonical(cut_tree(tree, n_clusters=k)[:, 0]) for k in ks]


def _check(x: np.ndarray, ks: Sequence[int]) -> None:
    if x.ndim != 2 or not len(x):
        raise HierarchyError("embeddings must be a matrix with one row a class")
    for k in ks:
        if not 1 <= k <= len(x):
            raise HierarchyError(f"K = {k} is not between 1 and the {len(x)} classes")


def _all_groups(assignment: np.ndarray, k: int) -> np.ndarray:
    """k-means may leave groups empty where rows are equal; then K cannot be reached."""
    reached = int(assignment.max()) + 1
    if reached != k:
        raise HierarchyError(f"only {reached} groups differ; K = {k} cannot be reached (equal embeddings?)")
    return assignment

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import cluster, measures
from tools.consensus import Kinship, climb, consensus, mend


@pytest.fixture(scope="module")
def blobs():
    """120 points in 4 far blobs of 3 near ones of 10; (points, coarse truth, fine truth)."""
    rng = np.random.default_rng(0)
    coarse, fine = np.repeat(np.arange(4), 30), np.repeat(np.arange(12), 10)
    x = 30 * rng.normal(size=(4, 8))[coarse] + 6 * rng.normal(size=(12, 8))[fine] + 0.3 * rng.normal(size=(120, 8))
    return x, coarse, fine


def nested_in(lower, upper):
    return all(len(set(upper[lower == g])) == 1 for g in range(lower.max() + 1))


@pytest.mark.parametrize("method", ["flat", "nested", "average", "complete", "ward"])
def test_methods_find_what_is_there(blobs, method):
    x, coarse, fine = blobs
    if method in ("flat", "nested"):
        top, low = getattr(cluster, method)(x, [4, 12], seed=1)
    else:
        top, low = cluster.linkage_tree(x, [4, 12], linkage=method)
    assert measures.ari(top, coarse) == 1.0
    assert measures.ari(low, fine) == 1.0
    assert nested_in(low, top)
    assert (top[0], low[0]) == (0, 0)


def test_nested_takes_any_ks_in_any_order_and_is_a_tree():
    x = np.random.default_rng(3).normal(size=(90, 5))
    three, forty, nine = cluster.nested(x, [3, 40, 9], seed=0, n_init=2)
    assert [g.max() + 1 for g in (three, nine, forty)] == [3, 9, 40]
    assert nested_in(forty, nine)
    assert nested_in(nine, three)


def test_seeds_repeat_and_differ():
    x = np.random.default_rng(3).normal(size=(90, 5))
    a, b, c = (cluster.kmeans(x, 9, seed=s, n_init=1) for s in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_canonical_numbering_depends_on_the_partition_only():
    groups = np.random.default_rng(0).integers(0, 6, 50)
    shuffled = np.array([3, 5, 0, 1, 2, 4])[groups]
    assert np.array_equal(cluster.canonical(groups), cluster.canonical(shuffled))
    first = [int(np.flatnonzero(cluster.canonical(groups) == g)[0]) for g in range(6)]
    assert first == sorted(first)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: cluster.kmeans(x, 0), "K = 0 is not between 1 and the 4"),
        (lambda x: cluster.kmeans(x, 5), "K = 5 is not between 1 and the 4"),
        (lambda x: cluster.kmeans(x[0], 1), "one row a class"),
        (lambda x: cluster.linkage_tree(x, [2], linkage="single-malt"), "no linkage 'single-malt'"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(HierarchyError, match=message):
        call(np.eye(4))


def test_equal_rows_cannot_give_more_groups():
    with pytest.raises(HierarchyError, match="only 2 groups differ"):
        cluster.kmeans(np.repeat(np.eye(2), 4, 0), 5)


def noisy(truth, k, seed, share):
    rng = np.random.default_rng(seed)
    groups = truth.copy()
    moved = rng.random(len(truth)) < share
    groups[moved] = rng.integers(0, k, moved.sum())
    return cluster.canonical(groups)


def test_consensus_recovers_the_truth_from_noisy_runs_as_a_tree(blobs):
    _, coarse, fine = blobs
    runs = {4: [noisy(coarse, 4, s, 0.3) for s in range(12)], 12: [noisy(fine, 12, s, 0.3) for s in range(12)]}
    top, low = consensus(runs)
    assert measures.ari(top, coarse) == 1.0
    assert measures.ari(low, fine) > 0.98
    assert nested_in(low, top)
    among = np.mean([measures.ari(runs[4][0], run) for run in runs[4][1:]])
    assert np.mean([measures.ari(top, run) for run in runs[4]]) > among


def test_climb_never_lowers_the_mean_agreement_and_its_bookkeeping_is_exact():
    rng = np.random.default_rng(5)
    runs = [cluster.canonical(rng.integers(0, 5, 40)) for _ in range(6)]
    start = cluster.canonical(rng.integers(0, 5, 40))
    end = climb(start, runs)

    def mean(groups):
        return np.mean([measures.ari(groups, run) for run in runs])

    assert mean(end) > mean(start)
    assert end.max() == start.max()
    for i in range(40):  # a local optimum by the plain definition: no single move helps
        for g in range(5):
            moved = end.copy()
            moved[i] = g
            if len(set(moved)) == 5:
                assert mean(moved) <= mean(end) + 1e-9


def test_consensus_needs_runs_and_growing_ks():
    run = np.array([0, 0, 1, 1])
    with pytest.raises(HierarchyError, match="two runs or more"):
        consensus({2: [run]})


def test_mending_moves_a_stray_to_its_kin_and_leaves_the_rest():
    """Two kinds; where the runs are torn about a class its meaning decides; a heavy vote of the runs is not overruled."""
    kinds = np.repeat([0, 1], 8)
    stray, torn = kinds.copy(), [kinds.copy() for _ in range(9)]
    stray[0] = 1
    for run in torn[:5]:
        run[0] = 1  # five of nine runs have it on the wrong side
    kinship = np.where(kinds[:, None] == kinds[None, :], 0.9, 0.2)
    assert np.array_equal(mend([stray], {2: torn}, Kinship(kinship, 0.0))[0], cluster.canonical(stray))
    assert np.array_equal(mend([stray], {2: torn}, Kinship(kinship, 3.0))[0], cluster.canonical(kinds))
    assert np.array_equal(mend([stray], {2: [stray] * 9}, Kinship(kinship, 0.5))[0], cluster.canonical(stray))


def test_mending_counts_company_as_the_plain_definition_does():
    rng = np.random.default_rng(3)
    runs = [cluster.canonical(rng.integers(0, 4, 30)) for _ in range(3)]
    kinship = rng.random((30, 30))
    kinship = (kinship + kinship.T) / 2
    end = climb(runs[0], runs, kinship=Kinship(kinship, 2.0))

    def score(groups, i):
        mates = np.flatnonzero((groups == groups[i]) & (np.arange(30) != i))
        return np.mean([measures.ari(groups, run) for run in runs]) + 2.0 / 30 * kinship[i, mates].mean()

    for i in range(30):
        for g in range(4):
            moved = end.copy()
            moved[i] = g
            if len(set(moved)) == 4 and (moved == g).sum() > 1:
                assert score(moved, i) <= score(end, i) + 1e-9

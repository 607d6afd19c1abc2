from __future__ import annotations

import itertools

import numpy as np
import pytest

from hiercodec.taxonomy import make_hierarchy, measures
from hiercodec.taxonomy.cluster import canonical
from hiercodec.taxonomy.hierarchy import HierarchyLevel
from tools.stability import company_kept


def grouping(seed, n=60, k=7):
    return canonical(np.random.default_rng(seed).integers(0, k, n))


def test_the_rand_index_counts_pairs_that_are_grouped_alike():
    x, y = grouping(3), grouping(40, k=23)
    pairs = [(x[i] == x[j], y[i] == y[j]) for i, j in itertools.combinations(range(len(x)), 2)]
    both, ours, theirs = (sum(map(bool, rows)) for rows in ([a and b for a, b in pairs], *zip(*pairs, strict=True)))
    chance = ours * theirs / len(pairs)
    assert measures.ari(x, y) == pytest.approx((both - chance) / ((ours + theirs) / 2 - chance), abs=1e-12)


def test_agreement_at_the_ends():
    x = grouping(0)
    assert measures.ari(x, x) == measures.ami(x, x) == 1.0
    one, all_apart = np.zeros(60, int), np.arange(60)
    assert measures.ari(one, one) == 1.0
    assert measures.ami(all_apart, all_apart) == pytest.approx(1.0)
    assert abs(measures.ari(one, x)) < 1e-12
    for measure in (measures.ari, measures.ami):
        assert abs(np.mean([measure(grouping(i), grouping(100 + i)) for i in range(60)])) < 0.02


def test_separation_equals_the_pair_loop():
    rng = np.random.default_rng(0)
    similarity = rng.random((60, 60))
    similarity = (similarity + similarity.T) / 2
    x = grouping(1)
    inside, between = {}, {}
    for i, j in itertools.combinations(range(60), 2):
        if x[i] == x[j]:
            inside.setdefault(x[i], []).append(similarity[i, j])
        else:
            between.setdefault((min(x[i], x[j]), max(x[i], x[j])), []).append(similarity[i, j])
    pairs = measures.separation(x, similarity)
    assert pairs.intra == pytest.approx(np.mean([*itertools.chain(*inside.values())]))
    assert pairs.inter == pytest.approx(np.mean([*itertools.chain(*between.values())]))
    assert pairs.gap == pytest.approx(pairs.intra - pairs.inter)


def test_separation_without_pairs_is_nan():
    assert np.isnan(measures.separation(np.arange(4), np.eye(4)).intra)
    assert np.isnan(measures.separation(np.zeros(4, int), np.eye(4)).inter)


def test_balance():
    b = measures.balance(np.array([0, 0, 0, 1]))
    assert (b.k, b.largest, b.largest_share, b.singletons) == (2, 3, 0.75, 1)
    assert b.entropy == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert measures.balance(np.zeros(3, int)).entropy == 0.0


def test_nesting_counts_groups_and_classes():
    names = tuple("abcdef")
    top = HierarchyLevel("top", 2, np.array([0, 0, 0, 1, 1, 1]), ("x", "y"))
    low = HierarchyLevel("low", 3, np.array([0, 0, 1, 1, 1, 2]), ("p", "q", "r"))
    first, last = measures.nesting(make_hierarchy("h", [top, low], class_names=names))
    assert (first.level, first.groups, first.inside) == ("low", 3, 2)
    assert first.purity == pytest.approx(5 / 6)
    assert (last.inside, last.purity) == (6, 1.0)


def test_company_kept_equals_its_definition():
    runs = [grouping(i, n=20, k=4) for i in range(5)]
    stability = company_kept(runs)
    for c in range(20):
        mates = [set(np.flatnonzero(run == run[c])) - {c} for run in runs]
        kept = sum(len(m & o) for m, o in itertools.permutations(mates, 2))
        assert stability[c] == pytest.approx(kept / (4 * sum(map(len, mates))))
    assert company_kept([runs[0], runs[0]]) == pytest.approx(1.0)
    alone = [np.arange(3)] * 2
    assert np.isnan(company_kept(alone)).all()


def test_odd_members_by_the_plain_definition():
    rng = np.random.default_rng(2)
    similarity, groups = rng.random((30, 30)), grouping(4, n=30, k=5)
    groups[groups == 4] = 3
    groups[7] = 4  # alone: never odd
    expected = {}
    for i in range(30):
        mean = {
            g: np.mean([similarity[i, j] for j in range(30) if groups[j] == g and j != i]) for g in range(5) if g != 4
        }
        mean[4] = similarity[i, 7]
        if i != 7 and max(mean.values()) - mean[groups[i]] > 0.1:
            best = max((g for g in mean if g != groups[i]), key=mean.get)
            expected[i] = (groups[i], best, pytest.approx(mean[best] - mean[groups[i]]))
    found = measures.odd_members(groups, similarity)
    assert {odd.index: (odd.group, odd.nearer, odd.margin) for odd in found} == expected
    assert [odd.margin for odd in found] == sorted((odd.margin for odd in found), reverse=True)
    assert expected

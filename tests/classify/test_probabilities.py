"""Level probabilities and paths."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from hiercodec.classify import level_probabilities, path_of
from hiercodec.taxonomy import HierarchyLevel, make_hierarchy

NAMES = ("poodle", "beagle", "tabby", "car", "bus")


def hierarchy(*assignments):
    """A hierarchy over five classes with any number of group levels."""
    levels = [
        HierarchyLevel(f"level {i}", max(a) + 1, np.array(a), tuple(f"{i}/{g}" for g in range(max(a) + 1)))
        for i, a in enumerate(assignments)
    ]
    return make_hierarchy("test", levels, class_names=NAMES)


TREE = hierarchy([0, 0, 0, 1, 1], [0, 0, 1, 2, 2])
P = np.array([0.3, 0.1, 0.15, 0.4, 0.05], np.float32)


def test_sums_by_hand():
    got = level_probabilities(P, TREE)
    assert list(got) == ["level 0", "level 1", "fine"]
    np.testing.assert_allclose(got["level 0"], [0.55, 0.45], atol=1e-7)
    np.testing.assert_allclose(got["level 1"], [0.4, 0.15, 0.45], atol=1e-7)
    np.testing.assert_array_equal(got["fine"], P)


@pytest.mark.parametrize(
    "h", [hierarchy(), hierarchy([0, 1, 1, 0, 1]), TREE, hierarchy([0, 0, 1, 1, 2], [3, 2, 1, 0, 0])]
)
def test_rows_sum_to_one_at_any_number_of_levels(h):
    p = np.random.default_rng(0).dirichlet(np.ones(5), 7).astype(np.float32)
    got = level_probabilities(p, h)
    assert [q.shape for q in got.values()] == [(7, level.k) for level in h.levels]
    for q in got.values():
        assert q.dtype == np.float32
        np.testing.assert_allclose(q.sum(1), 1, atol=1e-6)
    for name, q in level_probabilities(p[3], h).items():
        np.testing.assert_array_equal(q, got[name][3])


def test_against_a_matrix_product():
    h = hierarchy([0, 0, 1, 1, 2], [3, 2, 1, 0, 0])
    p = np.random.default_rng(1).dirichlet(np.ones(5), 4)
    for level in h.levels:
        onehot = np.eye(level.k)[level.assignment]
        np.testing.assert_allclose(level_probabilities(p, h)[level.name], p @ onehot, atol=1e-6)


@pytest.mark.parametrize("bad", [np.ones(4), np.ones((2, 6)), np.ones((1, 2, 5)), np.float32(1)])
def test_wrong_shapes_are_refused(bad):
    with pytest.raises(ValueError, match="probabilities"):
        level_probabilities(bad, TREE)


def test_path_ranks_and_names():
    path = path_of(P, TREE, top=2)
    assert path.names == ("level 0", "level 1", "fine")
    assert [(i, label) for i, label, _ in path["level 1"]] == [(2, "1/2"), (0, "1/0")]
    assert path["fine"][0][:2] == (3, "car")
    assert len(path_of(P, TREE, top=9)["level 0"]) == 2
    assert path.winners[0][0] == 0


def test_consistency():
    # Animals win together (0.55), the car alone (0.4): the winners are no branch.
    assert not path_of(P, TREE).consistent
    assert path_of(np.array([0.5, 0.1, 0.1, 0.2, 0.1]), TREE).consistent
    assert "not consistent" in repr(path_of(P, TREE))


def test_consistency_without_a_tree():
    # Group 1/0 = {poodle, beagle, car} lies mostly, not wholly, in 0/0: that is its parent.
    h = hierarchy([0, 0, 0, 1, 1], [0, 0, 1, 0, 2])
    assert path_of(np.array([0.6, 0.1, 0.1, 0.1, 0.1]), h).consistent


def test_equal_probabilities_keep_group_order():
    assert [i for i, _, _ in path_of(np.full(5, 0.2), TREE)["fine"]] == [0, 1, 2]


def test_path_of_wants_one_picture():
    with pytest.raises(ValueError, match="one picture"):
        path_of(np.ones((2, 5)) / 5, TREE)


def test_no_torch():
    code = "import sys, hiercodec.classify, hiercodec.images; sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

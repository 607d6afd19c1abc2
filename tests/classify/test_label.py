"""What a classifier's answer becomes in a label, and what is reading of it again."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec import classify, stream
from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import HierarchyLevel, find_hierarchy, load_hierarchy, make_hierarchy

NAMES = tuple("abcdef")


def hierarchy(*assignments):
    levels = [
        HierarchyLevel(f"level {i}", max(a) + 1, np.array(a), tuple(f"{i}/{g}" for g in range(max(a) + 1)))
        for i, a in enumerate(assignments)
    ]
    return make_hierarchy("six", levels, class_names=NAMES)


TREE = hierarchy([0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2])
CROSSED = hierarchy([0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2])
P = np.array([0.2, 0.2, 0.18, 0.0, 0.42, 0.0])


def test_the_path_is_one_branch_coarse_first():
    """The likeliest class is e, but a to d together are likelier than e and f: the branch goes there."""
    reading = classify.read_label(classify.label_of(P, TREE, "579" + "0" * 61), TREE)
    assert [(group, label) for group, label, _ in reading.path.winners] == [(0, "0/0"), (0, "1/0"), (0, "a")]
    assert reading.confidences == (1, 0, 0)
    assert reading.complete
    assert reading.classifier == "lite0"
    assert classify.read_label(classify.label_of(P, TREE, "a" * 64), TREE).classifier == "aaa"


def test_groups_that_cross_leave_one_branch_too():
    reading = classify.read_label(classify.label_of(P, CROSSED, "0" * 64), CROSSED)
    assert [label for _, label, _ in reading.path.winners] == ["0/0", "1/2", "e"]
    assert reading.confidences == (2, 0, 0), "a confidence is the probability of the whole group"


def test_the_shipped_hierarchies_are_found_by_their_names_in_cores():
    rng = np.random.default_rng(0)
    for name in ("consensus-mended", "clip-b16-flat", "wordnet"):
        groups = load_hierarchy(name)
        assert find_hierarchy(groups.digest[:4]).name == name
        p = rng.dirichlet(np.full(1000, 0.01))
        label = classify.label_of(p, groups, "9" * 64)
        assert len(label.payload) <= 2
        reading = classify.read_label(label)
        assert reading.hierarchy.digest == groups.digest
        assert reading.path.names == groups.names
        coarse = classify.level_probabilities(p, groups)[groups.names[0]]
        assert reading.path.winners[0][0] == coarse.argmax()


def test_a_cut_label_tells_the_levels_that_came():
    label = classify.label_of(P, TREE, "0" * 64)
    assert not classify.read_label(stream.Label(label.mark, b"", complete=False), TREE).path
    assert [*classify.read_label(label, TREE).path] == ["level 0", "level 1", "fine"]


def test_another_hierarchy_is_refused():
    label = classify.label_of(P, TREE, "0" * 64)
    with pytest.raises(HierarchyError, match="another hierarchy than 'six'"):
        classify.read_label(label, CROSSED)
    with pytest.raises(HierarchyError, match="not here"):
        classify.read_label(label)
    with pytest.raises(ValueError, match="in common"):
        classify.label_of_path([(1, 0), (0, 0), (0, 0)], TREE, "0" * 64)

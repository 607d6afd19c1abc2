"""Failures among measured rows: what counts as one, and who is confused with whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hiercodec.evaluation.results import failures
from hiercodec.evaluation.results.failures import FAILURES, ORDERS
from hiercodec.evaluation.results.table import Table
from hiercodec.taxonomy import HierarchyLevel, make_hierarchy
from tests.evaluation.some_rows import some_table

FINE = 2


@pytest.fixture(scope="module")
def tree():
    """Four classes in two kinds: {a, b} and {c, d}; the middle level has three groups: {a}, {b}, {c, d}."""
    return make_hierarchy(
        "four",
        [
            HierarchyLevel("coarse", 2, np.array([0, 0, 1, 1]), ("ab", "cd")),
            HierarchyLevel("intermediate", 3, np.array([0, 1, 2, 2]), ("a", "b", "cd")),
        ],
        class_names=("a", "b", "c", "d"),
    )


@pytest.fixture
def found(tree) -> Table:
    """Four photographs of class 0 (the last: of class 2), at three cuts, with made-up answers."""
    classes = np.array([[0, 0, 0], [2, 0, 1], [1, 1, 1], [3, 3, 2]])
    winners = np.stack([level.assignment[classes] for level in tree.levels], 2)
    winners[2, 2] = (1, 1, 1)  # a kind that its class does not lie in
    truth = np.stack([level.assignment[[0, 0, 0, 2]] for level in tree.levels], 1)
    right = winners == truth[:, None]
    n_bytes = np.array([[100, 200, 300]] * 4) * np.array([[1], [2], [3], [4]])
    sure = np.full((4, 3, 3), 0.9)
    sure[1] = 0.5
    return some_table(
        right, n_bytes, hierarchy=tree, photos=np.array(list("pqrs")), labels=np.array([0, 0, 0, 2]), path=winners,
        truth=truth, probability=sure, margin=sure[:, :, 2] - 0.1, wup=np.where(right[:, :, 2], 1.0, 0.5),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cut", "wanted"),
    [
        ("everything", 0, "pqrs"),
        ("wrong here", 1, "rs"),
        ("right, then wrong again", 0, "q"),
        ("kind right, class wrong", 2, "q"),
        ("answers contradict each other", 2, "r"),
        ("answers contradict each other", 1, ""),
        ("confident and wrong", 0, "rs"),
        ("never right", 0, "r"),
        ("needs the most bytes", 0, "s"),
    ],
)
def test_every_filter_finds_its_failures(found, name, cut, wanted):
    assert "".join(found.where(FAILURES[name](found, FINE, cut)).photos) == wanted


def test_filters_ask_at_the_level_in_question(found):
    assert list(FAILURES["never right"](found, 0, 0)) == [False] * 4
    assert list(FAILURES["wrong here"](found, 0, 0)) == [False, True, False, False]


def test_orders_put_first_what_they_say(found):
    firsts = {name: found.photos[np.argsort(key(found, FINE, 0), kind="stable")[0]] for name, key in ORDERS.items()}
    assert firsts["late right answers first"] == "r", "never right is latest"
    assert firsts["early right answers first"] == "p"
    assert firsts["worst mistakes first (WUP)"] == "q"
    assert firsts["mildest mistakes first (WUP)"] == "q", "p is no mistake"
    assert firsts["close calls first"] == "q"
    assert firsts["clear calls first"] == "p"


def test_bytes_to_the_first_right_answer(found):
    assert found.bytes_to_right(FINE).tolist() == [100, 400, np.inf, 1200]
    assert found.first_right(FINE).tolist() == [0, 1, -1, 2]


def test_confusion_has_the_truth_down_and_the_prediction_across(found):
    counts = failures.confusion(found.truth[:, FINE], found.path[:, 1, FINE], 4)
    assert counts[0, 1] == 1, "class 0 taken for class 1"
    assert counts[1, 0] == 0
    assert counts[2, 3] == 1
    assert counts.sum() == 4
    assert failures.confused_pairs(found, FINE, 1) == [(0, 1, 1), (2, 3, 1)]


def test_severity_looks_at_mistakes_alone(found):
    first, second, _ = failures.severity(found)
    assert (first.errors, first.photos, first.wup) == (3, 4, 0.5)
    assert first.inside == pytest.approx((2 / 3, 1 / 3)), (
        "of three wrong classes two in the right kind, one in the family"
    )
    assert (second.errors, second.inside) == (2, (1.0, 0.5))
    perfect = replace(found, right=np.ones_like(found.right))
    assert np.isnan(failures.severity(perfect)[0].wup)


def test_meaning_comes_first_where_the_kind_is_right_no_later_than_the_class(found):
    right = np.zeros((5, 4, 3), bool)
    right[0, 1:, 0] = right[0, 2:, 2] = True  # kind, then class
    right[1, 1:, 0] = right[1, 1:, 2] = True  # together
    right[2, 2:, 0] = right[2, 1:, 2] = True  # class, then kind
    right[3, 2, 0] = True  # kind alone
    made = replace(found.where(np.zeros(5, int)), right=right, bytes=np.tile(np.arange(1, 5), (5, 1)))
    assert failures.meaning_first(made).tolist() == [True, True, False, True, False]

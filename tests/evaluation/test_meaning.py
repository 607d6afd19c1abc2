"""Bits of meaning, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import entropy

from hiercodec.evaluation.metrics import bits_of_meaning


@pytest.mark.parametrize("k", [10, 100, 1000])
def test_without_the_truth_it_is_what_entropy_leaves(k):
    p = np.random.default_rng(k).dirichlet(np.full(k, 0.1))
    assert bits_of_meaning(p) == pytest.approx(math.log2(k) - entropy(p, base=2))


@pytest.mark.parametrize("k", [10, 100, 1000])
def test_the_ends_of_the_scale(k):
    even, sure = np.full(k, 1 / k), np.eye(k)[3]
    assert bits_of_meaning(even) == pytest.approx(0, abs=1e-9)
    assert bits_of_meaning(even, [3]) == pytest.approx(0, abs=1e-9)
    assert bits_of_meaning(sure) == bits_of_meaning(sure, [3]) == math.log2(k)
    assert bits_of_meaning(sure, [4]) == 0  # a confident mistake tells nothing


def test_several_right_groups_count_together():
    p = [0.25, 0.25, 0.4, 0.1]
    assert bits_of_meaning(p, [0, 1]) == pytest.approx(2 + math.log2(0.5))
    assert bits_of_meaning(p, [3]) == 0  # below chance is clamped

"""What a row keeps of 1000 probabilities, and what that costs at groupings it was not made for."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.records import likeliest
from hiercodec.evaluation.rows import MASS, MAX_CLASSES
from hiercodec.taxonomy.ladder import load_ladder


def test_classes_are_kept_until_they_hold_the_mass_or_are_many():
    sure = np.zeros(1000)
    sure[[7, 3, 9]] = 0.9, 0.0995, 0.0005
    assert likeliest(sure).tolist() == [7, 3]
    assert sure[likeliest(sure)].sum() > MASS
    assert likeliest(np.full(1000, 0.001)).tolist() == list(range(MAX_CLASSES)), "ties in class order"
    assert likeliest(np.eye(1000)[5]).tolist() == [5]


@pytest.mark.parametrize("k", [2, 10, 100, 300])
def test_a_winner_that_leads_by_more_than_what_is_not_kept_is_the_winner_of_all(k):
    """So the rows that the cut could have changed are known; docs/evaluate.md says how many it did change."""
    logits = np.random.default_rng(k).normal(scale=np.linspace(1, 6, 400)[:, None], size=(400, 1000))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    kept = np.zeros_like(p)
    for row, full in zip(kept, p, strict=True):
        classes = likeliest(full)
        row[classes] = full[classes].astype(np.float16)
    groups = np.eye(k)[load_ladder("clip-b16")[k]]
    told, whole = kept @ groups, p @ groups
    *_, second, first = np.sort(told, 1).T
    certain = first - second > 1 - kept.sum(1) + 1e-3
    assert 50 < certain.sum() < 400
    assert (told.argmax(1) == whole.argmax(1))[certain].all()
    assert (told.argmax(1) != whole.argmax(1)).any(), "the cut is not free"

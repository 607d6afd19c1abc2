"""What a row keeps of 1000 probabilities, and what that costs at groupings it was not made for."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.results.records import LISTS, likeliest, records
from hiercodec.evaluation.results.rows import MASS, MAX_CLASSES
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.shipped import load_ladder
from tests.evaluation.fake_codec import FakeClassifier


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


@pytest.mark.parametrize("label", [-1, 7])
def test_every_list_of_a_judged_row_is_full_and_every_one_of_another_empty(label):
    """What `rows.schema` says and `foreign` asks for: without a label the answer on the original is what is right."""
    rgb = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    levels = load_hierarchy().levels
    (judged,) = records("a.png", rgb, label, [], [Evaluator(FakeClassifier(), load_hierarchy())])
    assert [len(judged[name]) for name in ("path", "path_p", "right", "bits")] == [len(levels)] * 4
    assert judged["right"] == [
        group == (level.assignment[label] if label >= 0 else group)
        for group, level in zip(judged["path"], levels, strict=True)
    ]
    assert 0 <= judged["wup"] <= 1
    (alone,) = records("a.png", rgb, label, [])
    assert not any(len(alone[name]) for name in LISTS)
    assert alone["wup"] is None

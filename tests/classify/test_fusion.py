"""Label and pixels: worked by hand, and weights that were planted are found."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec.classify import fusion
from hiercodec.classify.fusion import SUREST, Pool, fuse, label_classes
from tools.fusing import fit_pool, nll

SEEN = np.array([0.2, 0.5, 0.3])


def label_mass(group, confidence, k):
    """What a label of one level says of `k` groups of one class each."""
    return label_classes([(group, confidence)], [np.arange(k)])


def test_a_label_spreads_what_it_does_not_say():
    assert label_mass(1, 0.5, 3) == pytest.approx([0.25, 0.5, 0.25])
    kinds, families = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 3])
    levels = [kinds, families, np.arange(6)]
    assert label_classes([], levels) == pytest.approx(np.full(6, 1 / 6))
    assert label_classes([(0, 0.9)], levels) == pytest.approx([0.225] * 4 + [0.05] * 2)
    assert label_classes([(0, 0.9), (1, 0.65)], levels) == pytest.approx([0.125] * 2 + [0.325] * 2 + [0.05] * 2)
    whole = label_classes([(0, 0.9), (1, 0.65), (3, 0.35)], levels)
    assert whole == pytest.approx([0.125, 0.125, 0.3, 0.35, 0.05, 0.05])


def test_a_label_never_rules_out_what_is_beside_the_next_group():
    levels = [np.array([0, 0, 1, 1]), np.arange(4)]
    mass = label_classes([(0, 0.9), (1, 0.99)], levels)
    assert mass == pytest.approx([0.9 * (1 - SUREST), 0.9 * SUREST, 0.05, 0.05])
    alone = label_classes([(2, 0.8), (2, 0.35)], [np.array([0, 1, 2]), np.arange(3)])
    assert alone == pytest.approx([0.1, 0.1, 0.8]), "a group of one class is as sure as the group"


def test_a_label_as_sure_as_chance_changes_nothing():
    assert fuse(label_mass(0, 1 / 3, 3), SEEN) == pytest.approx(SEEN)


def test_a_view_of_nothing_leaves_what_was_told():
    assert fuse(label_mass(2, 0.7, 3), np.full(3, 1 / 3)) == pytest.approx([0.15, 0.15, 0.7])


def test_two_that_agree_are_surer_than_either():
    both = fuse(label_mass(1, 0.8, 3), SEEN)
    assert both == pytest.approx(np.array([0.02, 0.4, 0.03]) / 0.45)  # .1·.2, .8·.5, .1·.3
    assert both[1] > max(0.8, SEEN[1])


def test_two_that_differ_end_with_the_surer_one():
    assert fuse(label_mass(0, 0.9, 3), SEEN).argmax() == 0
    assert fuse(label_mass(0, 0.4, 3), SEEN).argmax() == 1
    assert fuse(label_mass(0, 0.5, 3), SEEN) == pytest.approx(np.array([0.5 * 0.2, 0.25 * 0.5, 0.25 * 0.3]) / 0.3)


def test_weights_sharpen_and_blunt():
    label = label_mass(0, 1 / 3, 3)
    assert fuse(label, SEEN, Pool(1, 2, 0)) == pytest.approx(SEEN**2 / (SEEN**2).sum())
    early = fuse(label, SEEN, Pool(1, 1, 0.5), share=np.exp(-1))
    assert early == pytest.approx(SEEN**0.5 / (SEEN**0.5).sum())
    assert fuse(label_mass(2, 0.9, 3), SEEN, Pool(0, 1, 0)) == pytest.approx(SEEN)


def test_certainty_can_be_corrected():
    sure = fuse(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    assert np.isfinite(sure).all()
    assert sure[0] == pytest.approx(sure[1])


def test_rows_are_fused_one_by_one():
    label = np.stack([label_mass(0, 0.6, 3), label_mass(1, 0.4, 3)])
    seen = np.stack([SEEN, SEEN[::-1]])
    rows = fuse(label, seen, Pool(0.7, 1.2, 0.1), np.array([0.1, 1.0]))
    for i, share in enumerate((0.1, 1.0)):
        assert rows[i] == pytest.approx(fuse(label[i], seen[i], Pool(0.7, 1.2, 0.1), share))


def test_the_weights_that_made_the_answers_are_found():
    rng = np.random.default_rng(0)
    n, k, truth = 8_000, 5, Pool(0.6, 0.9, 0.2)
    label = np.stack(
        [label_mass(g, c, k) for g, c in zip(rng.integers(k, size=n), rng.uniform(0.3, 0.95, n), strict=True)]
    )
    seen, share = rng.dirichlet(np.ones(k), n), rng.uniform(0.05, 1, n)
    chances = fuse(label, seen, truth, share)
    right = (chances.cumsum(1) > rng.random((n, 1))).argmax(1)
    found = fit_pool(label, seen, share, right)
    assert found == pytest.approx(truth, abs=0.08)
    assert nll(fuse(label, seen, found, share), right) < nll(fuse(label, seen), right)


def test_weights_are_those_of_this_teller_viewer_and_hierarchy(tmp_path, monkeypatch):
    path = tmp_path / "fusion.json"
    row = {"labeller": "lite0", "hierarchy": "tree", "viewers": {"resnet50": {"coarse": {"pool": [0.5, 1.0, 0.1]}}}}
    path.write_text(json.dumps(row))
    monkeypatch.setattr(fusion, "FITTED", path)
    fusion._fitted.cache_clear()
    try:
        assert fusion.pools_of("lite0", "timm:resnet50.a1_in1k", "tree") == {"coarse": Pool(0.5, 1.0, 0.1)}
        assert not fusion.pools_of("lite2", "timm:resnet50", "tree")
        assert not fusion.pools_of("lite0", "lite2", "tree")
        assert not fusion.pools_of("lite0", "timm:resnet50", "other")
    finally:
        fusion._fitted.cache_clear()

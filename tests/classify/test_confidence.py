"""Confidence curves: what is fitted is what was planted, and cards are read back."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.classify import Confidence, card_of, confidence_of
from hiercodec.classify.confidence import EDGE, logit
from tools.calibrate import fit_confidence


def test_the_curve_that_made_the_answers_is_found():
    rng = np.random.default_rng(0)
    p, share = rng.uniform(0.05, 0.99, 20_000), rng.uniform(0.05, 1, 20_000)
    truth = Confidence({"fine": (0.8, -0.3, 0.6)})
    right = rng.random(20_000) < truth("fine", p, share)
    assert fit_confidence(p, share, right) == pytest.approx((0.8, -0.3, 0.6), abs=0.08)


def test_a_level_without_a_curve_keeps_its_probability():
    little = Confidence({"fine": (1.0, 0.0, 0.0)}, least=0.06)
    assert little("fine", 0.9, np.array([0.01, 0.06])).tolist() == [0, pytest.approx(0.9)]
    assert Confidence()("coarse", np.array([0.2, 0.7]), 0.5).tolist() == [0.2, 0.7]


def test_certainty_stays_finite():
    assert logit(np.array([0.0, 1.0])) == pytest.approx([-logit(1 - EDGE), logit(1 - EDGE)])
    assert 0 < Confidence({"fine": (1.0, 0.0, 0.5)})("fine", 1.0, 0.0) < 1
    assert np.isfinite(fit_confidence(np.full(5, 0.9), np.full(5, 0.5), np.ones(5, bool))).all()


def test_a_card_gives_its_curves_for_its_own_hierarchy_only():
    card = {"confidence": {"hierarchy": "tree", "levels": {"coarse": {"curve": [1.0, 0.1, 0.2]}}}}
    assert confidence_of(card, "tree").curves == {"coarse": (1.0, 0.1, 0.2)}
    assert not confidence_of(card, "other").curves
    assert not confidence_of({}, "tree").curves
    assert card_of("timm:resnet50") == {}

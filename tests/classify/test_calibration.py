"""Temperature scaling: known temperatures are found, and the metrics are those of independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hiercodec.classify.confidence import log_softmax
from tools.calibrate import ece, fit_temperature, nll

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    logits = RNG.normal(0, 3, (20_000, 8))
    p = np.exp(log_softmax(logits, temperature))
    labels = (p.cumsum(1) > RNG.random((len(p), 1))).argmax(1)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    p = np.exp(log_softmax(logits, found))
    assert ece(p.max(1), p.argmax(1) == labels) < 0.015
    assert nll(logits, labels, found) <= min(nll(logits, labels, found * f) for f in (0.9, 1.1))


def test_log_softmax_and_nll_against_torch():
    logits, labels = RNG.normal(0, 100, (50, 7)), RNG.integers(0, 7, 50)
    z = torch.from_numpy(logits)
    np.testing.assert_allclose(log_softmax(logits, 2.0), (z / 2).log_softmax(1).numpy(), atol=1e-9)
    expected = torch.nn.functional.cross_entropy(z / 2, torch.from_numpy(labels)).item()
    assert nll(logits, labels, 2.0) == pytest.approx(expected)


def test_no_rows():
    assert log_softmax(np.zeros((0, 5))).shape == (0, 5)


def test_calibration_error_is_torchmetrics():
    import torch
    from torchmetrics.functional.classification import binary_calibration_error as reference

    rng = np.random.default_rng(6)
    confidence = rng.random(500)
    right = rng.random(500) < confidence**2  # overconfident
    theirs = float(reference(torch.from_numpy(confidence), torch.from_numpy(right.astype(int)), n_bins=15))
    assert ece(confidence, right) == pytest.approx(theirs, abs=1e-6)
    assert ece(np.ones(4), np.ones(4, bool)) == 0
    # Sure of 0.9 four times, right twice; sure of 0.6 once, right.
    by_hand = (4 * abs(0.5 - 0.9) + abs(1 - 0.6)) / 5
    assert ece(np.array([0.9] * 4 + [0.6]), np.array([1, 1, 0, 0, 1])) == pytest.approx(by_hand)

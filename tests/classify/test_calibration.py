"""Temperature scaling: known temperatures are found, and the metrics are those of independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hiercodec.classify.calibration import fit_temperature, log_softmax, nll
from hiercodec.evaluation.metrics import ece

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

"""Temperature scaling (Guo et al., On Calibration of Modern Neural Networks, ICML 2017): how sure is sure. numpy only."""

from __future__ import annotations

import numpy as np

RANGE = (0.05, 20.0)
"""Temperatures that `fit_temperature` looks among."""


def log_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """log of the softmax of `logits` [n, classes] divided by `temperature` > 0, in float64."""
    z = np.asarray(logits, np.float64) / temperature
    z = z - z.max(1, keepdims=True, initial=-np.inf)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the true classes [n], in nats."""
    return float(-log_softmax(logits, temperature)[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least `nll` on logits [n, classes] and true classes [n], to four decimals."""
    from scipy.optimize import minimize_scalar

    # NLL is convex in 1 / T, so a bounded search finds the one minimum.
    low, high = 1 / RANGE[1], 1 / RANGE[0]
    found = minimize_scalar(lambda inverse: nll(logits, labels, 1 / inverse), bounds=(low, high), method="bounded")
    return round(1 / float(found.x), 4)

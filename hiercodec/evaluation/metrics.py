"""Metrics of pictures, curves and answers: pure functions of arrays. scipy, torch and pytorch-msssim load when used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

Curve: TypeAlias = "Sequence[float] | np.ndarray"

PEAK = 255.0
MS_SSIM_SIDE = 161
"""The shortest side that five scales of an 11-pixel window allow."""

NORMAL_95 = 1.96
"""The two-sided 95 % point of the normal distribution, to the digits that published intervals use."""


def decibels(mse: float) -> float:
    """PSNR in dB of a mean squared error ≥ 0 on the 0…255 scale; infinite at 0.

    >>> decibels(255**2), round(decibels(1.0), 2)
    (0.0, 48.13)
    """
    return math.inf if mse == 0 else 10 * math.log10(PEAK**2 / mse)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR in dB of two uint8 pictures of one shape, over all channels; infinite when they are equal.

    >>> psnr(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8))
    0.0
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    return decibels(float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)))


def ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Multi-scale SSIM (Wang, Simoncelli and Bovik, 2003) of two uint8 (H, W, 3) pictures, mean over channels, 0…1.

    `ValueError` where a side is under `MS_SSIM_SIDE`.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    if min(a.shape[:2]) < MS_SSIM_SIDE:
        raise ValueError(f"MS-SSIM needs sides of {MS_SSIM_SIDE} pixels or more, got {a.shape[0]}×{a.shape[1]}")
    import torch
    from pytorch_msssim import ms_ssim as of_tensors

    x, y = (torch.from_numpy(np.moveaxis(picture, 2, 0)[None].astype(np.float64)) for picture in (a, b))
    return float(of_tensors(x, y, data_range=PEAK))


def countable(values: np.ndarray) -> np.ndarray:
    """Which photographs a mean is over, bool[photos], of values [photos, settings], the same at every setting.

    Those that are a number at every setting at which any photograph is one: one picture that is reproduced exactly takes
    itself out of a curve, not the curve. Where no photograph is left, none counts.
    """
    finite = np.isfinite(values)
    return finite[:, finite.any(0)].all(1) & finite.any(1)


def mean_of(values: np.ndarray) -> np.ndarray:
    """Means over the photographs that count, float64[settings]: infinite where all are, NaN where there is no value.

    values: [photos, settings]. Say beside it over how many it is (`countable`).
    """
    chosen = values[countable(values)]
    whole = np.isinf(values).all(0) & bool(len(values))
    average = chosen.mean(0) if len(chosen) else np.full(values.shape[1], math.nan)
    return np.where(whole, math.inf, np.where(np.isfinite(average), average, math.nan))


def bd_rate(rate_a: Curve, quality_a: Curve, rate_b: Curve, quality_b: Curve) -> float:
    """How many per cent more rate curve B needs than A for the same quality; negative if B is better.

    Bjøntegaard's delta (VCEG-M33) by monotone cubics over log-rate (PCHIP, VCEG-AE07). Rates (any unit, > 0) and
    qualities must rise from point to point; `ValueError` if not, or if no quality is common.
    """
    a, b = _rising(quality_a, np.log(_rising(rate_a))), _rising(quality_b, np.log(_rising(rate_b)))
    return 100 * math.expm1(mean_gap(a, np.log(rate_a), b, np.log(rate_b)))


def bd_quality(rate_a: Curve, quality_a: Curve, rate_b: Curve, quality_b: Curve) -> float:
    """How much more quality curve B has than A at the same rate, in the quality's unit, averaged over log-rate.

    BD-PSNR and BD-accuracy alike: quality need not rise, so it may be an accuracy or a WUP. `ValueError` if rates do not
    rise or none is common.
    """
    a, b = np.log(_rising(rate_a)), np.log(_rising(rate_b))
    return float(mean_gap(a, np.asarray(quality_a, float), b, np.asarray(quality_b, float)))


def reached(rates: Curve, values: Curve) -> tuple[np.ndarray, np.ndarray]:
    """What a curve has reached up to a rate: the points (rate, value), rising in both, that are better than all before."""
    order = np.argsort(rates, kind="stable")
    x, y = np.asarray(rates, float)[order], np.asarray(values, float)[order]
    new = np.flatnonzero(np.diff(np.maximum.accumulate(y), prepend=-np.inf) > 0)
    return x[new], y[new]


def wilson(hits: int, n: int, z: float = NORMAL_95) -> tuple[float, float]:
    """The Wilson score interval of a share, 95 % unless another `z` is given; `ValueError` without observations.

    >>> tuple(round(v, 3) for v in wilson(50, 100))
    (0.404, 0.596)
    """
    if n == 0:
        raise ValueError("no observations")
    p, q = hits / n, z * z / n
    middle, half = (p + q / 2) / (1 + q), z / (1 + q) * math.sqrt(p * (1 - p) / n + q / (4 * n))
    return middle - half, middle + half


def bootstrap(
    statistic: Callable[[np.ndarray], float], n: int, *, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval (Efron, 1979) of a statistic of n observations.

    `statistic` takes the indexes (n,) of the observations drawn with repetition, so that several arrays can be drawn
    together, as a Bjøntegaard delta over photographs needs.
    """
    if n == 0:
        raise ValueError("no observations")
    rng = np.random.default_rng(seed)
    low, high = np.percentile([statistic(rng.integers(n, size=n)) for _ in range(resamples)], (2.5, 97.5))
    return float(low), float(high)


def _rising(values: Curve, partner: Curve | None = None) -> np.ndarray:
    """`values` as an array, checked to rise and to have as many points as `partner`."""
    out = np.asarray(values, float)
    if len(out) < 2 or not (np.diff(out) > 0).all():
        raise ValueError(f"a curve needs two points or more, rising from each to the next; got {out.tolist()}")
    if partner is not None and len(partner) != len(out):
        raise ValueError(f"{len(out)} qualities for {len(partner)} rates")
    return out


def mean_gap(x_a: np.ndarray, y_a: np.ndarray, x_b: np.ndarray, y_b: np.ndarray) -> Any:
    """Mean of y_b − y_a, [points, …] each, over the x that both curves cover; `ValueError` where there is none."""
    from scipy.interpolate import PchipInterpolator

    low, high = max(x_a[0], x_b[0]), min(x_a[-1], x_b[-1])
    if low >= high:
        raise ValueError("the curves do not overlap")
    areas = [PchipInterpolator(x, y).integrate(low, high) for x, y in ((x_a, y_a), (x_b, y_b))]
    return (areas[1] - areas[0]) / (high - low)


def bits_of_meaning(probabilities: Sequence[float] | np.ndarray, right: Sequence[int] = ()) -> float:
    """Bits told about which of K groups it is, 0…log2 K, from the probability of each group (shape [K], sums to 1).

    With `right`, the indexes of the groups that are right: log2 K + log2 p(right), not below 0, so a confident mistake
    tells nothing. Without it: log2 K − entropy, which says how sure the answer is and not whether it is right.

    >>> bits_of_meaning([0.5, 0.5, 0, 0], right=[0]), bits_of_meaning([0.5, 0.5, 0, 0])
    (1.0, 1.0)
    """
    p = np.asarray(probabilities, np.float64)
    p = p / p.sum()
    if len(right):
        chance = float(p[list(right)].sum())
        bits = math.log2(len(p)) + math.log2(chance) if chance > 0 else 0.0
    else:
        some = p[p > 0]
        bits = math.log2(len(p)) + float((some * np.log2(some)).sum())
    return min(max(bits, 0.0), math.log2(len(p)))

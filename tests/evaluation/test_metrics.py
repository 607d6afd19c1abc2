"""Every metric against an implementation that is not ours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from skimage import metrics as skimage_metrics

from hiercodec.evaluation.metrics import bd_quality, bd_rate, bootstrap, decibels, ms_ssim, psnr, wilson
from tests.models.tiny import smooth_photo

RATES = [0.1, 0.21, 0.4, 0.83]
PSNR = [25.0, 27.2, 29.9, 32.1]
OTHER_RATES, OTHER_PSNR = [0.09, 0.2, 0.41, 0.9], [24.8, 27.4, 30.2, 32.6]


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(3)
    a = smooth_photo(rng, 192, 208)
    b = (a.astype(float) + rng.normal(0, 12, a.shape)).clip(0, 255).astype(np.uint8)
    return a, b


def test_psnr_is_scikit_image_s(pair):
    assert psnr(*pair) == pytest.approx(skimage_metrics.peak_signal_noise_ratio(*pair), abs=1e-9)
    assert psnr(pair[0], pair[0]) == decibels(0) == math.inf
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(pair[0], pair[1][:-1])


def test_ms_ssim_is_torchmetrics(pair):
    import torch
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as reference

    x, y = (torch.from_numpy(p).permute(2, 0, 1)[None].double() for p in pair)
    assert ms_ssim(*pair) == pytest.approx(float(reference(x, y, data_range=255.0, normalize=None)), abs=1e-5)
    assert ms_ssim(pair[0], pair[0]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="161"):
        ms_ssim(pair[0][:160], pair[1][:160])


def test_deltas_are_those_of_the_bjontegaard_package():
    import bjontegaard as reference

    curves, asked = (RATES, PSNR, OTHER_RATES, OTHER_PSNR), {"method": "pchip", "min_overlap": 0}
    asked["require_matching_points"] = False
    assert bd_rate(*curves) == pytest.approx(reference.bd_rate(*curves, **asked), rel=1e-6)
    assert bd_quality(*curves) == pytest.approx(reference.bd_psnr(*curves, **asked), rel=1e-6)


def test_deltas_agree_with_bjontegaards_own_cubics_on_smooth_curves():
    """VCEG-M33 fits one cubic; through four points of a cubic in log-rate both must give nearly the same."""
    low, high = max(PSNR[0], OTHER_PSNR[0]), min(PSNR[-1], OTHER_PSNR[-1])
    fits = [np.polyint(np.polyfit(q, np.log(r), 3)) for r, q in ((RATES, PSNR), (OTHER_RATES, OTHER_PSNR))]
    areas = [np.polyval(fit, high) - np.polyval(fit, low) for fit in fits]
    reference = 100 * np.expm1((areas[1] - areas[0]) / (high - low))
    assert bd_rate(RATES, PSNR, OTHER_RATES, OTHER_PSNR) == pytest.approx(reference, abs=0.5)


def test_half_the_rate_is_minus_fifty_per_cent():
    half = [r / 2 for r in RATES]
    assert bd_rate(RATES, PSNR, half, PSNR) == pytest.approx(-50.0)
    assert bd_rate(half, PSNR, RATES, PSNR) == pytest.approx(100.0)
    assert bd_quality(RATES, PSNR, RATES, [q + 0.7 for q in PSNR]) == pytest.approx(0.7)


def test_accuracy_need_not_rise():
    assert bd_quality(RATES, [0.3, 0.5, 0.45, 0.6], RATES, [0.4, 0.6, 0.55, 0.7]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((RATES[::-1], PSNR), (RATES, PSNR)),
        ((RATES, [25.0, 27.0, 26.0, 30.0]), (RATES, PSNR)),
        ((RATES, PSNR), (RATES, [q + 50 for q in PSNR])),
        (([0.1], [25.0]), (RATES, PSNR)),
        ((RATES, PSNR[:3]), (RATES, PSNR)),
    ],
    ids=["falling rate", "falling quality", "no overlap", "one point", "lengths"],
)
def test_curves_that_cannot_be_compared_are_refused(a, b):
    with pytest.raises(ValueError, match=r"rising|overlap|qualities"):
        bd_rate(*a, *b)


def test_accuracies_at_rates_that_do_not_overlap_are_refused():
    with pytest.raises(ValueError, match="do not overlap"):
        bd_quality(RATES, PSNR, [10 * r for r in RATES], PSNR)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (7, 24), (850, 1000), (24, 24)])
def test_wilson_is_scipy_s(hits, n):
    level = 2 * stats.norm.cdf(1.96) - 1
    theirs = stats.binomtest(hits, n).proportion_ci(level, method="wilson")
    assert wilson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    with pytest.raises(ValueError, match="no observations"):
        wilson(0, 0)


def test_the_bootstrap_is_scipy_s():
    x = np.random.default_rng(5).exponential(size=200)
    low, high = bootstrap(lambda rows: float(x[rows].mean()), len(x), resamples=4000)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=4000, method="percentile", rng=1).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert bootstrap(lambda rows: float(x[rows].mean()), len(x)) == bootstrap(lambda rows: x[rows].mean(), len(x))

"""The prefix entropy model: block-causal, bounded, and honest about its rate."""

from __future__ import annotations

import pytest
import torch

from hiercodec.models import LITE
from hiercodec.models.channels.entropy import DELTA_BOUND, DeltaNetwork, PrefixEntropyModel
from tests.models.tiny import TINY_LITE, TINY_TIC


@pytest.fixture(params=[TINY_LITE, TINY_TIC], ids=["lite", "tic"])
def model(request):
    torch.manual_seed(1)
    model = PrefixEntropyModel(request.param).eval()
    for delta in model.deltas:
        torch.nn.init.normal_(delta.out.weight, std=0.1)
    torch.nn.init.normal_(model.means.weight, std=0.1)
    return model


def parameters_of_all_blocks(model, hyper, y_hat):
    return [model.block_parameters(j, hyper, y_hat[:, : level.start]) for j, level in enumerate(model.plan)]


def test_perturbing_a_block_moves_only_later_blocks(model):
    """Changing channels of block ≥ j must not move block j's parameters, and must move some later block's."""
    hyper = torch.randn(1, model.scales.weight.shape[1] // 2, 6, 5)
    y_hat = torch.randn(1, model.plan.channels, 6, 5).round()
    before = parameters_of_all_blocks(model, hyper, y_hat)
    for j, level in enumerate(model.plan):
        moved = y_hat.clone()
        moved[:, level.channels] += 3.0
        after = parameters_of_all_blocks(model, hyper, moved)
        for i in range(len(model.plan)):
            same = all(torch.equal(a, b) for a, b in zip(before[i], after[i], strict=True))
            assert same == (i <= j), f"block {i} after a change in block {j}"


def test_a_block_refuses_any_other_number_of_channels(model):
    hyper = torch.randn(1, model.scales.weight.shape[1] // 2, 4, 4)
    with pytest.raises(ValueError, match="predicted from 128 channels, got 224"):
        model.block_parameters(1, hyper, torch.zeros(1, 224, 4, 4))


def test_scales_are_positive_even_for_extreme_features(model):
    hyper = 1e3 * torch.randn(1, model.scales.weight.shape[1] // 2, 4, 4)
    for sigma, mu in parameters_of_all_blocks(model, hyper, torch.zeros(1, model.plan.channels, 4, 4)):
        assert torch.isfinite(mu).all()
        assert torch.isfinite(sigma).all()
        assert (sigma >= 0).all()


def test_delta_networks_start_at_nothing_and_stay_bounded():
    delta = DeltaNetwork(32, 8, 96)
    features = torch.randn(2, 32, 7, 9)
    d_scale, d_mean = delta(features)
    assert d_scale.abs().max() == 0
    assert d_mean.abs().max() == 0
    torch.nn.init.normal_(delta.out.weight, std=100.0)
    d_scale, _ = delta(features)
    assert 0 < d_scale.abs().max() <= DELTA_BOUND


def test_a_plan_without_delta_networks_is_the_ablation():
    assert len(PrefixEntropyModel(TINY_LITE.scaled(delta_width=0)).deltas) == 0
    assert len(PrefixEntropyModel(LITE).deltas) == 2

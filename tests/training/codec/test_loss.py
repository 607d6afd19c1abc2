"""Eq. 2's terms, against what they are by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import timm
import torch

from hiercodec.training.codec.frozen import Frozen, View
from hiercodec.training.codec.loss import (
    Reference,
    SemanticLoss,
    bounded_pull,
    group_mass,
    prefix_rates,
    squared_error,
    squared_error_gradient,
)
from tools.fit_rivals import activation_map, weighted_map


def test_prefix_rates_telescope():
    """R_k - R_{k-1} is block k's own rate; R_0 holds all of z."""
    torch.manual_seed(0)
    likelihoods = {"z": torch.rand(2, 4, 1, 1), "y": [torch.rand(2, c, 3, 3) for c in (5, 7, 2)]}
    rates = prefix_rates(likelihoods, 2 * 48 * 48)
    bits = [-sum(math.log2(p) for p in block.flatten().tolist()) for block in likelihoods["y"]]
    z = -sum(math.log2(p) for p in likelihoods["z"].flatten().tolist())
    assert rates[0].item() == pytest.approx((z + bits[0]) / 4608, rel=1e-5)
    assert (rates[1] - rates[0]).item() == pytest.approx(bits[1] / 4608, rel=1e-4)
    assert (rates[2] - rates[1]).item() == pytest.approx(bits[2] / 4608, rel=1e-4)


def test_colour_is_weighed_and_grey_is_not():
    grey = torch.full((1, 2, 3, 4, 4), 0.1)
    red = torch.zeros(1, 2, 3, 4, 4)
    red[:, :, 0] = 0.3
    for error, share in ((grey, 0.0), (red, 2 / 3)):
        mse, weighed = squared_error(error, 3.0)
        assert mse.item() == pytest.approx(error.pow(2).mean().item() * 255**2, rel=1e-5)
        assert weighed.item() == pytest.approx(mse.item() * (1 + 2 * share), rel=1e-5)
        assert torch.equal(squared_error(error, 1.0)[1], mse)


@pytest.mark.parametrize("chroma", [1.0, 3.0])
def test_the_gradient_of_the_weighed_error_is_autograd_s(chroma):
    error = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(squared_error(error[None], chroma)[1].sum(), error)
    assert torch.allclose(squared_error_gradient(error.detach(), chroma), expected)


def test_group_mass_adds_up():
    p = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    assert group_mass(p, torch.tensor([1, 0, 1, 1]), 2).tolist() == [[pytest.approx(0.2), pytest.approx(0.8)]]


class Brightness(torch.nn.Module):
    """A 4-class 'classifier' whose logits are the picture's mean brightness, spread over the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([4.0, 2.0, -2.0, -4.0]))

    def forward(self, x):
        return self.forward_head(x)

    def forward_head(self, x):
        return x.mean((1, 2, 3))[:, None] * self.weight

    def forward_intermediates(self, x, indices):
        assert indices == [1, 2, 3, 4]
        return x, [x, 2 * x, x[:, :1]]


@pytest.fixture
def semantic():
    assignments = [(2, torch.tensor([0, 0, 1, 1])), (4, torch.arange(4))]
    return SemanticLoss([Frozen(Brightness(), [0.5] * 3, [0.5] * 3)], assignments, smoothing=0.1)


def test_targets_are_smoothed_labels_or_the_classifier_s_own_view(semantic):
    x = torch.stack([torch.ones(3, 8, 8), torch.zeros(3, 8, 8)])
    coarse, fine = semantic.reference(x, torch.tensor([2, -1]), View()).targets
    assert coarse[0].tolist() == [pytest.approx(0.05), pytest.approx(0.95)]
    assert fine[0].tolist() == [pytest.approx(v) for v in (0.025, 0.025, 0.925, 0.025)]
    own = semantic.classifiers[0](x)[0].softmax(1)[1]
    assert torch.allclose(fine[1], own)
    assert coarse[1, 0].item() == pytest.approx((own[0] + own[1]).item())


def test_the_cross_entropy_pulls_pictures_and_leaves_the_classifier_frozen(semantic):
    x_hat = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    maps = [torch.zeros(1, channels, 8, 8) for channels in (3, 3, 1)]
    reference = Reference([torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0, 0.0, 0.0]])], maps)
    ce, hits, _ = semantic(x_hat, reference, View())
    assert ce.tolist() == [pytest.approx(math.log(2)), pytest.approx(math.log(4))]
    ce[0].backward()
    assert (x_hat.grad < 0).all(), "brighter pictures are likelier of group 0"
    assert all(p.grad is None for p in semantic.parameters())
    assert all(hit in (0.0, 1.0) for hit in hits.tolist())
    assert not any(module.training for module in semantic.train().classifiers[0].modules())


def test_features_of_the_original_are_at_no_distance(semantic):
    x = torch.rand(2, 3, 8, 8)
    reference = semantic.reference(x, torch.tensor([0, 1]), View())
    assert semantic(x, reference, View())[2].item() == 0
    # (x - mean)/std with mean = std = 0.5 is 2x - 1: halving that leaves a quarter of its energy as the error's.
    assert semantic((x + 0.5) / 2, reference, View())[2].item() == pytest.approx(0.25, rel=1e-5)


def test_a_view_is_a_window_at_a_size():
    x = torch.zeros(1, 3, 64, 64)
    x[..., 32:, 32:] = 1
    assert View(0, (0.5, 0.5, 0.5), 32)(x).shape == (1, 3, 32, 32)
    assert View(0, (0.5, 0.5, 0.5), 32)(x).min() == 1
    assert View()(x) is x
    rng = np.random.default_rng(0)
    views = [View.draw(rng, 2, 160) for _ in range(200)]
    assert {view.classifier for view in views} == {0, 1}
    assert {view.side for view in views} == {96, 128, 160, 192}
    assert all(0.75 <= share <= 1 and 0 <= top <= 1 - share for view in views for top, _, share in [view.window])


@pytest.mark.parametrize("name", ["mobilenetv2_100", "mobilenetv1_100"])
def test_folding_norms_changes_no_logit(name):
    """On real architectures with random statistics, TensorFlow padding and strided depthwise layers included."""
    torch.manual_seed(0)
    network = timm.create_model(name, pad_type="same").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = network((x - 0.5) / 0.5)
        frozen = Frozen(network, [0.5] * 3, [0.5] * 3)
        logits, maps = frozen(x)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in frozen.modules())
    assert torch.allclose(logits, expected, rtol=1e-3, atol=1e-4 * expected.std().item())
    assert [64 // m.shape[-1] for m in maps] == [4, 8, 16, 32]
    cam = activation_map(frozen, x, torch.tensor([3, -1]), (4, 4))  # a class that is seen nowhere: 1 everywhere
    assert cam.shape == (2, 1, 4, 4)
    assert cam.min() >= 0
    assert cam.amax((1, 2, 3)).tolist() == [pytest.approx(1, abs=1e-4)] * 2


def test_a_semantic_pull_is_bounded_picture_by_picture():
    x_hat = torch.ones(2, 3, 4, 4, requires_grad=True)
    semantic = (x_hat[0] * 100).sum() + (x_hat[1] * 0.001).sum()
    gradient = bounded_pull(semantic, x_hat, torch.ones(2, 3, 4, 4), limit=0.5)
    assert gradient[0].norm().item() == pytest.approx(0.5 * 48**0.5, rel=1e-5)
    assert torch.allclose(gradient[1], torch.full((3, 4, 4), 0.001))


def test_a_map_points_to_where_the_class_s_features_are():
    features = torch.zeros(2, 3, 4, 4)
    features[0, 1, 0, 3] = 2.0
    features[0, 2, 3, 0] = 9.0  # another class's
    maps = weighted_map(features, torch.tensor([[0.0, 1.0, -1.0], [0.0, 1.0, 0.0]]), (8, 8))
    assert maps.shape == (2, 1, 8, 8)
    assert maps[0, 0, 0, 7] == 1
    assert maps[0, 0, 7, 0] == 0
    assert (maps[1] == 1).all(), "a class that is seen nowhere prefers no place"

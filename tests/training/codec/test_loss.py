"""Eq. 2's terms, against what they are by hand."""

from __future__ import annotations

import math

import pytest
import torch

from hiercodec.training.codec.loss import SemanticLoss, bounded_pull, group_mass, prefix_rates


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
        assert indices == [2, 3, 4]
        return x, [x, 2 * x, x[:, :1]]


@pytest.fixture
def semantic():
    assignments = [(2, torch.tensor([0, 0, 1, 1])), (4, torch.arange(4))]
    return SemanticLoss(Brightness(), [0.5] * 3, [0.5] * 3, assignments, smoothing=0.1)


def test_targets_are_smoothed_labels_or_the_classifier_s_own_view(semantic):
    x = torch.stack([torch.ones(3, 8, 8), torch.zeros(3, 8, 8)])
    (coarse, fine), _ = semantic.originals(x, torch.tensor([2, -1]))
    assert coarse[0].tolist() == [pytest.approx(0.05), pytest.approx(0.95)]
    assert fine[0].tolist() == [pytest.approx(v) for v in (0.025, 0.025, 0.925, 0.025)]
    own = semantic.probabilities(x)[1]
    assert torch.allclose(fine[1], own)
    assert coarse[1, 0].item() == pytest.approx((own[0] + own[1]).item())


def test_the_cross_entropy_pulls_pictures_and_leaves_the_classifier_frozen(semantic):
    x_hat = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    target = torch.tensor([[1.0, 0.0]])
    ce, hit = semantic(x_hat, target, 0)
    assert ce.item() == pytest.approx(math.log(2))
    ce.backward()
    assert (x_hat.grad < 0).all(), "brighter pictures are likelier of group 0"
    assert all(p.grad is None for p in semantic.module.parameters())
    assert hit.item() in (0.0, 1.0)
    assert not semantic.train().module.training


def test_features_of_the_original_are_at_no_distance(semantic):
    x = torch.rand(2, 3, 8, 8)
    (target, _), references = semantic.originals(x, torch.tensor([0, 1]))
    ce, _, distance = semantic.with_features(x, target, 0, references)
    assert distance.item() == 0
    assert ce.item() == pytest.approx(semantic(x, target, 0)[0].item())
    # (x - mean)/std with mean = std = 0.5 is 2x - 1: halving that leaves a quarter of its energy as the error's.
    assert semantic.with_features((x + 0.5) / 2, target, 0, references)[2].item() == pytest.approx(0.25, rel=1e-5)


def test_a_semantic_pull_is_bounded_picture_by_picture():
    x_hat = torch.ones(2, 3, 4, 4, requires_grad=True)
    semantic = (x_hat[0] * 100).sum() + (x_hat[1] * 0.001).sum()
    gradient = bounded_pull(semantic, x_hat, torch.ones(2, 3, 4, 4), limit=0.5)
    assert gradient[0].norm().item() == pytest.approx(0.5 * 48**0.5, rel=1e-5)
    assert torch.allclose(gradient[1], torch.full((3, 4, 4), 0.001))

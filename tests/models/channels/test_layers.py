"""Windowed attention on grids that no window divides."""

from __future__ import annotations

import pytest
import torch

from hiercodec.models.channels.backbones.tic import TicAnalysis, TicSynthesis
from hiercodec.models.channels.layers import RSTB, WindowAttention, depthwise3, zero_init


@pytest.mark.parametrize("shift", [False, True])
@torch.inference_mode()
def test_padding_inside_the_partition_is_never_seen(shift):
    """What stands in the padding cannot matter: attention on a cropped grid equals attention with other padding."""
    torch.manual_seed(0)
    layer = WindowAttention(16, 4, 4, shift)
    x = torch.randn(1, 6, 5, 16)
    out = layer(x)
    shape = out.shape
    bias = layer.qkv.bias.clone()
    assert shape == x.shape
    # A token's output depends only on tokens of its own window: perturb one corner, see who moves.
    moved = x.clone()
    moved[0, 0, 0] += 1
    changed = ((layer(moved) - out).abs().sum(-1) > 1e-6)[0]
    assert changed[0, 0]
    assert not changed[-1, -1]
    assert torch.equal(bias, layer.qkv.bias)


@torch.inference_mode()
def test_without_shift_windows_do_not_mix():
    layer = WindowAttention(8, 2, 4)
    x = torch.randn(1, 8, 8, 8)
    moved = x.clone()
    moved[0, :4, :4] += 1
    changed = ((layer(moved) - layer(x)).abs().sum(-1) > 1e-6)[0]
    assert changed[:4, :4].all()
    assert not changed[4:].any()
    assert not changed[:, 4:].any()


@torch.inference_mode()
def test_with_shift_the_wrapped_around_edges_do_not_mix():
    layer = WindowAttention(8, 2, 4, shift=True)
    x = torch.randn(1, 8, 8, 8)
    moved = x.clone()
    moved[0, 0, 0] += 1
    changed = ((layer(moved) - layer(x)).abs().sum(-1) > 1e-6)[0]
    assert changed[:2, :2].all()
    assert changed.sum() == 4


@torch.inference_mode()
def test_a_mask_that_another_thread_drops_is_still_there_for_whoever_made_it():
    class Forgetful(dict):
        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            self.clear()

    x, layer = torch.randn(1, 6, 5, 16), WindowAttention(16, 4, 4)
    expected, layer._masks = layer(x), Forgetful()
    assert torch.equal(layer(x), expected)


def test_batches_do_not_mix():
    torch.manual_seed(0)
    layer = RSTB(16, 2, 4, 4).eval()
    x = torch.randn(3, 16, 6, 7)
    together = layer(x)
    alone = torch.cat([layer(x[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (48, 80), (112, 64)])
@torch.inference_mode()
def test_tic_takes_any_multiple_of_16(size):
    y = TicAnalysis(16, 32, (1, 1, 2))(torch.rand(1, 3, *size))
    assert y.shape == (1, 32, size[0] // 16, size[1] // 16)
    assert TicSynthesis(16, 32, (1, 1, 2))(y).shape == (1, 3, *size)


def test_zero_init_adds_nothing():
    layer = zero_init(torch.nn.Conv2d(3, 5, 1))
    assert layer(torch.randn(1, 3, 2, 2)).abs().max() == 0


@pytest.mark.parametrize("grid", [(1, 1), (2, 7), (16, 5)])
@torch.inference_mode()
def test_the_fast_depthwise_convolution_is_the_plain_one(grid):
    torch.manual_seed(1)
    layer = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6).double()
    x = torch.randn(2, 6, *grid, dtype=torch.float64)
    fast = depthwise3(x, layer)
    torch.testing.assert_close(fast, layer(x), rtol=1e-13, atol=1e-13)
    assert torch.equal(fast[:1], depthwise3(x[:1], layer)), "the same whatever the batch"

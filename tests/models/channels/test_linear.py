"""The layered KLT: orthonormal, progressive, and free at full rate."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hiercodec.levels import PAPER_PLAN
from hiercodec.models.channels.config import LinearBlock, LinearPath
from hiercodec.models.channels.linear import LayeredKLT, block_dct, patch_klt
from tests.models.tiny import smooth_photo

PATH = LinearPath((LinearBlock(((0, 64),), 0.9), LinearBlock(((0, 32),), 0.3), LinearBlock(((32, 96),), 0.3)))


@pytest.fixture(scope="module")
def klt():
    photos = [smooth_photo(np.random.default_rng(i), 96, 96) for i in range(20)]
    layer = LayeredKLT(PATH, PAPER_PLAN)
    layer.set_basis(*patch_klt(photos))
    return layer


@pytest.fixture(scope="module")
def x():
    return torch.from_numpy(smooth_photo(np.random.default_rng(99), 64, 80)).permute(2, 0, 1)[None].float() / 255


def encode(layer, x):
    p = layer.project(x)
    approximation, blocks = torch.zeros_like(p), []
    for j in range(len(PAPER_PLAN)):
        y = torch.round(layer.residual(j, p, approximation))
        approximation = layer.refine(j, approximation, y)
        blocks.append(y)
    return p, blocks


def test_the_basis_is_orthonormal_and_sorted():
    photos = [smooth_photo(np.random.default_rng(i), 64, 64) for i in range(10)]
    basis, mean = patch_klt(photos)
    assert basis.shape == (768, 768)
    assert mean.shape == (768,)
    assert np.allclose(basis @ basis.T, np.eye(768), atol=1e-4)
    patches = np.stack([p[:16, :16].transpose(2, 0, 1).reshape(-1) / 255 - mean for p in photos])
    spread = ((patches @ basis.T) ** 2).mean(0)
    assert spread[:8].sum() > spread[8:64].sum()


def test_the_same_photographs_give_the_same_basis():
    photos = [smooth_photo(np.random.default_rng(i), 64, 64) for i in range(4)]
    assert np.array_equal(patch_klt(photos)[0], patch_klt(photos)[0])


@torch.inference_mode()
def test_each_block_brings_the_picture_closer(klt, x):
    _, blocks = encode(klt, x)
    errors = []
    for j in range(len(blocks) + 1):
        y_hat = torch.cat([b if i < j else torch.zeros_like(b) for i, b in enumerate(blocks)], 1)
        errors.append((klt.reconstruct(klt.approximate(y_hat)) - x).pow(2).mean().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < errors[0] / 10


@torch.inference_mode()
def test_refinement_ends_within_half_a_fine_step(klt, x):
    p, blocks = encode(klt, x)
    error = (klt.approximate(torch.cat(blocks, 1)) - p).abs()
    assert error.max() <= 0.15 + 1e-4
    assert (p.abs().amax((0, 2, 3)) > 0.45).any(), "the picture must have something to code"


@torch.inference_mode()
def test_channels_without_a_component_stay_zero(klt, x):
    _, blocks = encode(klt, x)
    assert blocks[0][:, 64:].abs().max() == 0
    assert blocks[1][:, 32:].abs().max() == 0


def test_too_many_components_are_refused():
    with pytest.raises(ValueError, match="97 components do not fit into the 96 channels of 'fine'"):
        LayeredKLT(
            LinearPath((LinearBlock(((0, 10),), 1.0), LinearBlock(((0, 10),), 1.0), LinearBlock(((0, 97),), 1.0))),
            PAPER_PLAN,
        )


def test_photographs_smaller_than_a_patch_are_refused():
    with pytest.raises(ValueError, match="16×16"):
        patch_klt([np.zeros((8, 8, 3), np.uint8)])


@pytest.mark.parametrize("n", [1, 3, 4, 14, 16])
def test_the_dct_across_patches_is_orthonormal_and_stays_in_groups_of_four(n):
    matrix = block_dct(n)
    assert torch.allclose(matrix @ matrix.T, torch.eye(n, dtype=matrix.dtype), atol=1e-12)
    group = torch.arange(n) // 4
    assert not matrix[group[:, None] != group[None]].any()


@torch.inference_mode()
def test_spatial_components_gather_what_neighbouring_patches_share(klt):
    layer = LayeredKLT(LinearPath(PATH.blocks, spatial=(0, 1)), PAPER_PLAN)
    layer.load_state_dict(klt.state_dict())
    grey = torch.full((1, 3, 96, 112), 0.8)  # a grid of 6×7: groups of four and what is left of them
    plain, gathered = klt.project(grey), layer.project(grey)
    assert torch.equal(plain[:, 2:], gathered[:, 2:])
    assert torch.allclose(plain.square().sum((2, 3)), gathered.square().sum((2, 3)), rtol=1e-4)
    assert (gathered[0, 0].abs() > 1e-3).sum() == 4  # one mean a group: 2×2 groups
    assert torch.allclose(layer.reconstruct(gathered), klt.reconstruct(plain), atol=1e-5)

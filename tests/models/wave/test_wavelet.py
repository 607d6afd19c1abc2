"""The wavelet: exact inverse at any size, and a basis in which a unit of error is a unit of error."""

import pytest
import torch

from hiercodec.models.wave.context import pack, unpack
from hiercodec.models.wave.wavelet import SCALES, analyse, sizes, synthesise


@pytest.mark.parametrize("size", [(64, 96), (37, 61), (1, 1), (2, 3), (33, 1), (1, 40), (227, 227)])
def test_any_size_comes_back(size):
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1)) * 255
    bands = analyse(x)
    assert [band.shape[-2:] for band in bands] == [torch.Size(s) for s in (sizes(*size)[0], *sizes(*size))]
    assert torch.allclose(synthesise(bands, *size), x, atol=1e-3)
    assert all(a.equal(b) for a, b in zip(bands, unpack(pack(bands), sizes(*size)), strict=True))


def test_a_unit_of_error_in_a_coefficient_is_about_a_unit_of_error_in_the_picture():
    zero = analyse(torch.full((1, 3, 256, 256), 128.0))
    for band in range(SCALES + 1):
        for channel in range(zero[band].shape[1]):
            bands = [torch.zeros_like(b) for b in zero]
            h, w = bands[band].shape[-2:]
            bands[band][0, channel, h // 2, w // 2] = 1
            error = (synthesise(bands, 256, 256) - 128).square().sum().div(3).sqrt().item()
            assert 0.75 < error < 1.25, (band, channel, error)


def test_a_constant_picture_is_ll_alone():
    bands = analyse(torch.full((1, 3, 50, 70), 200.0))
    assert bands[0].abs().max() > 1000
    assert max(band.abs().max().item() for band in bands[1:]) < 1e-3


def test_smooth_pictures_have_small_fine_coefficients():
    ramp = torch.linspace(0, 255, 128).expand(1, 3, 128, 128).clone()
    *_, finest = analyse(ramp)
    assert finest[..., 2:-2, 2:-2].abs().max() < 0.1

"""CompressAI's loss and calling conventions, over our own streams."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from compressai.losses import RateDistortionLoss
    from compressai.models import CompressionModel

from hiercodec import models, stream
from hiercodec.evaluation.photos.samples import sample
from hiercodec.training.codec.adapter import CompressAIModel
from tests.models.tiny import TINY_LITE, smooth_photo


def pictures(height=70, width=90, count=2) -> torch.Tensor:
    photos = [smooth_photo(np.random.default_rng(i), height, width) for i in range(count)]
    return torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).float() / 255


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    model = CompressAIModel(TINY_LITE)
    model.initialise([smooth_photo(np.random.default_rng(i), 64, 64) for i in range(20)], torch.rand(2, 3, 64, 64))
    return model


def test_compressai_s_loss_trains_it(tiny):
    """Every parameter that a whole stream uses gets a gradient, the prior's quantiles by their own loss."""
    x = pictures()
    assert isinstance(tiny, CompressionModel)
    out = tiny(x)
    assert out["x_hat"].shape == x.shape
    assert out["likelihoods"]["y"].shape == (2, 320, 5, 6)
    assert out["likelihoods"]["z"].shape == (2, TINY_LITE.n_hyper, 2, 2)
    found = RateDistortionLoss(lmbda=0.01)(out, x)
    (found["loss"] + tiny.aux_loss()).backward()
    assert not [name for name, p in tiny.named_parameters() if p.grad is None]
    assert found["loss"].item() == pytest.approx((0.01 * 255**2 * found["mse_loss"] + found["bpp_loss"]).item())


def test_compress_and_decompress_are_our_own_streams(tiny):
    x = pictures(count=3)
    with pytest.raises(ValueError, match="update"):
        tiny.compress(x)
    assert tiny.eval().update()
    assert not tiny.update()
    out = tiny.compress(x)
    assert out["shape"] == (2, 2)
    ((first, *_),) = out["strings"]
    assert len(out["strings"][0]) == 3
    assert stream.verify(first)["state"] == "complete"
    x_hat = tiny.decompress(out["strings"], out["shape"])["x_hat"]
    assert x_hat.shape == x.shape
    image = torch.from_numpy(tiny.codec.decode(first).image).permute(2, 0, 1) / 255
    assert torch.equal(x_hat[0], image)
    cut = [[data[: stream.level_end(data, "coarse")] for data in out["strings"][0]]]
    assert not torch.equal(tiny.decompress(cut)["x_hat"], x_hat)


def test_the_coder_is_of_the_weights_at_the_last_update(tiny):
    x = pictures(count=1)
    tiny.eval().update()
    before = tiny.compress(x)["strings"]
    with torch.no_grad():
        tiny.network.linear.log_gain.add_(0.5)
    assert tiny.compress(x)["strings"] == before
    assert tiny.update(force=True)
    assert tiny.compress(x)["strings"] != before


@torch.inference_mode()
def test_the_shipped_model_counts_what_its_files_hold():
    """The loss's bits a pixel of a real photograph against the stream's payload; its strings are the codec's."""
    rgb = sample("astronaut").pixels()
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    codec = models.load("lite")
    model = CompressAIModel(codec.network.preset).start_from("lite").eval()
    model.update()
    ((data,),) = model.compress(x)["strings"]
    assert stream.parse(data).header.width == rgb.shape[1]
    assert len(data) == pytest.approx(len(codec.encode(rgb)), abs=2)
    payload = sum(section.length for section in stream.parse(data).sections)
    counted = RateDistortionLoss()(model(x), x)["bpp_loss"].item() * rgb[..., 0].size / 8
    assert counted == pytest.approx(payload, rel=0.01)

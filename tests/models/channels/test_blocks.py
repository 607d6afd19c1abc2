"""One loop for coding and training: what training counts is what files cost, what it sees is what they show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hiercodec import models, stream
from hiercodec.evaluation.photos.samples import sample
from hiercodec.models import store
from hiercodec.models.channels.blocks import StraightThrough
from hiercodec.training.codec.model import TrainableCodec


@pytest.fixture(scope="module")
def lite():
    codec = models.load("lite")
    model = TrainableCodec(codec.network.preset).start_from("lite").eval()
    return codec, model


@pytest.mark.parametrize("name", ["astronaut", "cat", "flower"])
@torch.inference_mode()
def test_training_s_estimate_is_the_file_s_size_within_one_percent(lite, name):
    """z and every block of a real model on a real photograph: what the loss counts against what the file holds."""
    codec, model = lite
    rgb = sample(name).pixels()
    rgb = rgb[: rgb.shape[0] // 16 * 16, : rgb.shape[1] // 16 * 16]
    x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255
    out, data = model(x), codec.encode(rgb)
    counted = [-torch.log2(p).sum().item() / 8 for p in (out["likelihoods"]["z"], *out["likelihoods"]["y"])]
    written = [section.length for section in codec.parse(data).sections]
    assert sum(counted) == pytest.approx(sum(written), rel=0.01)
    for mine, file in zip(counted, written, strict=True):
        assert mine == pytest.approx(file, rel=0.01, abs=2)  # each payload ends on a whole byte
    decoder = codec.prefixes(data)
    for k, end in enumerate(decoder.stream.cuts().values()):
        picture = (out["x_hat"][k, 0].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
        difference = np.abs(picture - decoder.at(end).image)
        assert difference.mean() < 0.05  # float32 may put a mean on the next point of its grid


def test_rounding_straight_through_keeps_the_gradient():
    arithmetic = StraightThrough()
    offset = torch.tensor([-1.7, -0.6, 0.65, 0.75, 2.2], requires_grad=True)
    symbols = arithmetic.nearest(offset, 0.2)
    assert symbols.tolist() == pytest.approx([-2, 0, 0, 1, 2])
    symbols.sum().backward()
    assert offset.grad.tolist() == [1.0] * 5


def test_a_dead_zone_may_be_a_map():
    """A map that broadcasts over (B, C, h, w) counts position by position."""
    offset = torch.full((1, 3, 2, 2), 0.65)
    zones = torch.tensor([[0.1, 0.2], [0.0, 0.4]])
    assert StraightThrough().nearest(offset, zones)[0].tolist() == [[[1.0, 0.0], [1.0, 0.0]]] * 3


def test_a_restored_model_has_the_prior_it_was_exported_with(lite):
    codec, model = lite
    tensors = load_file(store.weights_path("lite"))
    assert tensors["training.bottleneck.quantiles"].equal(model.entropy_bottleneck.quantiles)
    assert stream.Tables.from_pmfs(model.z_pmfs()[0]).offsets.tolist() == tensors["z.offset"].tolist()
    assert codec.fingerprint == store.fingerprint(tensors)

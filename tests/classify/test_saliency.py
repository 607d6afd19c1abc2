"""Class-activation maps for the encoder: where they point, their shape, and which classifiers have none."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch

from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from hiercodec.classify.saliency import saliency


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return Classifier("net", timm.create_model("mobilenetv2_050"), Preprocess(size=64), "0" * 64)


@pytest.mark.parametrize("size", [(64, 64), (48, 130), (1, 700), (225, 97)])
def test_a_picture_of_any_shape_has_a_map_on_its_latent_grid(classifier, size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    found = saliency(classifier, rgb)
    assert found.shape == (-(-size[0] // 16), -(-size[1] // 16))
    assert found.dtype == np.float64
    assert 0 <= found.min() <= found.max() <= 1


def test_a_classifier_without_feature_maps_is_refused():
    plain = Classifier("plain", torch.nn.Sequential(torch.nn.Flatten()), Preprocess(size=8), "0" * 64)
    with pytest.raises(TypeError, match="plain has no class-activation map"):
        saliency(plain, np.zeros((8, 8, 3), np.uint8))


def test_of_one_class_it_is_the_map_that_the_last_layer_s_weights_give(classifier):
    rgb = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    with torch.no_grad():
        x = torch.from_numpy((rgb / 127.5 - 1).astype(np.float32)).permute(2, 0, 1)[None]
        maps = torch.einsum("bchw,kc->bkhw", classifier.module.forward_features(x), classifier.module.classifier.weight)
        best = int(maps.amax((2, 3)).argmax())
        expected = torch.nn.functional.interpolate(maps[:, best].relu()[None], (4, 4), mode="bilinear")[0, 0]
    found = saliency(classifier, rgb, [best])
    assert np.allclose(found, expected / expected.max(), atol=1e-4)
    assert not np.allclose(saliency(classifier, rgb, [best, best - 1]), found)
    assert not any(module._forward_hooks for module in classifier.module.modules()), "no hook stays"

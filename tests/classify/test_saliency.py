"""Class-activation maps for the encoder: where they point, their shape, and which classifiers have none."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch

from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from hiercodec.classify.saliency import activation_map, saliency


def test_a_map_points_to_where_the_class_s_features_are():
    features = torch.zeros(2, 3, 4, 4)
    features[0, 1, 0, 3] = 2.0
    features[0, 2, 3, 0] = 9.0  # another class's
    maps = activation_map(features, torch.tensor([[0.0, 1.0, -1.0], [0.0, 1.0, 0.0]]), (8, 8))
    assert maps.shape == (2, 1, 8, 8)
    assert maps[0, 0, 0, 7] == 1
    assert maps[0, 0, 7, 0] == 0
    assert (maps[1] == 1).all(), "a class that is seen nowhere prefers no place"


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


def test_a_classifier_without_one_linear_layer_at_its_end_is_refused():
    plain = Classifier("plain", torch.nn.Sequential(torch.nn.Flatten()), Preprocess(size=8), "0" * 64)
    with pytest.raises(TypeError, match="plain has no class-activation map"):
        saliency(plain, np.zeros((8, 8, 3), np.uint8))

"""What bits are for: which options a purpose means, and which specifications name one."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch

import hiercodec as hc
from hiercodec import api
from hiercodec.classify.classifier import Classifier, feature_maps
from hiercodec.classify.preprocess import Preprocess
from hiercodec.errors import ClassifierNotFound, InputError
from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.codecs.purposes import DEFAULT, KEPT, options, read


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return Classifier("net", timm.create_model("mobilenetv2_050"), Preprocess(size=64), "0" * 64)


@pytest.mark.parametrize("size", [(64, 64), (40, 90), (225, 97)])
def test_feature_maps_are_of_the_whole_picture_and_have_a_gradient(classifier, size):
    picture = torch.rand(1, 3, *size, requires_grad=True)
    maps = feature_maps(classifier)(picture)
    sides = [64 * side / min(size) for side in size]
    for stride, found in zip((4, 8, 16, 32), maps, strict=True):
        assert found.shape[-2:] == tuple(-(-round(side) // stride) for side in sides)
    (gradient,) = torch.autograd.grad(sum(found.square().sum() for found in maps), picture)
    assert (gradient != 0).float().mean() > 0.9


def test_feature_maps_are_what_the_classifier_itself_sees(classifier):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        *_, last = feature_maps(classifier)(x)
        plain = Preprocess(size=64, crop=1.0)(rgb)
        own = classifier.module.forward_intermediates(torch.from_numpy(plain)[None], intermediates_only=True)[-1]
    assert torch.allclose(last, own, atol=1e-4)


def test_purposes_differ_in_what_they_keep(classifier):
    assert options(0, "machines", "no such classifier") == {}, "no effort needs no classifier"
    assert "keep" not in options(4, "people", "no such classifier")
    weights = {purpose: options(4, purpose, classifier)["keep"].weight for purpose in KEPT if KEPT[purpose]}
    assert weights["machines"] > weights["both"] > 0


def test_several_classifiers_are_kept_alike(classifier):
    x = torch.rand(1, 3, 64, 64)
    (one, two) = (options(4, "both", of)["keep"] for of in (classifier, [classifier, classifier]))
    assert two.weight == one.weight
    for found, kept in zip(two.features(x), [*one.features(x), *one.features(x)], strict=True):
        assert torch.equal(found, kept)


def test_who_asks_for_nothing_gets_no_effort_and_who_names_a_purpose_the_default():
    assert options() == options(0) == options(None, None) == {}
    assert options(3) == options(3, "people") == {"effort": 3}
    assert options(purpose="people") == {"effort": DEFAULT}


def test_an_error_of_a_network_is_not_taken_for_one_of_whoever_asked(classifier, monkeypatch):
    def broken(classifier):
        raise TypeError("a bug")

    monkeypatch.setattr("hiercodec.classify.classifier.feature_maps", broken)
    with pytest.raises(TypeError, match="a bug"):
        options(3, "machines", classifier)


def test_what_cannot_be_is_refused_in_one_line(classifier):
    for effort in (-1, 10, 2.5):
        with pytest.raises(InputError, match="effort must be a whole number 0 to 9, got"):
            options(effort, "people")
    with pytest.raises(InputError, match="no purpose 'cats'; bits can be for people, machines, both"):
        options(3, "cats")
    plain = Classifier("plain", torch.nn.Flatten(), Preprocess(size=8), "0" * 64)
    with pytest.raises(InputError, match="plain shows no feature maps"):
        options(3, "machines", plain)
    with pytest.raises(ClassifierNotFound):
        options(3, "machines", "none")


def test_a_specification_may_name_a_purpose():
    assert read("lite") == ("lite", {})
    assert read("a@b/lite.safetensors") == ("a@b/lite.safetensors", {})
    assert read("a@b/lite.safetensors@people:3") == ("a@b/lite.safetensors", options(3, "people"))
    with pytest.raises(InputError, match="no purpose 'cats'"):
        read("lite@cats:3")


def test_the_front_door_and_evaluate_make_the_same_file(tiny_lite, photo):
    data = hc.encode(photo, effort=1, codec=tiny_lite)
    assert data == tiny_lite.encode(photo, **options(1, "people"))
    peer = HierPeer(tiny_lite, name="tiny@people:1", options=options(1, "people"))
    *_, last = peer.points(photo)
    assert last.bytes == len(data)
    assert hc.encode(photo, codec=tiny_lite) == hc.encode(photo, effort=0, codec=tiny_lite) == tiny_lite.encode(photo)


def test_the_codec_of_whoever_names_none_is_loaded_once(tiny_lite, photo, monkeypatch):
    loads = []
    monkeypatch.setattr("hiercodec.models.load", lambda *names, **where: loads.append(names) or tiny_lite)
    api._codec.cache_clear()
    try:
        assert hc.encode(photo) == hc.encode(photo) == tiny_lite.encode(photo)
    finally:
        api._codec.cache_clear()
    assert len(loads) == 1

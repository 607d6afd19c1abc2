"""What a classifier sees of a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from hiercodec.classify import Preprocess, preprocess
from hiercodec.classify.catalog import PACKAGED
from hiercodec.errors import NotRGB


def test_same_as_resizing_and_cropping():
    """The usual two steps, done separately, give the same pixels."""
    rng = np.random.default_rng(0)
    rgb = np.asarray(Image.fromarray(rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)).resize((384, 256)))
    whole = Image.fromarray(rgb).resize((384, 256), Image.Resampling.BICUBIC)
    expected = np.asarray(whole)[16:240, 80:304]
    assert np.abs(Preprocess().crop_of(rgb).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 60_000), (500, 3), (227, 227), (224, 224), (10, 12)])
def test_any_size_in_one_size_out(shape):
    x = Preprocess(size=64)(np.full((*shape, 3), 255, np.uint8))
    assert x.shape == (3, 64, 64)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, 1.0, atol=1e-6)


def test_normalisation_per_channel():
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[..., 1] = 255
    x = Preprocess(size=4, crop=1.0, mean=(0.1, 0.2, 0.3), std=(0.5, 0.4, 0.1))(rgb)
    np.testing.assert_allclose(x[:, 0, 0], [-0.2, 2.0, -3.0], atol=1e-5)


def test_dict_round_trip():
    for size, mode in ((160, "fractional"), ((160, 320), "border")):
        p = Preprocess(size, 0.95, "bilinear", (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), mode)
        assert Preprocess(**json.loads(json.dumps(asdict(p)))) == p


@pytest.mark.parametrize(
    "bad",
    [
        {"size": 0},
        {"size": (2, 0)},
        {"size": (2, 4)},
        {"crop": 0.0},
        {"crop": 1.5},
        {"crop": 2.5, "mode": "center"},
        {"interpolation": "best"},
        {"mode": "middle"},
        {"std": (0, 1, 1)},
    ],
)
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match=r"validation errors? for Preprocess"):
        Preprocess(**bad)


def test_wants_pixels():
    with pytest.raises(NotRGB, match="uint8"):
        Preprocess()(np.zeros((4, 4, 3)))


# ---- timm's models look at pictures as timm has them look ------------------------------------------------------------
KINDS = [
    "center bicubic square, part",
    "center bicubic square, whole",
    "center bicubic square, more",
    "center bilinear square, part",
    "center bilinear square, whole",
    "squash bicubic square, part",
    "squash bicubic square, whole",
]
"""(crop mode, interpolation, shape, how much of the picture) of timm's models of 1000 classes."""

SHAPES = ((224, 224), (375, 500), (500, 375), (333, 480), (97, 641), (64, 48), (3, 100), (700, 701))


@pytest.fixture(scope="module")
def declared():
    """Kind → what timm declares of its models: all that differ."""
    import timm
    from timm.data import resolve_data_config

    found = {}
    for name in timm.list_models(pretrained=True):
        config = timm.get_pretrained_cfg(name)
        if config.num_classes == 1000:
            data = resolve_data_config({}, pretrained_cfg=config.to_dict())
            _, height, width = data["input_size"]
            crop = data["crop_pct"]
            seen = "part" if crop < 1 else "whole" if crop == 1 else "more"
            shape = "square" if height == width else "oblong"
            kind = f"{data['crop_mode']} {data['interpolation']} {shape}, {seen}"
            found.setdefault(kind, {})[str(sorted(data.items()))] = data
    return {kind: [*configs.values()] for kind, configs in found.items()}


def some_picture(rng, shape):
    """Noise over large areas: edges and flats of every colour."""
    coarse = rng.integers(0, 256, (1 + shape[0] // 16, 1 + shape[1] // 16, 3), np.uint8)
    large = np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.NEAREST))
    return np.where(rng.random((*shape, 1)) < 0.5, large, rng.integers(0, 256, (*shape, 3), np.uint8))


def differs(own, data, rgb) -> float:
    """The largest difference from what timm makes of a picture, in grey levels."""
    from timm.data import create_transform

    expected = create_transform(**data, is_training=False)(Image.fromarray(rgb)).numpy()
    found = own(rgb)
    assert found.shape == expected.shape
    return float(np.abs((found - expected) * np.reshape(data["std"], (3, 1, 1))).max() * 255)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_timm_s_models_sees_what_timm_shows_it(declared, kind):
    rng = np.random.default_rng(0)
    for number, data in enumerate(declared[kind]):
        own = Preprocess.of_timm(data)
        for shape in SHAPES if not number else [SHAPES[number % len(SHAPES)]]:
            assert differs(own, data, some_picture(rng, shape)) <= 0.5, (data, shape)


def test_timm_declares_no_other_kind(declared):
    assert sorted(declared) == sorted(KINDS)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("mode", ["center", "squash", "border"])
def test_what_timm_can_do_and_no_model_asks_for_is_the_same_too(mode, interpolation):
    rng = np.random.default_rng(1)
    for size, crop in (((64, 64), 0.9), ((48, 96), 1.0), ((96, 40), 0.875), ((64, 64), 1.15)):
        data = {"input_size": (3, *size), "crop_pct": crop, "crop_mode": mode, "interpolation": interpolation}
        data |= {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
        for shape in SHAPES[1:6]:
            assert differs(Preprocess.of_timm(data), data, some_picture(rng, shape)) <= 0.5, (data, shape)


def test_a_very_long_picture_is_never_enlarged_as_a_whole(monkeypatch):
    """And what is looked at is the same."""
    rgb = some_picture(np.random.default_rng(2), (20, 900))
    for mode in ("center", "squash", "border"):
        own = Preprocess(64, 0.9, mode=mode)
        whole = own.crop_of(rgb).astype(int)
        with monkeypatch.context() as patch:
            patch.setattr(preprocess, "MAX_WHOLE", 1)
            assert np.abs(own.crop_of(rgb) - whole).max() <= 2
    assert Preprocess(224, mode="center").crop_of(np.zeros((1, 60_000, 3), np.uint8)).shape == (224, 224, 3)


@pytest.mark.parametrize("name", list(PACKAGED))
def test_of_a_square_the_packaged_classifiers_see_what_timm_would_show_them(name):
    own = PACKAGED[name].preprocess
    timms = replace(own, mode="center")
    rgb = some_picture(np.random.default_rng(3), (224, 224))
    assert np.abs(own.crop_of(rgb).astype(int) - timms.crop_of(rgb)).max() <= 1

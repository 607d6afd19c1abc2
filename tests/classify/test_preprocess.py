"""What a classifier sees of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hiercodec.classify import Preprocess
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
    p = Preprocess(160, 0.95, "bilinear", (0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    assert Preprocess.from_dict(p.to_dict()) == p


@pytest.mark.parametrize(
    "bad", [{"size": 0}, {"crop": 0.0}, {"crop": 1.5}, {"interpolation": "best"}, {"std": (0, 1, 1)}]
)
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match=r"must be|need"):
        Preprocess(**bad)


def test_wants_pixels():
    with pytest.raises(NotRGB, match="uint8"):
        Preprocess()(np.zeros((4, 4, 3)))

"""Fixtures around the tiny codecs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec, smooth_photo


@pytest.fixture(scope="session", params=["lite", "tic"])
def tiny(request, tmp_path_factory):
    """A tiny codec of each transform."""
    return make_codec(TINY_LITE if request.param == "lite" else TINY_TIC, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny_lite(tmp_path_factory):
    return make_codec(TINY_LITE, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def photo():
    return smooth_photo(np.random.default_rng(7), 90, 117)

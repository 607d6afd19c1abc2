"""A tiny codec of planes, and a stream of it."""

import pytest

from tests.models.tiny import make_wave


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    return make_wave(tmp_path_factory.mktemp("wave"))


@pytest.fixture(scope="module")
def coded(codec, photo):
    return codec.encode(photo)

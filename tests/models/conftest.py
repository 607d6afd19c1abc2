"""A tiny codec of each transform."""

from __future__ import annotations

import pytest

from tests.models.tiny import TINY_TIC, make_codec


@pytest.fixture(scope="session", params=["lite", "tic"])
def tiny(request, tmp_path_factory, tiny_lite):
    """Runs a test once with each transform."""
    return tiny_lite if request.param == "lite" else make_codec(TINY_TIC, tmp_path_factory.mktemp("models"))

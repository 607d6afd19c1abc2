"""Fixtures that several rooms use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.models.tiny import TINY_LITE, make_codec, smooth_photo

os.environ.setdefault("HIERCODEC_WORKERS", "0")  # pages work in the tests' own process, where fakes can stand in

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny_lite(tmp_path_factory):
    """A tiny `lite` codec with random weights."""
    return make_codec(TINY_LITE, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def photo():
    """Something like a photograph whose sides no stride divides, uint8 (90, 117, 3)."""
    return smooth_photo(np.random.default_rng(7), 90, 117)


@pytest.fixture(scope="session")
def lab() -> Path:
    """The lab's data; tests that need it skip where it is missing."""
    path = Path(os.environ.get("HIERCODEC_LAB", ROOT.parent / "shared" / "lab"))
    if not path.is_dir():
        pytest.skip("no lab data here (HIERCODEC_LAB)")
    return path

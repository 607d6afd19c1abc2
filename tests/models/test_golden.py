"""Golden streams of golden weights: made once, on one machine, and decoded exactly by every later release and machine."""

from __future__ import annotations

import json

import pytest

from hiercodec import models
from tests.models.make_golden import DATA, symbols_digest


@pytest.mark.parametrize("name", ["tiny-lite-v1", "tiny-tic-v1"])
def test_golden_streams_decode_to_the_same_symbols(name):
    """Exercises the float64 coding path across machines: a changed parameter would be a desync or other symbols."""
    codec = models.load(DATA / f"{name}.safetensors")
    data = (DATA / f"{name}.hc").read_bytes()
    expected = json.loads((DATA / f"{name}.golden.json").read_text())
    assert len(expected) == 3
    for length, digest in expected.items():
        assert symbols_digest(codec, data[: int(length)]) == digest, f"first {length} bytes"

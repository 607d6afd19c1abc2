"""Golden streams of golden weights: made once, on one machine, and decoded exactly by every later release and machine."""

from __future__ import annotations

import json

import pytest

import hiercodec as hc
from hiercodec import models
from hiercodec.errors import IncompleteHeader
from tests.models.make_golden import DATA, symbols_digest


@pytest.mark.parametrize("name", ["tiny-lite-v1", "tiny-tic-v1", "tiny-lite-v2", "tiny-wave-v1", "tiny-wave-v2"])
def test_golden_streams_decode_to_the_same_symbols(name):
    """Exercises the coding paths across machines: a changed parameter would be a desync or other symbols."""
    codec = models.load(DATA / f"{name.partition('-v')[0]}-v1.safetensors")
    data = (DATA / f"{name}.hc").read_bytes()
    expected = json.loads((DATA / f"{name}.golden.json").read_text())
    assert len(expected) == 3
    for length, digest in expected.items():
        assert symbols_digest(codec, data[: int(length)]) == digest, f"first {length} bytes"


def test_a_golden_label_is_told_and_decodes_at_every_byte():
    codec = models.load(DATA / "tiny-lite-v1.safetensors")
    data = (DATA / "tiny-lite-v2.hc").read_bytes()
    decoder = codec.prefixes(data)
    told = hc.read_label(data)
    assert told.path.names == ("coarse", "intermediate", "fine")
    known = 0
    for n in range(1, len(data)):
        if n < decoder.stream.header_bytes:
            with pytest.raises(IncompleteHeader):
                codec.parse(data[:n])
            continue
        said = hc.read_label(data[:n])
        assert said.path.winners == told.path.winners[: len(said.path)]
        assert len(said.path) >= known
        known = len(said.path)
        y_hat, level, *_ = decoder.latent(n)
        assert level == codec.parse(data[:n]).level
        if n % 23 == 0:  # one decoder for all cuts says what one for each says
            assert codec.prefixes(data[:n]).latent()[0].equal(y_hat)
    assert known == 3

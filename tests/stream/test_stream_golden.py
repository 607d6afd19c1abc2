"""The format's promise: golden streams decode to the same symbols for ever, whole and cut."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from hiercodec import stream

DATA = Path(__file__).parent / "data"
GOLDEN = {  # name: plan id, sha256
    "synthetic-v1": (1, "5d941f46615c4ae9e18140cafc9bacd6b6976dce494e0a90dacec04162f0ed25"),
    "synthetic-own-v1": (0x85, "9a3052f410e7c59869ab6b005f3452b490299508416a96db8eb9d90df5969477"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_streams_decode_for_ever(name):
    data = (DATA / f"{name}.hc").read_bytes()
    plan, digest = GOLDEN[name]
    assert hashlib.sha256(data).hexdigest() == digest, "a golden stream must never change"
    with np.load(DATA / f"{name}.npz") as expected:
        z_tables = stream.Tables.from_pmfs(zip(expected["z_offsets"], expected["z_pmfs"], strict=True))
        for size in range(stream.parse(data).header_bytes, len(data) + 1, 41):
            parsed = stream.parse(data[:size])
            decoded, valid = stream.decode_symbols(parsed.z.payload, expected["z_indexes"], z_tables, parsed.z.complete)
            np.testing.assert_array_equal(decoded[:valid], expected["z"][:valid])
        parsed = stream.parse(data)
        assert parsed.complete
        assert (parsed.header.width, parsed.header.height, parsed.header.plan_id) == (75, 50, plan)
        decoded, _ = stream.decode_symbols(parsed.z.payload, expected["z_indexes"], z_tables, complete=True)
        np.testing.assert_array_equal(decoded, expected["z"])
        for section in parsed.blocks:
            indexes = expected[f"{section.name}_indexes"]
            truth = expected[section.name]
            assert section.check == stream.checksum(indexes, expected[f"{section.name}_means"])
            order = stream.order(indexes)
            tables = stream.gaussian_tables()
            decoded, valid = stream.decode_symbols(section.payload, indexes[order], tables, complete=True)
            assert valid == len(truth)
            np.testing.assert_array_equal(decoded, truth[order])
            half = section.payload[: section.length // 2]
            decoded, valid = stream.decode_symbols(half, indexes[order], tables, complete=False)
            assert valid > 0
            np.testing.assert_array_equal(decoded[:valid], truth[order][:valid])
            # Not part of the promise, but a change here deserves a second look: the encoder writes the same bytes.
            assert stream.encode_symbols(truth[order], indexes[order], tables) == section.payload

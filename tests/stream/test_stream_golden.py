"""The format's promise: golden streams decode to the same symbols for ever, whole and cut."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import numpy as np
import pytest

from hiercodec import stream
from hiercodec.errors import BadMagic, IncompleteHeader
from tests.stream.conftest import LEVELS, PATH, order

CORE_BYTES = 8
DATA = Path(__file__).parent / "data"
GOLDEN = {  # name: plan id, sha256
    "synthetic-v1": (1, "5d941f46615c4ae9e18140cafc9bacd6b6976dce494e0a90dacec04162f0ed25"),
    "synthetic-v2": (1, "ccf51d20b7e55aa5e84fafb5aa0775cc071d24f4c076e9fe9e153261dff337ae"),
    "synthetic-own-v1": (0x85, "9a3052f410e7c59869ab6b005f3452b490299508416a96db8eb9d90df5969477"),
}


def test_the_golden_label_is_told_at_every_cut():
    """Version 2 is version 1 with four more bytes of header and a label: everything else is where it was, 8 bytes later."""
    plain, data = (DATA / f"synthetic-v{version}.hc" for version in (1, 2))
    plain, data = plain.read_bytes(), data.read_bytes()
    whole, before = stream.parse(data), stream.parse(plain)
    assert (whole.header.version, before.header.version) == (2, 1)
    assert len(data) == len(plain) + CORE_BYTES
    assert before.label is None
    told = []
    for size in range(len(data) + 1):
        if size < whole.header_bytes:
            with pytest.raises(BadMagic if size == 0 else IncompleteHeader):
                stream.parse(data[:size])
            continue
        parsed = stream.parse(data[:size])
        assert parsed.header.mark == stream.Mark("5e74", "579")
        assert sum(parsed.parts().values()) == size
        assert parsed.label_section.complete == (size >= whole.label_section.end)
        told.append(parsed.label.path(LEVELS))
        assert told[-1] == PATH[: len(told[-1])]
        with contextlib.suppress(IncompleteHeader):
            old = stream.parse(plain[: max(0, size - CORE_BYTES)] or plain[:1])
            assert [s.payload for s in old.sections] == [s.payload for s in parsed.sections[1:]]
            assert old.level == parsed.level
    assert [len(path) for path in told[:5]] == [0, 1, 2, 2, 3]
    assert told[-1] == PATH


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_streams_decode_for_ever(name):
    data = (DATA / f"{name}.hc").read_bytes()
    plan, digest = GOLDEN[name]
    assert hashlib.sha256(data).hexdigest() == digest, "a golden stream must never change"
    with np.load(DATA / f"{name.replace('v2', 'v1')}.npz") as expected:  # a label changes nothing behind it
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
            rank = order(indexes)
            tables = stream.gaussian_tables()
            decoded, valid = stream.decode_symbols(section.payload, indexes[rank], tables, complete=True)
            assert valid == len(truth)
            np.testing.assert_array_equal(decoded, truth[rank])
            half = section.payload[: section.length // 2]
            decoded, valid = stream.decode_symbols(half, indexes[rank], tables, complete=False)
            assert valid > 0
            np.testing.assert_array_equal(decoded[:valid], truth[rank][:valid])
            # Not part of the promise, but a change here deserves a second look: the encoder writes the same bytes.
            assert stream.encode_symbols(truth[rank], indexes[rank], tables) == section.payload

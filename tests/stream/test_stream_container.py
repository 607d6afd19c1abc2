from __future__ import annotations

import binascii
import json
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiercodec import stream
from hiercodec.errors import (
    BadMagic,
    CorruptStream,
    IncompleteHeader,
    InputError,
    StreamError,
    UnsupportedVersion,
)
from hiercodec.levels import PAPER_PLAN, LevelPlan
from hiercodec.stream import container

HEADER = stream.Header(33, 21, b"abcd")


def with_crc(body: bytes, crc: int = 0xFFFF) -> bytes:
    return body + struct.pack("<H", binascii.crc_hqx(body, crc))


def head(width=33, height=21, lengths=b"\x00\x00\x00\x00", version=1, plan=1) -> bytes:
    return b"\x89HC\r\n" + bytes([version, plan]) + struct.pack("<HH4s", width, height, b"abcd") + lengths


def test_container_costs_at_most_40_bytes_at_256(square):
    parsed = stream.parse(square.data)
    assert 0.4 < 8 * parsed.size / parsed.header.pixels < 2
    assert parsed.overhead_bytes <= 40
    assert parsed.size == sum(section.length for section in parsed.sections) + parsed.overhead_bytes
    lengths = (200, 2_000, 3_000, 16_384)  # a z and blocks larger than these are far above any useful rate
    data = stream.write(square.header, bytes(lengths[0]), [bytes(n) for n in lengths[1:]], [0, 0, 0])
    assert len(data) - sum(lengths) == 40


def test_write_then_parse_gives_everything_back():
    data = stream.write(HEADER, b"zz", [b"", b"abc", b"d" * 300], [0, 0xFFFF, 7])
    parsed = stream.parse(data)
    assert parsed.header == HEADER
    assert parsed.complete
    assert parsed.level == "fine"
    assert [s.name for s in parsed.sections] == ["z", "coarse", "intermediate", "fine"]
    assert [s.payload for s in parsed.sections] == [b"zz", b"", b"abc", b"d" * 300]
    assert [s.check for s in parsed.sections] == [None, 0, 0xFFFF, 7]
    for section in parsed.sections:
        assert data[section.offset : section.offset + section.length] == section.payload
    assert parsed.total_bytes == parsed.size == len(data) == parsed.cuts()["fine"]
    assert sum(parsed.parts().values()) == len(data)


def test_every_byte_length_is_a_state_with_exact_symbols(small):
    truth = small.truth()
    whole = stream.parse(small.data)
    seen: dict[str, int] = {}
    for k in range(1, len(small.data) + 1):
        prefix = small.data[:k]
        if k < whole.header_bytes:
            with pytest.raises(IncompleteHeader):
                stream.parse(prefix)
            continue
        parsed = stream.parse(prefix)
        assert (parsed.size, parsed.total_bytes, parsed.cuts()) == (k, whole.total_bytes, whole.cuts())
        assert sum(parsed.parts().values()) == k
        assert parsed.complete == (k == len(small.data))
        done = [name for name, end in parsed.cuts().items() if k >= end]
        assert parsed.level == (done[-1] if done else None)
        decoded = small.decode(prefix)
        for name, (symbols, valid) in decoded.items():
            np.testing.assert_array_equal(symbols[:valid], truth[name][:valid])
            assert not symbols[valid:].any()
            assert valid >= seen.get(name, 0)
            seen[name] = valid
    assert seen == {name: len(symbols) for name, symbols in truth.items()}


def test_a_parsed_stream_is_cut_as_its_bytes_are(small):
    whole = stream.parse(small.data)
    for n in [*range(whole.header_bytes, len(small.data) + 2), None]:
        expected = stream.parse(small.data[:n])
        assert whole.cut(n) == expected
        assert whole.cut(expected.size).cut(n) == expected
    for n in range(whole.header_bytes):
        with pytest.raises(StreamError) as parsed:
            stream.parse(small.data[:n])
        with pytest.raises(type(parsed.value), match=re.escape(str(parsed.value))):
            whole.cut(n)


def test_every_flipped_bit_of_a_whole_stream_is_a_typed_error_with_an_offset(small):
    data = bytearray(small.data)
    header_bytes = stream.parse(small.data).header_bytes
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(StreamError) as caught:
            stream.parse(bytes(data))
        assert not isinstance(caught.value, IncompleteHeader)
        assert 0 <= caught.value.offset <= max(bit // 8, header_bytes)
        data[bit // 8] ^= 1 << (bit % 8)


def test_flipped_bits_in_a_cut_stream_are_seen_up_to_the_open_section(small):
    cut = stream.parse(small.data).cuts()["intermediate"] + 60
    open_section = stream.parse(small.data[:cut]).blocks[2]
    before = small.decode(small.data[:cut])
    data = bytearray(small.data[:cut])
    for bit in range(8 * cut):
        data[bit // 8] ^= 1 << (bit % 8)
        try:
            parsed = stream.parse(bytes(data))
        except StreamError:
            parsed = None
        if bit // 8 < open_section.start:
            assert parsed is None
        elif bit // 8 < open_section.offset:
            assert parsed is not None
            assert parsed.blocks[2].check != open_section.check
        else:  # no CRC is there to see it: right up to the damage, and nothing worse than wrong behind it
            symbols, valid = small.decode(bytes(data))["fine"]
            whole_bytes = bit // 8 - open_section.offset
            _, known = stream.decode_symbols(
                open_section.payload[:whole_bytes],
                np.sort(small.blocks[2].indexes)[::-1],
                stream.gaussian_tables(),
                False,
            )
            assert valid >= known
            np.testing.assert_array_equal(symbols[:known], before["fine"][0][:known])
        data[bit // 8] ^= 1 << (bit % 8)


@pytest.mark.parametrize(
    ("data", "error", "offset"),
    [
        (b"", BadMagic, 0),
        (b"\x89PNG\r\n\x1a\n", BadMagic, 0),
        (b"GIF89a", BadMagic, 0),
        (b"\x89HC\n" + head()[5:], BadMagic, 0),
        (b"\x89HC\r\r\n" + head()[5:], BadMagic, 0),
        (head(version=3), UnsupportedVersion, 5),
        (head(version=0)[:6], UnsupportedVersion, 5),
        (head(plan=0), UnsupportedVersion, 6),
        (head(plan=255)[:7], UnsupportedVersion, 6),
        (head(plan=128), UnsupportedVersion, 6),
        (head(plan=144), UnsupportedVersion, 6),
        (with_crc(head(width=0)), CorruptStream, 7),
        (with_crc(head(height=0)), CorruptStream, 7),
        (with_crc(head(width=65535, height=65535)), CorruptStream, 7),
        (head(width=65535, height=513)[:15], CorruptStream, 7),
        (with_crc(head(lengths=b"\x80\x00\x00\x00\x00")), CorruptStream, 15),
        (with_crc(head(lengths=b"\x00\xff\xff\xff\xff\x01\x00\x00")), CorruptStream, 16),
        (head() + b"\x00\x00", CorruptStream, 0),
        (b"\x89", IncompleteHeader, 1),
        (head(), IncompleteHeader, 19),
        (head(lengths=b"\x80"), IncompleteHeader, 16),
    ],
)
def test_headers_that_cannot_be_used(data, error, offset):
    with pytest.raises(error) as caught:
        stream.parse(data)
    assert type(caught.value) is error
    assert caught.value.offset == offset
    assert f"(at byte {offset})" in str(caught.value)


def test_text_mode_damage_is_named():
    data = stream.write(HEADER, b"zz", [b"a", b"b", b"c"], [0, 0, 0])
    for mangled in (
        data.replace(b"\r\n", b"\n"),
        data.replace(b"\n", b"\r\n"),
        data.replace(b"\r\n", b"\r"),
        bytes(b & 0x7F for b in data),
    ):
        with pytest.raises(BadMagic, match="sent as text"):
            stream.parse(mangled)


def test_bytes_behind_the_end_are_an_error(small):
    with pytest.raises(CorruptStream, match="1 bytes follow") as caught:
        stream.parse(small.data + b"\0")
    assert caught.value.offset == len(small.data)


def test_splices_of_two_sound_streams_are_seen():
    """Same lengths, other content: a section does not fit behind another file's beginning."""
    a = stream.write(HEADER, b"zz", [b"a" * 50, b"b" * 50, b"c" * 50], [1, 2, 3])
    b = stream.write(HEADER, b"yy", [b"d" * 50, b"e" * 50, b"f" * 50], [1, 2, 3])
    assert len(a) == len(b)
    ends = [stream.parse(a).z.end, *stream.parse(a).cuts().values()]
    for cut in ends[:-1]:
        with pytest.raises(CorruptStream) as caught:
            stream.parse(a[:cut] + b[cut:])
        assert caught.value.offset == cut
        with pytest.raises(CorruptStream):
            stream.parse(a[: cut - 1] + b[cut:])


@pytest.mark.parametrize("lengths", [b"\xff\xff\xff\x7f" * 4, b"\x00" * 3 + b"\xff\xff\xff\x7f"])
def test_a_huge_length_allocates_nothing(lengths):
    data = with_crc(head(lengths=lengths))
    tracemalloc.start()
    try:
        parsed = stream.parse(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000
    assert not parsed.complete
    assert parsed.level is None
    assert parsed.total_bytes >= 1 << 28


def test_only_the_header_is_a_state():
    data = stream.write(HEADER, b"zz", [b"a", b"b", b"c"], [0, 0, 0])
    size = stream.parse(data).header_bytes
    parsed = stream.parse(data[:size])
    assert parsed.parts() == {"header": size, "z": 0, "coarse": 0, "intermediate": 0, "fine": 0}
    assert parsed.level is None
    assert not parsed.z.complete
    assert parsed.z.payload == b""


def test_truncate_and_level_end(small):
    for level, end in stream.parse(small.data).cuts().items():
        assert stream.level_end(small.data, level) == end
        cut = stream.truncate(small.data, end)
        assert stream.parse(cut).level == level
        assert stream.parse(stream.truncate(cut, end - 1)).level != level
    assert stream.truncate(small.data, 10**9) == small.data
    assert stream.truncate(small.data, 1) == small.data[:1]
    with pytest.raises(ValueError, match="at least 1 byte"):
        stream.truncate(small.data, 0)
    with pytest.raises(InputError, match="no level 'poodle'"):
        stream.level_end(small.data, "poodle")
    with pytest.raises(InputError, match="cut at 200"):
        stream.level_end(small.data[:200], "fine")
    with pytest.raises(CorruptStream):
        stream.truncate(small.data + b"x", 50)


@pytest.mark.parametrize(
    "make",
    [
        lambda: stream.Header(0, 5, b"abcd"),
        lambda: stream.Header(65536, 5, b"abcd"),
        lambda: stream.Header(60000, 60000, b"abcd"),
        lambda: stream.Header(5, 5, b"abc"),
        lambda: stream.write(HEADER, b"", [b"", b""], [0, 0]),
        lambda: stream.write(HEADER, b"", [b""] * 3, [0, 0]),
        lambda: stream.write(HEADER, b"", [b""] * 3, [0, 0, 65536]),
        lambda: stream.write(HEADER, b"", [b""] * 3, [0, -1, 0]),
    ],
)
def test_what_cannot_be_written_is_refused(make):
    with pytest.raises(ValueError, match=r"\d|plan"):
        make()


@pytest.mark.parametrize("n", range(1, 16))
def test_a_model_s_own_plan_reads_with_and_without_the_model(n):
    """The id says how many levels there are; their names come from the model, or they are numbered."""
    names = tuple("abcdefghijklmno"[:n])
    plan = LevelPlan.from_cuts(names, tuple(range(4, 4 * n + 4, 4)), tuple(range(2, n + 2)))
    blocks = [bytes([i]) * (3 + i) for i in range(n)]
    data = stream.write(stream.Header(33, 21, b"abcd", plan), b"zz", blocks, list(range(n)))
    assert data[6] == 0x80 + n
    numbered = [f"level {i + 1}" for i in range(n)]
    for k in range(stream.parse(data).header_bytes, len(data) + 1):
        known, unknown = stream.parse(data[:k], plan), stream.parse(data[:k])
        assert known.header.plan == plan
        assert [block.name for block in known.blocks] == list(names)
        assert [block.name for block in unknown.blocks] == numbered
        assert list(known.cuts().values()) == list(unknown.cuts().values())
        assert [block.payload for block in known.blocks] == [block.payload for block in unknown.blocks]
    assert [block.payload for block in known.blocks] == blocks
    assert stream.info(data)["levels"] == numbered
    assert stream.level_end(data, "level 1") == known.cuts()["a"]
    other = LevelPlan.numbered(n % 15 + 1)
    assert [block.name for block in stream.parse(data, other).blocks] == numbered, (
        "another plan's names are not its own"
    )


def test_a_plan_with_an_id_is_read_by_it():
    other = LevelPlan.from_cuts(("a", "b", "c"), (1, 2, 3), (1, 2, 3))
    data = stream.write(HEADER, b"", [b""] * 3, [0, 0, 0])
    assert stream.parse(data, other).header == HEADER
    own = stream.write(stream.Header(5, 5, b"abcd", PAPER_PLAN, own=True), b"", [b""] * 3, [0, 0, 0])
    assert stream.parse(own, PAPER_PLAN).header.plan_id == 0x83


def test_a_section_too_long_to_say_is_refused(monkeypatch):
    monkeypatch.setattr(container, "MAX_SECTION", 10)
    with pytest.raises(ValueError, match="up to 10 bytes"):
        stream.write(HEADER, b"", [b"", b"x" * 11, b""], [0, 0, 0])


def test_info_is_json_and_adds_up(square):
    for k in (len(square.data), 3000, 200, 30):
        info = json.loads(json.dumps(stream.info(square.data[:k])))
        assert sum(info["parts"].values()) == info["bytes"] == k
        assert info["bpp"] == pytest.approx(8 * k / 65536)
        assert info["fingerprint"] == "0102feff"
        assert (info["width"], info["height"]) == (256, 256)
        assert info["total_bytes"] == len(square.data)
        assert info["overhead_bytes"] == k - sum(s["available"] for s in info["sections"])


def test_verify_knows_three_states(small):
    assert stream.verify(small.data)["state"] == "complete"
    for k in range(1, len(small.data)):
        assert stream.verify(small.data[:k])["state"] == "truncated"
    for damaged in (b"", b"hello", small.data + b"x", small.data[:100] + b"\0\0\0" + small.data[103:]):
        found = stream.verify(damaged)
        assert found["state"] == "damaged"
        assert found["error"] in ("BadMagic", "CorruptStream")
        assert found["reason"]


def check_never_anything_else(data: bytes) -> None:
    """The law of the fuzz tests: a stream that adds up, or a typed error; then everything derived from it works."""
    try:
        parsed = stream.parse(data)
    except StreamError as error:
        parsed, offset = None, error.offset
    if parsed is None:
        assert 0 <= offset <= len(data)
        return
    assert sum(parsed.parts().values()) == len(data)
    assert parsed.overhead_bytes >= 0
    stream.info(data)
    indexes = np.zeros(50, dtype=np.uint8)
    for section in parsed.sections:
        try:
            stream.decode_symbols(section.payload, indexes, stream.gaussian_tables(), section.complete)
        except CorruptStream:
            assert section.complete


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.lists(
        st.sampled_from([b"\x00", b"\x05", b"\x80\x01", b"\xff\x7f", b"\xff\xff\xff\x7f", b"\x80\x00"]), max_size=6
    ),
    st.sampled_from([0, 1, 1, 1, 1, 2, 255]),
    st.sampled_from([0, 1, 1, 1, 1, 2, 131, 143, 255]),
    st.binary(max_size=300),
    st.booleans(),
)
def test_fuzzed_fields_under_a_right_header_crc(width, height, lengths, version, plan, rest, crc):
    header = head(width, height, b"".join(lengths), version, plan)
    check_never_anything_else((with_crc(header) if crc else header) + rest)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_fuzzed_bytes(data):
    check_never_anything_else(data)
    check_never_anything_else(b"\x89HC\r\n\x01\x01" + data)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_fuzzed_mutations(small, data):
    """Flips, cuts, insertions, deletions and splices of a sound stream."""
    mutated = bytearray(small.data)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "delete", "splice"]))
        a = data.draw(st.integers(0, len(mutated)))
        b = data.draw(st.integers(0, len(mutated)))
        a, b = min(a, b), max(a, b)
        if kind == "flip" and a < len(mutated):
            mutated[a] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del mutated[b:]
        elif kind == "insert":
            mutated[a:a] = data.draw(st.binary(max_size=20))
        elif kind == "delete":
            del mutated[a:b]
        elif kind == "splice":
            mutated[a:a] = mutated[b:]
    check_never_anything_else(bytes(mutated))

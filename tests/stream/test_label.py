"""The label of a stream: any path of any hierarchy, in as few bytes as the format promises, from any prefix of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiercodec import stream
from hiercodec.errors import CorruptStream, InputError, UnsupportedVersion
from tests.stream.conftest import LEVELS, PATH

MARK = stream.Mark("0a1b", "2c3")
RESERVED = 18
"""The byte of the header whose bit 3 no release sets."""


@st.composite
def branches(draw: st.DrawFn):
    """(levels, path): any hierarchy of 1 to 8 levels, nested or not, and any branch of it."""
    classes, n = draw(st.integers(1, 60)), draw(st.integers(1, 8))
    groups = st.lists(st.integers(0, draw(st.integers(0, 20))), min_size=classes, max_size=classes)
    levels = [np.array(draw(groups)) for _ in range(n - 1)] + [np.arange(classes)]
    leaf = draw(st.integers(0, classes - 1))
    return levels, tuple((int(level[leaf]), draw(st.integers(0, 3))) for level in levels)


@settings(max_examples=200, deadline=None)
@given(branches())
def test_any_branch_of_any_hierarchy_is_told_and_a_cut_tells_the_beginning_of_it(branch):
    levels, path = branch
    label = stream.Label.of(MARK, path, levels)
    assert label.path(levels) == path
    assert 8 * len(label.payload) < np.log2(len(levels[0])) + 2 * len(path) + 8 + 1e-3
    before = ()
    for n in range(len(label.payload) + 1):
        known = stream.Label(MARK, label.payload[:n], complete=False).path(levels)
        assert known[: len(before)] == before
        assert path[: len(known)] == known
        before = known


@pytest.mark.parametrize("confidence", [0, 3])
def test_three_levels_of_a_thousand_classes_cost_eight_bytes_at_most(confidence):
    plain = stream.write(stream.Header(33, 21, b"abcd"), b"zz", [b"a", b"b", b"c"], [0, 0, 0])
    uneven = np.minimum(np.arange(1000) // 7, 9), np.minimum(np.arange(1000) // 3, 99), np.arange(1000)
    for levels in (LEVELS, uneven):
        for leaf in range(0, 1000, 37):
            label = stream.Label.of(MARK, [(int(level[leaf]), confidence) for level in levels], levels)
            header = stream.Header(33, 21, b"abcd", mark=label.mark)
            data = stream.write(header, b"zz", [b"a", b"b", b"c"], [0, 0, 0], label.payload)
            assert len(data) <= len(plain) + 8
            assert stream.parse(data).label == label


def test_a_stream_says_what_its_label_is_about(tmp_path):
    label = stream.Label.of(stream.Mark("5e74", "579"), PATH, LEVELS)
    data = stream.write(
        stream.Header(33, 21, b"abcd", mark=label.mark), b"zz", [b"a", b"b", b"c"], [0, 0, 0], label.payload
    )
    parsed = stream.parse(data)
    assert list(parsed.parts()) == ["header", "label", "z", "coarse", "intermediate", "fine"]
    info = stream.info(data)
    assert info["version"] == 2
    assert info["label"] == {
        "hierarchy": "5e74", "classifier": "579", "payload": label.payload.hex(), "complete": True,
    }  # fmt: skip
    assert [section["name"] for section in info["sections"]][:2] == ["label", "z"]
    assert stream.level_end(data, "label") == parsed.label_section.end == parsed.z.start
    cut = stream.truncate(data, parsed.label_section.end)
    assert stream.verify(cut)["state"] == "truncated"
    assert stream.parse(cut).label.complete
    plain = stream.write(stream.Header(33, 21, b"abcd"), b"zz", [b"a", b"b", b"c"], [0, 0, 0])
    assert stream.info(plain)["label"] is None
    with pytest.raises(InputError, match="no level 'label'"):
        stream.level_end(plain, "label")


def test_damage_to_a_label_is_seen(small):
    label = stream.Label.of(MARK, PATH, LEVELS)
    header = stream.Header(33, 21, b"abcd", mark=label.mark)
    data = stream.write(header, b"zz", [b"a", b"b", b"c"], [0, 0, 0], label.payload)
    alone = bytearray(data[: stream.parse(data).label_section.end])
    for bit in range(8 * 15, 8 * len(alone)):
        alone[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(UnsupportedVersion if bit == 8 * RESERVED + 3 else CorruptStream):
            stream.parse(bytes(alone) + data[len(alone) :])
        alone[bit // 8] ^= 1 << (bit % 8)


def test_a_reserved_bit_is_refused_in_one_line():
    label = stream.Label.of(MARK, PATH, LEVELS)
    header = stream.Header(33, 21, b"abcd", mark=label.mark)
    data = bytearray(stream.write(header, b"zz", [b"a", b"b", b"c"], [0, 0, 0], label.payload))
    assert data[RESERVED] & 0xF == len(label.payload)
    data[RESERVED] |= 8
    with pytest.raises(UnsupportedVersion, match="reserved bit") as caught:
        stream.parse(bytes(data))
    assert caught.value.offset == RESERVED
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: stream.Mark("5e7", "579"),
        lambda: stream.Mark("5e74", "57x"),
        lambda: stream.Mark("5E74", "579"),
        lambda: stream.Label.of(MARK, [(3, 0), (4, 0), (357, 0)], LEVELS),
        lambda: stream.Label.of(MARK, [(3, 0)], LEVELS),
        lambda: stream.Label.of(MARK, [(0, 3)] * 30, [np.arange(2)] * 30),
        lambda: stream.write(stream.Header(5, 5, b"abcd"), b"", [b""] * 3, [0] * 3, b"x"),
        lambda: stream.write(stream.Header(5, 5, b"abcd", mark=MARK), b"", [b""] * 3, [0] * 3, bytes(8)),
    ],
)
def test_what_cannot_be_told_is_refused(make):
    with pytest.raises(ValueError, match=r"\d|group"):
        make()

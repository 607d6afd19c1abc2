"""Hypothesis over the fields of the container: any plan, size, lengths and checks go in, come out, and can be cut."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiercodec import stream
from hiercodec.errors import StreamError
from hiercodec.levels import MAX_LEVELS, OWN_LAYOUT, PLANS, LevelPlan
from hiercodec.stream.header import MAX_PIXELS, MAX_SIDE
from hiercodec.stream.label import MAX_PAYLOAD
from tools.fuzz.streams import resealed

SIZES = st.tuples(st.integers(1, MAX_SIDE), st.integers(1, MAX_SIDE)).map(
    lambda size: (size[0], min(size[1], MAX_PIXELS // size[0]))
)
MARKS = st.builds(
    stream.Mark,
    st.text("0123456789abcdef", min_size=4, max_size=4),
    st.text("0123456789abcdef", min_size=3, max_size=3),
)
OWN_PLANS = st.integers(1, MAX_LEVELS).map(LevelPlan.numbered)


@st.composite
def files(draw: st.DrawFn) -> tuple[stream.Header, list[bytes], list[int], bytes]:
    """(header, payloads, checks, the file made of them)."""
    plan = draw(st.sampled_from(list(PLANS.values())) | OWN_PLANS)
    header = stream.Header(*draw(SIZES), draw(st.binary(min_size=4, max_size=4)), plan, draw(st.booleans()))
    payloads = [draw(st.binary(max_size=200)) for _ in range(1 + len(plan))]
    checks = [draw(st.integers(0, 0xFFFF)) for _ in plan]
    if not (mark := draw(st.none() | MARKS)):
        return header, payloads, checks, stream.write(header, payloads[0], payloads[1:], checks)
    label = draw(st.binary(max_size=MAX_PAYLOAD))
    header = dataclasses.replace(header, mark=mark)
    return header, [label, *payloads], checks, stream.write(header, payloads[0], payloads[1:], checks, label)


def ends(parsed: stream.Stream) -> tuple[int, ...]:
    return parsed.header_bytes, *(section.end for section in parsed.sections)


@settings(max_examples=100, deadline=None)
@given(files())
def test_what_was_written_is_read(file):
    header, payloads, checks, data = file
    parsed = stream.parse(data, header.plan)
    known = dataclasses.replace(header, own=header.plan_id > OWN_LAYOUT)
    assert parsed.header == known
    assert [section.payload for section in parsed.sections] == payloads
    assert [block.check for block in parsed.blocks] == checks
    assert parsed.complete
    assert parsed.total_bytes == len(data)


@settings(max_examples=100, deadline=None)
@given(files(), st.floats(0, 1))
def test_any_cut_of_any_file_is_a_state(file, share):
    header, payloads, _, data = file
    whole = stream.parse(data, header.plan)
    n = whole.header_bytes + round(share * (len(data) - whole.header_bytes))
    parsed = stream.parse(data[:n], header.plan)
    assert parsed.cuts() == whole.cuts()
    assert all(payload.startswith(cut.payload) for payload, cut in zip(payloads, parsed.sections, strict=True))
    assert [section.complete for section in parsed.sections] == [section.end <= n for section in whole.sections]
    assert sum(parsed.parts().values()) == n


@settings(max_examples=150, deadline=None, derandomize=True)  # one length in 65 536 fits a wrong CRC
@given(files(), st.data())
def test_a_changed_byte_is_seen_and_a_resealed_one_is_that_field_or_an_error(file, data):
    header, payloads, checks, written = file
    at = data.draw(st.integers(0, len(written) - 1))
    changed = bytearray(written)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StreamError):
        stream.parse(bytes(changed), header.plan)
    whole = stream.parse(written, header.plan)
    again = resealed(bytes(changed), ends(whole))
    if at < whole.header_bytes:  # with sound checksums only the header can still be wrong
        with contextlib.suppress(StreamError):
            stream.parse(again, header.plan)
        return
    parsed = stream.parse(again, header.plan)
    assert parsed.header == whole.header
    same = [a == b for a, b in zip([s.payload for s in parsed.sections], payloads, strict=True)]
    same += [a == b for a, b in zip([b.check for b in parsed.blocks], checks, strict=True)]
    assert same.count(False) == (not any(at in range(end - 2, end) for end in ends(whole)))

"""The one law of streams: a verified prefix or a typed error, in less than a second and 200 MB."""

from __future__ import annotations

import binascii
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hiercodec import stream
from hiercodec.errors import CorruptStream, ImageTooLarge, StreamError
from hiercodec.models.channels.config import STRIDE
from tools.fuzz.streams import CRC, Seed

PIXELS = 1 << 16
"""Padded pixels up to which the fuzzer decodes: what a page or a command refuses to decode, it refuses before it works."""

SECONDS, MEGABYTES = 1.0, 200.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stream cost: seconds of this process's own work, seconds on the clock, and how far memory rose, MB."""

    work: float
    clock: float
    memory: float

    def __str__(self) -> str:
        return f"{self.work:.3f} s of work ({self.clock:.3f} s on the clock), {self.memory:.1f} MB"

    @property
    def lawful(self) -> bool:
        """Whether it stays below the limits; on a shared machine the clock says more of others than of us."""
        return self.work < SECONDS and self.memory < MEGABYTES


def outcome(seed: Seed, data: bytes) -> str:
    """What became of a stream: "complete", "prefix" or the name of its error. Anything unlawful is an exception."""
    try:
        return _read(seed, data)
    except (StreamError, ImageTooLarge) as caught:
        error = caught
    assert type(error) is not StreamError, "an error without a type of its own"
    offset = getattr(error, "offset", 0)
    assert 0 <= offset <= max(len(data), 1), f"{error!r} points outside {len(data)} bytes"
    return type(error).__name__


def _read(seed: Seed, data: bytes) -> str:
    found = stream.verify(data)
    codec = seed.codec
    parsed = stream.parse(data, codec.plan if codec else None)
    assert found["state"] == ("complete" if parsed.complete else "truncated")
    assert sum(parsed.parts().values()) == stream.info(data)["bytes"] == len(data)
    assert stream.truncate(data, max(1, len(data) // 2)) == data[: max(1, len(data) // 2)]
    _vouched(parsed, data)
    _told(parsed)
    if codec is None:
        _payloads(parsed)
        return "complete" if parsed.complete else "prefix"
    header = parsed.header
    if -(-header.height // STRIDE) * -(-header.width // STRIDE) * STRIDE**2 > PIXELS:
        raise ImageTooLarge(f"{header.width}×{header.height}")
    seen = codec.prefixes(data, bit_map=True).at()
    assert np.isfinite(seen.bits).all()
    assert seen.bits.min() >= 0
    assert seen.level == parsed.level
    assert 0 <= seen.fraction <= 1
    assert (seen.fraction == 1 and parsed.complete) or not parsed.complete
    assert seen.image.shape == (header.height, header.width, 3)
    assert seen.image.dtype == np.uint8
    shared = _shared(seed.data, data)
    ends = [block.end for block in parsed.blocks if block.complete and block.end <= shared]
    if ends and data != seed.data:  # what damage came after is as it was
        assert np.array_equal(codec.decode(data[: ends[-1]]).image, codec.decode(seed.data[: ends[-1]]).image)
    return "complete" if parsed.complete else "prefix"


def _vouched(parsed: stream.Stream, data: bytes) -> None:
    """Every section that is called complete has the CRC that says so, worked out here once more."""
    crc, start = 0xFFFF, 0
    for end in (parsed.header_bytes, *(section.end for section in parsed.sections if section.complete)):
        crc = binascii.crc_hqx(data[start : end - CRC], crc)
        assert crc == int.from_bytes(data[end - CRC : end], "little")
        start = end


def _told(parsed: stream.Stream) -> None:
    """Any bytes of a label tell a branch of any hierarchy, or are one typed error; a cut tells the beginning of it."""
    label = parsed.label
    if label is None:
        return
    levels = [np.arange(60) // 12, np.arange(60) % 7, np.arange(60)]
    try:
        path = label.path(levels)
    except CorruptStream:
        assert label.complete
        return
    assert len(path) == 3 or not label.complete
    for n in range(len(label.payload)):
        known = stream.Label(label.mark, label.payload[:n], complete=False).path(levels)
        assert known == path[: len(known)]
    left = np.ones(60, bool)
    for (group, confidence), level in zip(path, levels, strict=False):
        left &= level == group
        assert left.any()
        assert confidence in range(4)


def _payloads(parsed: stream.Stream) -> None:
    """Without a model no tables belong to a payload; with any, it decodes or is one typed error."""
    indexes = np.sort(np.arange(200) * 7 % stream.SCALE_LEVELS)[::-1].astype(np.uint8)
    for section in parsed.sections:
        try:
            symbols, valid = stream.decode_symbols(section.payload, indexes, stream.gaussian_tables(), section.complete)
        except CorruptStream:
            assert section.complete
        else:
            assert not symbols[valid:].any()


def _shared(a: bytes, b: bytes) -> int:
    """How many first bytes are the same."""
    size = min(len(a), len(b))
    differ = np.flatnonzero(np.frombuffer(a[:size], np.uint8) != np.frombuffer(b[:size], np.uint8))
    return int(differ[0]) if len(differ) else size


@contextmanager
def measured() -> Iterator[list[Cost]]:
    """Puts the `Cost` of what stands inside into the list that it gives."""
    costs: list[Cost] = []
    before = _resident(reset=True)
    work, clock = time.process_time(), time.perf_counter()
    try:
        yield costs
    finally:
        costs.append(Cost(time.process_time() - work, time.perf_counter() - clock, (_resident() - before) / 1e6))


def _resident(*, reset: bool = False) -> int:
    """Peak resident bytes of this process since the last reset; 0 where the system does not tell (Linux does)."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return 1024 * int(status.split("VmHWM:")[1].split()[0])

"""What stands at the start of a `.hc` stream: size, model, plan, what a label is about, and every section's length."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from hiercodec.errors import BadMagic, CorruptStream, IncompleteHeader, UnsupportedVersion
from hiercodec.levels import OWN_LAYOUT, PAPER_PLAN, LevelPlan, plan_id, plan_of
from hiercodec.stream.label import MAX_PAYLOAD, Mark

MAGIC = b"\x89HC\r\n"
PLAIN, WITH_LABEL = 1, 2
"""Versions. A stream without a label is of the first, so that every reader of old reads it."""
MAX_SIDE = 65535
MAX_PIXELS = 1 << 25
_FIXED = struct.Struct("<HH4s")  # width, height, fingerprint: behind magic, version and plan id
CRC = 2
_RESERVED = 8  # in the digit behind the classifier's; the lower bits are the length of the label's payload


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream says of itself: size in pixels, the model's fingerprint (4 bytes), the level plan.

    `own` says that the model's card defines plan and order, also where the plan is in `levels.PLANS`. `mark` is what its
    label is about, None where it has none. `ValueError` for a size outside 1…65535 a side or 2²⁵ pixels.
    """

    width: int
    height: int
    fingerprint: bytes
    plan: LevelPlan = PAPER_PLAN
    own: bool = False
    mark: Mark | None = None

    def __post_init__(self) -> None:
        problem = _size_problem(self.width, self.height)
        if problem:
            raise ValueError(problem)
        if len(self.fingerprint) != 4:
            raise ValueError(f"a fingerprint has 4 bytes, got {len(self.fingerprint)}")

    @property
    def plan_id(self) -> int:
        """The id of the level plan, which fixes their number, or more (FORMAT.md)."""
        return plan_id(self.plan, own=self.own)

    @property
    def version(self) -> int:
        """The format version: 2 with a label, else 1."""
        return WITH_LABEL if self.mark else PLAIN

    @property
    def pixels(self) -> int:
        """Width × height."""
        return self.width * self.height


def _size_problem(width: int, height: int) -> str | None:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        return f"an image of {width}×{height} is outside 1 to {MAX_SIDE} pixels a side"
    if width * height > MAX_PIXELS:
        return f"an image of {width}×{height} has more than {MAX_PIXELS} pixels"
    return None


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def header_bytes(header: Header, label: int, lengths: Iterable[int]) -> bytes:
    """A header without its CRC, from the payloads' lengths in bytes: the label's, then those of z and the blocks."""
    fixed = _FIXED.pack(header.width, header.height, header.fingerprint)
    mark = _mark_bytes(header.mark, label) if header.mark else b""
    return MAGIC + bytes((header.version, header.plan_id)) + fixed + mark + b"".join(map(_varint, lengths))


def _mark_bytes(mark: Mark, length: int) -> bytes:
    """The digits of a label's mark with one more that says how long its payload is."""
    return bytes.fromhex(f"{mark.hierarchy}{mark.classifier}{length:x}")


def parse_header(data: bytes) -> tuple[Header, list[int], int, int]:
    """(header, payload lengths of every section, where the header ends, its CRC)."""
    if not data:
        raise BadMagic("not a .hc stream: it is empty")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        if data[:4] in (b"\x89HC\n", b"\x89HC\r", b"\tHC\r"):
            raise BadMagic("a .hc stream that was sent as text: its line ends or high bits are changed")
        raise BadMagic("not a .hc stream")
    if len(data) > 5 and data[5] not in (PLAIN, WITH_LABEL):
        raise UnsupportedVersion(f"format version {data[5]}; this release reads versions 1 and 2", offset=5)
    position = 7 + _FIXED.size
    try:
        plan = plan_of(data[6] if len(data) > 6 else 1)
    except KeyError:
        raise UnsupportedVersion(f"level plan {data[6]} is unknown to this release", offset=6) from None
    if len(data) < position:
        raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
    width, height, fingerprint = _FIXED.unpack_from(data, 7)
    problem = _size_problem(width, height)
    if problem:
        raise CorruptStream(problem, offset=7)
    mark, lengths = None, []
    if data[5] == WITH_LABEL:
        mark, length, position = _read_mark(data, position)
        lengths.append(length)
    for _ in range(1 + len(plan)):
        length, position = _read_varint(data, position)
        lengths.append(length)
    if len(data) < position + CRC:
        raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
    crc = binascii.crc_hqx(data[:position], 0xFFFF)
    if crc != int.from_bytes(data[position : position + CRC], "little"):
        raise CorruptStream("the header is damaged", offset=0)
    return Header(width, height, fingerprint, plan, data[6] > OWN_LAYOUT, mark), lengths, position + CRC, crc


def _read_mark(data: bytes, start: int) -> tuple[Mark, int, int]:
    """(mark, length of the label's payload, end) of what `_mark_bytes` wrote at `start`."""
    end = start + 4
    if len(data) < end:
        raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
    digits = data[start:end].hex()
    shape = int(digits[7], 16)
    if shape & _RESERVED:
        raise UnsupportedVersion(
            "a reserved bit is set: its pixels need more than this release knows of", offset=end - 1
        )
    return Mark(digits[:4], digits[4:7]), shape & MAX_PAYLOAD, end


def _read_varint(data: bytes, start: int) -> tuple[int, int]:
    """(value, end) of the shortest-form LEB128 number at `start`, at most four bytes."""
    value = 0
    for i in range(4):
        if start + i >= len(data):
            raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
        byte = data[start + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if byte == 0 and i:
                raise CorruptStream("a length is not in its shortest form", offset=start)
            return value, start + i + 1
    raise CorruptStream("a length has more than four bytes", offset=start)

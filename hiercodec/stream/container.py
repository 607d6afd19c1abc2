"""The `.hc` container, version 1: header, then z, then one section a level. FORMAT.md is its specification.

    write(Header, z, blocks, checks) ──► bytes ──(cut anywhere)──► parse ──► Stream
                                                                     ├── header
                                                                     ├── z:      Section
                                                                     └── blocks: Section, one a level, coarse first

A cut is a state (`Stream.complete`, `Section.available`); damage is an exception with an offset.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from hiercodec.errors import BadMagic, CorruptStream, IncompleteHeader, InputError, UnsupportedVersion
from hiercodec.levels import OWN_LAYOUT, PAPER_PLAN, LevelPlan, plan_id, plan_of

MAGIC = b"\x89HC\r\n"
VERSION = 1
MAX_SIDE = 65535
MAX_PIXELS = 1 << 25
MAX_SECTION = (1 << 28) - 1  # what a varint of four bytes can say
_FIXED = struct.Struct("<HH4s")  # width, height, fingerprint: behind magic, version and plan id
_CRC = 2
_CHECK = 2


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream says of itself: size in pixels, the model's fingerprint (4 bytes), the level plan.

    `own` says that the model's card defines plan and order, also where the plan is in `levels.PLANS`. `ValueError` for a
    size outside 1…65535 a side or 2²⁵ pixels.
    """

    width: int
    height: int
    fingerprint: bytes
    plan: LevelPlan = PAPER_PLAN
    own: bool = False

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
    def pixels(self) -> int:
        """Width × height."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Section:
    """One coded part ("z" or a level's name) and how much of it is there. Offsets and lengths are in bytes.

    `start` and `end` bound the section in the whole file, `offset` is where its payload starts, `length` what the
    payload measures when whole, `available` = len(`payload`) what of it is there. `check` is the 16-bit checksum of
    the entropy parameters (None for z, or if cut off). `complete`: all of it is there and its CRC agrees.
    """

    name: str
    start: int
    offset: int
    length: int
    payload: bytes = field(repr=False)
    check: int | None
    complete: bool

    @property
    def available(self) -> int:
        """Payload bytes that are there."""
        return len(self.payload)

    @property
    def end(self) -> int:
        """Where the section ends in the whole file."""
        return self.offset + self.length + _CRC


@dataclass(frozen=True, slots=True)
class Stream:
    """A parsed stream, whole or cut. `size` is the number of bytes at hand, `total_bytes` that of the whole file."""

    header: Header
    header_bytes: int
    z: Section
    blocks: tuple[Section, ...]
    size: int

    @property
    def sections(self) -> tuple[Section, ...]:
        """z and the blocks, in file order."""
        return (self.z, *self.blocks)

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole file, known from the header alone."""
        return self.blocks[-1].end

    @property
    def complete(self) -> bool:
        """Whether nothing is cut off."""
        return self.blocks[-1].complete

    @property
    def level(self) -> str | None:
        """The last level whose block is complete; None before the first."""
        done = [block.name for block in self.blocks if block.complete]
        return done[-1] if done else None

    @property
    def overhead_bytes(self) -> int:
        """Bytes at hand that are container, not payload."""
        return self.size - sum(section.available for section in self.sections)

    def parts(self) -> dict[str, int]:
        """Bytes at hand of header, z and every level, in file order; they sum to `size`."""
        sizes = {"header": self.header_bytes}
        for section in self.sections:
            sizes[section.name] = max(0, min(self.size, section.end) - section.start)
        return sizes

    def cuts(self) -> dict[str, int]:
        """For every level the file length from which on it is complete (whether or not this stream is that long)."""
        return {block.name: block.end for block in self.blocks}


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


def write(header: Header, z: bytes, blocks: Sequence[bytes], checks: Sequence[int]) -> bytes:
    """The whole file: payloads of z and of every level's block, and each block's `checksum`, one a level of the plan.

    `ValueError` if the counts differ from the plan's, a payload reaches 256 MiB or a check does not fit 16 bits.
    """
    if not len(blocks) == len(checks) == len(header.plan):
        raise ValueError(f"the plan has {len(header.plan)} levels, got {len(blocks)} blocks and {len(checks)} checks")
    payloads = [bytes(z), *map(bytes, blocks)]
    if max(map(len, payloads)) > MAX_SECTION:
        raise ValueError(f"a section holds up to {MAX_SECTION} bytes")
    if any(not 0 <= check <= 0xFFFF for check in checks):
        raise ValueError("a check has 16 bits")
    head = MAGIC + bytes((VERSION, header.plan_id)) + _FIXED.pack(header.width, header.height, header.fingerprint)
    head += b"".join(_varint(len(payload)) for payload in payloads)
    bodies = [head, payloads[0]]
    bodies += [struct.pack("<H", check) + payload for check, payload in zip(checks, payloads[1:], strict=True)]
    out, crc = bytearray(), 0xFFFF
    for body in bodies:
        crc = binascii.crc_hqx(body, crc)
        out += body + struct.pack("<H", crc)
    return bytes(out)


def parse(data: bytes, plan: LevelPlan | None = None) -> Stream:
    """Read a stream or any prefix of one that holds its header.

    `plan`, the model's, names the levels of a stream that leaves them to its model; without it they are numbered.
    Raises `BadMagic`, `UnsupportedVersion`, `CorruptStream` (a CRC or a field that cannot be right, bytes behind the
    end), or `IncompleteHeader` where the bytes end inside a header that is right so far. Nothing else, whatever the
    input; no allocation exceeds the input's own size.
    """
    data = bytes(data)
    header, lengths, position, crc = _parse_header(data, plan)
    sections, start = [], position
    for name, length in zip(("z", *header.plan.names), lengths, strict=True):
        offset = start if name == "z" else start + _CHECK
        end = offset + length
        check = None
        if name != "z" and len(data) >= offset:
            check = int.from_bytes(data[start:offset], "little")
        complete = len(data) >= end + _CRC
        if complete:
            crc = binascii.crc_hqx(data[start:end], crc)
            if crc != int.from_bytes(data[end : end + _CRC], "little"):
                raise CorruptStream(f"section {name!r} is damaged", offset=start)
        sections.append(Section(name, start, offset, length, data[offset:end], check, complete))
        start = end + _CRC
    if len(data) > start:
        raise CorruptStream(f"{len(data) - start} bytes follow the end of the stream", offset=start)
    return Stream(header, position, sections[0], tuple(sections[1:]), len(data))


def _parse_header(data: bytes, own: LevelPlan | None) -> tuple[Header, list[int], int, int]:
    """(header, payload lengths of z and the blocks, where the header ends, its CRC)."""
    if not data:
        raise BadMagic("not a .hc stream: it is empty")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        if data[:4] in (b"\x89HC\n", b"\x89HC\r", b"\tHC\r"):
            raise BadMagic("a .hc stream that was sent as text: its line ends or high bits are changed")
        raise BadMagic("not a .hc stream")
    if len(data) > 5 and data[5] != VERSION:
        raise UnsupportedVersion(f"format version {data[5]}; this release reads version {VERSION}", offset=5)
    try:
        plan = plan_of(data[6] if len(data) > 6 else 1, own)
    except KeyError:
        raise UnsupportedVersion(f"level plan {data[6]} is unknown to this release", offset=6) from None
    fixed_end = 7 + _FIXED.size
    if len(data) < fixed_end:
        raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
    width, height, fingerprint = _FIXED.unpack_from(data, 7)
    problem = _size_problem(width, height)
    if problem:
        raise CorruptStream(problem, offset=7)
    lengths, position = [], fixed_end
    for _ in range(1 + len(plan)):
        length, position = _read_varint(data, position)
        lengths.append(length)
    if len(data) < position + _CRC:
        raise IncompleteHeader("the stream is cut inside its header", offset=len(data))
    crc = binascii.crc_hqx(data[:position], 0xFFFF)
    if crc != int.from_bytes(data[position : position + _CRC], "little"):
        raise CorruptStream("the header is damaged", offset=0)
    return Header(width, height, fingerprint, plan, data[6] > OWN_LAYOUT), lengths, position + _CRC, crc


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


def truncate(data: bytes, n_bytes: int) -> bytes:
    """The first `n_bytes` (≥ 1) of a stream, all of it if it has no more; raises as `parse` if it is damaged."""
    if n_bytes < 1:
        raise ValueError(f"a cut leaves at least 1 byte, got {n_bytes}")
    parse(data)
    return bytes(data[:n_bytes])


def level_end(data: bytes, level: str) -> int:
    """The length to cut `data` to so that `level` is complete and nothing follows.

    `InputError` if the plan has no such level or the stream itself ends before.
    """
    stream = parse(data)
    cuts = stream.cuts()
    if level not in cuts:
        raise InputError(f"no level {level!r}; this stream has {', '.join(cuts)}")
    if cuts[level] > stream.size:
        raise InputError(
            f"level {level!r} needs {cuts[level]} bytes, the stream is cut at {stream.size}"
            f" ({stream.level or 'no level'} complete)"
        )
    return cuts[level]

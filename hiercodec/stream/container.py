"""The `.hc` container: header, in version 2 a label, then z, then one section a level. FORMAT.md is its specification.

    write(Header, z, blocks, checks) ──► bytes ──(cut anywhere)──► parse ──► Stream
                                                                     ├── header
                                                                     ├── label_section: Section, or None
                                                                     ├── z:      Section
                                                                     └── blocks: Section, one a level, coarse first

A cut is a state (`Stream.complete`, `Section.available`); damage is an exception with an offset.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from hiercodec.arguments import Source, as_stream
from hiercodec.errors import BadMagic, CorruptStream, IncompleteHeader, InputError, StreamError
from hiercodec.levels import LevelPlan, meant
from hiercodec.stream.header import CRC, Header, header_bytes, parse_header
from hiercodec.stream.label import MAX_PAYLOAD, Label

PlanOf: TypeAlias = Callable[[bytes], "LevelPlan | None"]
"""From a model's fingerprint to its plan; None where nobody knows it."""

MAX_SECTION = (1 << 28) - 1  # what a varint of four bytes can say
_CHECK = 2


@dataclass(frozen=True, slots=True)
class Section:
    """One coded part ("label", "z" or a level's name) and how much of it is there. Offsets and lengths are in bytes.

    `start` and `end` bound the section in the whole file, `offset` is where its payload starts, `length` what the
    payload measures when whole, `available` = len(`payload`) what of it is there. `check` is the 16-bit checksum of
    the entropy parameters (None for label and z, or if cut off). `complete`: all of it is there and its CRC agrees.
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
        return self.offset + self.length + CRC

    def cut(self, n_bytes: int) -> Section:
        """The section as the first `n_bytes` of the file have it."""
        if n_bytes >= self.end:
            return self
        check = self.check if n_bytes >= self.offset else None
        return replace(self, payload=self.payload[: max(0, n_bytes - self.offset)], check=check, complete=False)


@dataclass(frozen=True, slots=True)
class Stream:
    """A parsed stream, whole or cut. `size` is the number of bytes at hand, `total_bytes` that of the whole file."""

    header: Header
    header_bytes: int
    z: Section
    blocks: tuple[Section, ...]
    size: int
    label_section: Section | None = None

    @property
    def sections(self) -> tuple[Section, ...]:
        """The label, where there is one, z and the blocks, in file order."""
        return (*((self.label_section,) if self.label_section else ()), self.z, *self.blocks)

    @property
    def label(self) -> Label | None:
        """What the label tells, as far as it is there; None in a stream without one."""
        section, mark = self.label_section, self.header.mark
        return Label(mark, section.payload, section.complete) if mark and section else None

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
    def share(self) -> float:
        """How much of the first block that is not complete is there, 0…1, in bytes; 1 where nothing is cut off."""
        block = next((block for block in self.blocks if not block.complete), self.blocks[-1])
        return min(1.0, max(0, self.size - block.start) / (block.end - block.start))

    @property
    def overhead_bytes(self) -> int:
        """Bytes at hand that are container, not payload."""
        return self.size - sum(section.available for section in self.sections)

    def cut(self, n_bytes: int | None) -> Stream:
        """What `parse` would make of the first `n_bytes` (None: all) of these bytes, without reading them again.

        Raises as `parse` where they end inside the header.
        """
        n = self.size if n_bytes is None else min(n_bytes, self.size)
        if n < 1:
            raise BadMagic("not a .hc stream: it is empty")
        if n < self.header_bytes:
            raise IncompleteHeader("the stream is cut inside its header", offset=n)
        sections = [section.cut(n) for section in self.sections]
        label = sections.pop(0) if self.label_section else None
        return replace(self, z=sections[0], blocks=tuple(sections[1:]), size=n, label_section=label)

    def named(self, plan: LevelPlan | PlanOf | None) -> Stream:
        """The same with the names of a model's levels, where it leaves them to its model and `plan` (see `parse`) is its."""
        known = plan if plan is None or isinstance(plan, LevelPlan) else plan(self.header.fingerprint)
        if not self.header.own or known is None or len(known) != len(self.blocks):
            return self
        blocks = tuple(replace(block, name=name) for block, name in zip(self.blocks, known.names, strict=True))
        return replace(self, header=replace(self.header, plan=known), blocks=blocks)

    def parts(self) -> dict[str, int]:
        """Bytes at hand of header, label, z and every level, in file order; they sum to `size`."""
        sizes = {"header": self.header_bytes}
        for section in self.sections:
            sizes[section.name] = max(0, min(self.size, section.end) - section.start)
        return sizes

    def cuts(self) -> dict[str, int]:
        """For every level the file length from which on it is complete (whether or not this stream is that long)."""
        return {block.name: block.end for block in self.blocks}


def write(header: Header, z: bytes, blocks: Sequence[bytes], checks: Sequence[int], label: bytes = b"") -> bytes:
    """The whole file: payloads of z and of every level's block, and each block's `checksum`, one a level of the plan.

    `label` is the payload of what `header.mark` announces. `ValueError` if the counts differ from the plan's, a payload
    reaches 256 MiB, a label is too long or not announced, or a check does not fit 16 bits.
    """
    if not len(blocks) == len(checks) == len(header.plan):
        raise ValueError(f"the plan has {len(header.plan)} levels, got {len(blocks)} blocks and {len(checks)} checks")
    payloads = [bytes(z), *map(bytes, blocks)]
    if max(map(len, payloads)) > MAX_SECTION:
        raise ValueError(f"a section holds up to {MAX_SECTION} bytes")
    if any(not 0 <= check <= 0xFFFF for check in checks):
        raise ValueError("a check has 16 bits")
    if len(label) > (MAX_PAYLOAD if header.mark else 0):
        raise ValueError(f"a label of {len(label)} bytes; up to {MAX_PAYLOAD} go where the header announces one")
    first = [bytes(label), payloads[0]] if header.mark else [payloads[0]]
    bodies = [header_bytes(header, len(label), map(len, payloads)), *first]
    bodies += [struct.pack("<H", check) + payload for check, payload in zip(checks, payloads[1:], strict=True)]
    out, crc = bytearray(), 0xFFFF
    for body in bodies:
        crc = binascii.crc_hqx(body, crc)
        out += body + struct.pack("<H", crc)
    return bytes(out)


def parse(data: Source | Stream, plan: LevelPlan | PlanOf | None = None) -> Stream:
    """Read a stream, or any prefix of one that holds its header: bytes, the path of a file, or what was parsed before.

    `plan`, the model's, or what finds it by the stream's fingerprint, names the levels of a stream that leaves them to its
    model; without it they are numbered.
    Raises `BadMagic`, `UnsupportedVersion`, `CorruptStream` (a CRC or a field that cannot be right, bytes behind the
    end), or `IncompleteHeader` where the bytes end inside a header that is right so far. Nothing else, whatever the
    bytes; no allocation exceeds their own size. `InputError` for what is neither bytes nor the path of a readable file.
    """
    if isinstance(data, Stream):
        return data.named(plan)
    data = as_stream(data)
    header, lengths, position, crc = parse_header(data)
    names = (*(("label",) if header.mark else ()), "z", *header.plan.names)
    sections, start = [], position
    for name, length in zip(names, lengths, strict=True):
        checked = len(sections) > names.index("z")
        offset = start + _CHECK if checked else start
        end = offset + length
        check = None
        if checked and len(data) >= offset:
            check = int.from_bytes(data[start:offset], "little")
        complete = len(data) >= end + CRC
        if complete:
            crc = binascii.crc_hqx(data[start:end], crc)
            if crc != int.from_bytes(data[end : end + CRC], "little"):
                raise CorruptStream(f"section {name!r} is damaged", offset=start)
        sections.append(Section(name, start, offset, length, data[offset:end], check, complete))
        start = end + CRC
    if len(data) > start:
        raise CorruptStream(f"{len(data) - start} bytes follow the end of the stream", offset=start)
    label = sections.pop(0) if header.mark else None
    return Stream(header, position, sections[0], tuple(sections[1:]), len(data), label).named(plan)


def truncate(data: Source, n_bytes: int) -> bytes:
    """The first `n_bytes` (≥ 1) of a stream, all of it if it has no more; raises as `parse` if it is damaged."""
    data = as_stream(data)
    if n_bytes < 1:
        raise ValueError(f"a cut leaves at least 1 byte, got {n_bytes}")
    parse(data)
    return data[:n_bytes]


def level_end(data: bytes | Stream, level: str, plan: LevelPlan | PlanOf | None = None) -> int:
    """The length to cut `data` to so that `level` ("label" is one here, "kind" the paper's coarse) is complete and nothing
    follows.

    `plan` as in `parse`; `InputError` if the stream has no such level or itself ends before.
    """
    stream = parse(data, plan)
    cuts = ({"label": stream.label_section.end} if stream.label_section else {}) | stream.cuts()
    if (level := meant(level, cuts)) not in cuts:
        raise InputError(f"no level {level!r}; this stream has {', '.join(cuts)}")
    if cuts[level] > stream.size:
        raise InputError(
            f"level {level!r} needs {cuts[level]} bytes, the stream is cut at {stream.size}"
            f" ({stream.level or 'no level'} complete)"
        )
    return cuts[level]


def info(data: bytes | Stream) -> dict[str, Any]:
    """What a stream says of itself, JSON-ready; sizes in bytes, `parts` sum to `bytes`. Errors as in `parse`."""
    stream = parse(data)
    header = stream.header
    return {
        "version": header.version,
        "width": header.width,
        "height": header.height,
        "fingerprint": header.fingerprint.hex(),
        "plan": header.plan_id,
        "levels": list(header.plan.names),
        "bytes": stream.size,
        "total_bytes": stream.total_bytes,
        "bpp": 8 * stream.size / header.pixels,
        "complete": stream.complete,
        "level": stream.level,
        "parts": stream.parts(),
        "overhead_bytes": stream.overhead_bytes,
        "label": _label(stream.label),
        "cuts": stream.cuts(),
        "sections": [
            {name: getattr(section, name) for name in ("name", "offset", "length", "available", "complete")}
            for section in stream.sections
        ],
    }


def _label(label: Label | None) -> dict[str, Any] | None:
    """What a stream says of its label; whoever knows the hierarchy reads the payload."""
    return label and {
        "hierarchy": label.mark.hierarchy,
        "classifier": label.mark.classifier,
        "payload": label.payload.hex(),
        "complete": label.complete,
    }


def verify(data: Source, plan: PlanOf | None = None) -> dict[str, Any]:
    """Whether a file is sound: {"state": "complete" | "truncated" | "damaged", "reason": …, "offset": …, …}.

    Never raises on bytes; `plan` as in `parse`. "truncated" is any non-empty prefix that agrees with the format; its open
    section ends before the CRC that would vouch for it.
    """
    data = as_stream(data)
    try:
        stream = parse(data, plan)
    except IncompleteHeader as error:
        return {"state": "truncated", "bytes": len(data), "level": None, "offset": error.offset, "reason": str(error)}
    except StreamError as error:
        return {
            "state": "damaged",
            "bytes": len(data),
            "level": None,
            "offset": error.offset,
            "error": type(error).__name__,
            "reason": str(error),
        }
    return {
        "state": "complete" if stream.complete else "truncated",
        "bytes": stream.size,
        "total_bytes": stream.total_bytes,
        "level": stream.level,
        "offset": None,
        "reason": None,
    }

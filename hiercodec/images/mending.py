"""Slight damage that browsers look over, mended in the bytes; and what a decoder must not be given.

Nothing is told to Pillow to look over damage: that holds for a whole process, whose threads share it.
"""

from __future__ import annotations

import itertools
import math
import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hiercodec.errors import DamagedImage, ImageTooLarge

Note = Callable[[str], object]
"""Hears what was mended in a file, or passed over, in words that follow its name."""

MAX_SCANS = 100
"""Scans of a JPEG. Encoders write about ten, every one goes over the whole picture, and an empty one costs 12 bytes."""
MAX_SEGMENTS = 5_000
"""Marker segments of a JPEG: even 64 MB of metadata in full segments are a thousand."""
MAX_CHUNKS = 100_000
"""Chunks of a PNG: encoders write pixels in pieces of 8 kB and more."""

MAX_UNPACKED = 1 << 20
"""Bytes of a PNG's profile: what Pillow takes."""

LEAST_ROWS, ROWS = 16, 1 / 16
"""Rows at the end of a picture that may be missing: a row of a JPEG's blocks, or this share of its height."""

MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
"""A JPEG's next marker, past entropy-coded bytes (in which 00 follows FF) and restart markers."""
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers that begin a frame (SOF)."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"iCCP": 0, b"tRNS": 0}
"""Chunks that say what samples mean, which count once and before the pixels, and their size where it is always the same."""
TRIES = 16
"""Chunks of one kind that are looked at in search of one that can be used: the rest could cost minutes."""
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
"""Chunks of a moving picture, which is shown first as it is without them unless its frames leave that one out."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples a pixel by a PNG's colour type."""


@dataclass(slots=True)
class Scans:
    """What a walk through a JPEG met: components of its frame, those whose last bits some scan holds, and its end."""

    components: frozenset[int] = frozenset()
    complete: set[int] = field(default_factory=set)
    ended: bool = False


def mended(data: bytes, note: Note) -> bytes:
    """The bytes of a file that a decoder takes: a JPEG or PNG that is slightly damaged as it would be whole.

    Raises `ImageTooLarge` where it has more scans or parts than pictures have, `DamagedImage` where too much is missing.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _mended_jpeg(data, note)
    return _mended_png(data, note) if data.startswith(SIGNATURE) else data


def tolerable(rows: int, height: int) -> bool:
    """Whether a picture may do without so many rows at its end."""
    return rows <= max(LEAST_ROWS, height * ROWS) and rows < height


# ---- JPEG --------------------------------------------------------------------------------------------------------------
def _mended_jpeg(data: bytes, note: Note) -> bytes:
    """A JPEG that ends early with an end: libjpeg fills what is missing with grey, which `grey_rows` counts afterwards."""
    scans = _walk(data)
    if scans.ended or not scans.complete:
        return data
    if not scans.components <= scans.complete:
        raise DamagedImage("a damaged JPEG: it ends before the picture is there in full detail")
    note("its last bytes are missing")
    return data + b"\xff\xd9"


def _walk(data: bytes) -> Scans:
    """From marker to marker, as libjpeg does (ITU-T T.81 B.1.1), to the end of the picture: linear in the bytes.

    Counting FF DA alone would not do: thumbnails in metadata and the film behind a "motion photo" hold it too.
    """
    met, scans, position = Scans(), 0, 2
    for _ in range(MAX_SEGMENTS):
        following = MARKER.search(data, position)
        if following is None or following[1][0] == EOI:
            met.ended = following is not None
            return met
        marker, position = following[1][0], following.end()
        length = int.from_bytes(data[position : position + 2], "big")
        body = data[position + 2 : position + length]
        if marker == SOS:
            scans += 1
            met.complete |= _last_bits(body)
        elif marker in FRAMES and len(body) >= 6:
            met.components = frozenset(body[6::3][: body[5]])
        if scans > MAX_SCANS:
            raise ImageTooLarge(f"the JPEG has more than {MAX_SCANS} scans; save it again as an ordinary JPEG or PNG")
        if marker >= 0xC0 and marker != SOI:  # every other marker has no length
            position += length
    raise ImageTooLarge(f"the JPEG has more than {MAX_SEGMENTS} segments; save it again as an ordinary JPEG or PNG")


def _last_bits(scan: bytes) -> set[int]:
    """The components whose coefficients a scan holds up to the last, to the last bit (T.81 B.2.3)."""
    count = scan[0] if scan else 0
    if len(scan) < 2 * count + 4:
        return set()
    end, approximation = scan[2 * count + 2], scan[2 * count + 3] & 15
    return set(scan[1 : 1 + 2 * count : 2]) if end == 63 and not approximation else set()


def grey_rows(pixels: np.ndarray) -> int:
    """Rows at the end of a decoded JPEG, (H, W) or (H, W, C), that libjpeg filled in for missing bytes (127: in CMYK)."""
    grey = ((pixels == 128) | (pixels == 127)).reshape(len(pixels), -1).all(1)[::-1]
    return int(grey.argmin()) if not grey.all() else len(grey)


# ---- PNG ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a PNG: its kind, where it begins and its body ends, and whether its checksum is right."""

    kind: bytes
    start: int
    end: int
    sound: bool

    @property
    def ancillary(self) -> bool:
        """Whether a picture can do without it."""
        return bool(self.kind[0] & 0x20)


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG, as far as they are whole; checksums of critical ones are left to the decoder."""
    position = len(SIGNATURE)
    for count in itertools.count():
        if position + 12 > len(data):
            return
        if count == MAX_CHUNKS:
            raise ImageTooLarge(f"the PNG has more than {MAX_CHUNKS} parts; save it again as an ordinary PNG")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return
        check = not kind[0] & 0x20 or zlib.crc32(data[position + 4 : end]) == int.from_bytes(data[end : end + 4], "big")
        yield Chunk(kind, position, end, check)
        position = end + 4


def _mended_png(data: bytes, note: Note) -> bytes:
    """A PNG without what does not bear on its pixels, and without what browsers pass over, which `note` hears of."""
    met, kept, bad, kinds, tried = list(chunks(data)), [], [], set[bytes](), Counter[bytes]()
    begin = next((chunk.start for chunk in met if chunk.kind == b"IDAT"), len(data))
    frames = [chunk.start for chunk in met if chunk.kind == b"fcTL"]
    control = any(chunk.kind == b"acTL" and chunk.end - chunk.start == 16 and chunk.start < begin for chunk in met)
    moving = ANIMATION if control and frames and frames[0] > begin else frozenset()
    pixels = {*COLOURS, *moving, b"eXIf", b"cICP"}
    for chunk in met:
        tried[chunk.kind] += 1
        again = chunk.start > begin or chunk.kind in kinds or tried[chunk.kind] > TRIES
        if not chunk.ancillary:
            kept.append(chunk)
        elif not chunk.sound or (chunk.kind in COLOURS and (again or not _fits(chunk, data, met))):
            bad.append(chunk)
        elif chunk.kind in pixels:
            kept.append(chunk)
            kinds.add(chunk.kind)
    if bad:
        names = ", ".join(dict.fromkeys(chunk.kind.decode("latin-1") for chunk in bad))
        note(f"a part of it cannot be used ({names}) and was passed over, as browsers do")
    if any(chunk.kind == b"cICP" and data[chunk.start + 8 : chunk.start + 10] != b"\x01\x0d" for chunk in kept):
        note("what it says of its colours by cICP was passed over")
    if len(kept) < len(met):
        rest = data[met[-1].end + 4 :]  # a part that is not whole
        data = b"".join([SIGNATURE, *(data[chunk.start : chunk.end + 4] for chunk in kept), rest])
    if met and met[0].kind == b"IHDR" and all(chunk.kind != b"IEND" for chunk in met):
        return _with_last_rows(data, note)
    return data


def _fits(chunk: Chunk, data: bytes, met: Sequence[Chunk]) -> bool:
    """Whether one of COLOURS holds what its kind does, in a picture of this colour type and palette."""
    body, colour = data[chunk.start + 8 : chunk.end], data[25]
    if chunk.kind == b"tRNS":
        palette = next(((other.end - other.start - 8) // 3 for other in met if other.kind == b"PLTE"), 0)
        return 0 < len(body) <= palette if colour == 3 else len(body) >= {0: 2, 2: 6}.get(colour, math.inf)
    if chunk.kind != b"iCCP":
        return len(body) == COLOURS[chunk.kind]
    _, _, packed = body.partition(b"\0")
    try:
        unpacked = zlib.decompressobj().decompress(packed[1:], MAX_UNPACKED + 1)
    except zlib.error:
        return False
    return packed[:1] == b"\0" and 0 < len(unpacked) <= MAX_UNPACKED


def _with_last_rows(data: bytes, note: Note) -> bytes:
    """A PNG that ends within its pixels, with white or transparent rows for the missing ones if they are few."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    begin = data.find(b"IDAT") - 4
    row = 1 + (width * CHANNELS.get(colour, 4) * depth + 7) // 8
    if interlaced or begin < 0 or height * row > 1 << 28:
        return data
    position, pieces = begin, []
    while data[position + 4 : position + 8] == b"IDAT":
        length = int.from_bytes(data[position : position + 4], "big")
        pieces.append(data[position + 8 : position + 8 + length])
        position += length + 12
    try:
        rows = zlib.decompressobj().decompress(b"".join(pieces), height * row)
    except zlib.error:
        return data
    missing = height - len(rows) // row
    if not missing or not tolerable(missing, height):
        return data
    note(f"its last {missing} rows are missing")
    empty = b"\0" + (b"\xff" if colour in {0, 2} else b"\0") * (row - 1)  # white, or nothing
    rows = rows[: (height - missing) * row] + missing * empty
    body = b"IDAT" + zlib.compress(rows, 1)
    whole = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:begin] + whole + bytes.fromhex("0000000049454e44ae426082")

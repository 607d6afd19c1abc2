"""Formats that everybody uses, as one file cut at bytes: progressive JPEG, and JPEG 2000 in quality layers.

    rgb ── encode once ──► file ── first n bytes ──► repaired by the decoder ──► picture

A cut file is what a slow line has brought so far. What a decoder must add (an end marker, a length that says "until the
end") is known without the missing bytes, is added when decoding, and counts for nothing. JPEG is cut anywhere. JPEG 2000
is cut after whole packets, as servers of such files do: OpenJPEG, as Pillow calls it, shows nothing of a broken one.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, features

from hiercodec.errors import CorruptStream
from hiercodec.evaluation.codecs.peers import JPEG2000, cut_shares
from hiercodec.images import encode_as
from hiercodec.protocols import OperatingPoint

POINTS = 8
LAYERS = tuple(400 / 1.3**i for i in range(12))
"""Compression ratios at which the quality layers of the JPEG 2000 file end: 400 to 22, or 0.06 to 1.1 bpp."""

_END = b"\xff\xd9"
_TILE, _PACKET_LENGTHS, _DATA = b"\xff\x90", b"\xff\x58", b"\xff\x93"  # JPEG 2000's SOT, PLT, SOD
_TILE_HEADER = 12


def jpeg(data: bytes) -> Image.Image:
    """A progressive JPEG of which the first bytes are there; `CorruptStream` where they show nothing."""
    ends = [len(data)]
    while (start := max(data.rfind(marker, 0, ends[-1]) for marker in (b"\xff\xc4", b"\xff\xda"))) > 0:
        ends.append(start)
    for end in ends:
        try:
            image = Image.open(io.BytesIO(data[:end] + _END), formats=["JPEG"])
            image.load()
        except (OSError, SyntaxError):  # the cut is inside a marker's own bytes: what is before it still decodes
            continue
        return image
    raise CorruptStream("a cut JPEG ends before its first scan", offset=len(data))


def jpeg2000(data: bytes) -> Image.Image:
    """A JPEG 2000 codestream of one tile that ends after a whole packet; `CorruptStream` for anything else."""
    tile = data.find(_TILE)
    whole = data if data.endswith(_END) else data + _END
    if tile < 0 or len(data) < tile + _TILE_HEADER:
        raise CorruptStream("a cut JPEG 2000 file ends before its first packet", offset=len(data))
    length = struct.pack(">I", len(whole) - tile - len(_END))
    try:
        image = Image.open(io.BytesIO(whole[: tile + 6] + length + whole[tile + 10 :]), formats=["JPEG2000"])
        image.load()
    except (OSError, SyntaxError):
        raise CorruptStream("a cut JPEG 2000 file ends inside a packet", offset=len(data)) from None
    return image


def packets(data: bytes) -> list[int]:
    """Lengths of a JPEG 2000 codestream's packets, in bytes, from the markers that an encoder was asked to put in."""
    position, lengths, value = data.index(_TILE) + _TILE_HEADER, [], 0
    while (marker := data[position : position + 2]) != _DATA:
        (size,) = struct.unpack_from(">H", data, position + 2)
        for byte in data[position + 5 : position + 2 + size] if marker == _PACKET_LENGTHS else b"":
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                lengths.append(value)
                value = 0
        position += 2 + size
    return lengths


@dataclass(frozen=True, slots=True)
class CutFile:
    """A format whose one file is cut at shares of its bytes; where a cut shows nothing, the picture is grey.

    `asked` are options that make a file say where it may be cut, for `ends`; the file that is cut and counted is made
    without them.
    """

    name: str
    title: str
    format: str
    feature: str
    options: Mapping[str, Any]
    decode: Callable[[bytes], Image.Image]
    asked: Mapping[str, Any] | None = None

    def encode(self, rgb: np.ndarray, **more: Any) -> bytes:
        """uint8 (H, W, 3) → the whole file."""
        return encode_as(rgb, self.format, **self.options, **more)

    def ends(self, rgb: np.ndarray, data: bytes) -> Sequence[int]:
        """Lengths at which the picture's file may be cut, shortest first."""
        if self.asked is None:
            return range(len(data) + 1)
        start = data.index(_DATA) + len(_DATA)
        told = packets(self.encode(rgb, **self.asked))
        return [*itertools.accumulate(told[:-1], initial=start), len(data)]

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """The cuts of one picture's file, fewest bytes first."""
        data = self.encode(rgb)
        ends = np.asarray(self.ends(rgb, data))
        for share in [*cut_shares(POINTS - 1), 1.0]:
            length = int(ends[max(0, np.searchsorted(ends, round(share * len(data)), side="right") - 1)])
            yield OperatingPoint(f"{share:.1%}", length, self._shown(data[:length], rgb.shape))

    def provenance(self) -> dict[str, Any]:
        """The encoder's version and options."""
        return {"encoder": features.version(self.feature), "options": [dict(self.options)]}

    def _shown(self, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        try:
            return np.array(self.decode(data).convert("RGB"))
        except CorruptStream:
            return np.full(shape, 128, np.uint8)


CUT_FILES = {
    peer.name: peer
    for peer in (
        CutFile(
            "jpeg-cut", "JPEG, cut", "JPEG", "jpg", {"quality": 40, "progressive": True, "optimize": True}, jpeg
        ),
        CutFile(
            "jpeg2000-cut", "JPEG 2000, cut", "JPEG2000", "jpg_2000",
            {**JPEG2000, "quality_layers": LAYERS, "progression": "LRCP"}, jpeg2000, asked={"plt": True},
        ),
    )
}  # fmt: skip
"""The formats that can be cut. (JPEG XL can, but no decoder that is packaged for Python shows a part of a file.)"""

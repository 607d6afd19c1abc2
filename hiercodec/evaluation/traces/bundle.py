"""A trace with its pixels in one file: what the app shows without running a codec.

    NAME.zip   trace.json · stream.hc · original.webp · bits.webp · 000.webp, 001.webp, …      (WebP is lossless here)

000.webp is the first frame; each later file holds what changed since the frame before, (new − old + 128) mod 256, which
is a quarter smaller than the frames themselves. bits.webp says where the bits went: the latent grids of all steps, one
under the other, with each position's bits so far, in eighths, as 256·red + green. Entries are stored, not compressed
again, with fixed dates, so that the same content gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from hiercodec.errors import InputError
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.fsio import locate, write_bytes
from hiercodec.images import encode_png

if TYPE_CHECKING:
    from hiercodec.models.common import Decoded

TRACES = locate("traces")
"""The bundles of the samples, which `python -m tools.assets traces` makes of the shipped weights, judge and hierarchy."""

MAX_BYTES = 64 * 2**20
WEBP_SIDE = 16_383
"""Pixels a side that WebP can hold; longer pictures are kept as PNG, under the same names."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trace, the whole stream, and lossless WebP files: the original, the first frame, every later frame's change, and
    the bits at every position of every step (see above)."""

    trace: Trace
    stream: bytes
    original: bytes
    changes: tuple[bytes, ...]
    bits: bytes

    def frames(self) -> list[np.ndarray]:
        """Every frame as uint8[H, W, 3], exactly what the decoder gave."""
        frames = [from_webp(self.changes[0])]
        for change in self.changes[1:]:
            frames.append(frames[-1] + from_webp(change) - np.uint8(128))
        return frames

    def pixels(self, index: int) -> np.ndarray:
        """Frame `index`, uint8[H, W, 3]."""
        return dataclasses.replace(self, changes=self.changes[: index + 1]).frames()[-1]

    def original_pixels(self) -> np.ndarray:
        """The picture that was encoded, uint8[H, W, 3]."""
        return from_webp(self.original)

    def bit_maps(self) -> np.ndarray:
        """Bits that each position of the latent grid has cost so far, float64[steps, h, w], to an eighth of a bit."""
        high, low = np.moveaxis(from_webp(self.bits), 2, 0)[:2].astype(np.float64)
        return ((256 * high + low) / 8).reshape(len(self.trace.steps), -1, high.shape[1])


class Seen(NamedTuple):
    """What a bundle keeps of a decoded prefix: the picture, uint8[H, W, 3], and the bits at every position."""

    image: np.ndarray
    bits: np.ndarray | None


def make(trace: Trace, stream: bytes, rgb: np.ndarray, decoded: Sequence[Decoded], *, effort: int = 0) -> Bundle:
    """Pack what was decoded at each step; `effort` 0 (fast, for a visitor's photo) … 6 (small, for shipping)."""
    maps = np.stack([np.asarray(result.bits) for result in decoded])
    return _pack(trace, stream, to_webp(rgb, effort), [result.image for result in decoded], maps, effort)


def refined(bundle: Bundle, trace: Trace, decoded: Mapping[int, Decoded | Seen]) -> Bundle:
    """The bundle of `trace`, which has the bundle's steps and, by their bytes, those in `decoded`."""
    old = zip(bundle.trace.steps, bundle.frames(), bundle.bit_maps(), strict=True)
    pictures = {step.bytes: (frame, bits) for step, frame, bits in old}
    pictures |= {n_bytes: (result.image, result.bits) for n_bytes, result in decoded.items()}
    frames, maps = zip(*(pictures[step.bytes] for step in trace.steps), strict=True)
    return _pack(trace, bundle.stream, bundle.original, frames, np.stack(maps), effort=0)


def _pack(
    trace: Trace, stream: bytes, original: bytes, frames: Sequence[np.ndarray], maps: np.ndarray, effort: int
) -> Bundle:
    if not len(frames) == len(maps) == len(trace.steps):
        raise ValueError(f"{len(frames)} frames and {len(maps)} bit maps for {len(trace.steps)} steps")
    changes = [frames[0], *(new - old + np.uint8(128) for old, new in itertools.pairwise(frames))]
    # No position can overflow: 320 symbols of at most 24 bits are 61 440 eighths.
    eighths = np.rint(8 * maps).astype(np.uint16).reshape(-1, maps.shape[2])
    bits = np.stack([eighths >> 8, eighths & 255, np.zeros_like(eighths)], 2).astype(np.uint8)
    return Bundle(trace, stream, original, tuple(to_webp(change, effort) for change in changes), to_webp(bits, effort))


def to_webp(rgb: np.ndarray, effort: int = 0) -> bytes:
    """Lossless WebP of uint8[H, W, 3]; PNG where a side is longer than WebP allows."""
    if max(rgb.shape[:2]) > WEBP_SIDE:
        return encode_png(rgb)
    out = io.BytesIO()
    quality = 100 if effort >= 6 else 50
    Image.fromarray(rgb).save(out, "WEBP", lossless=True, quality=quality, method=effort, exact=True)
    return out.getvalue()


def from_webp(data: bytes) -> np.ndarray:
    """uint8[H, W, 3] of one of our own files."""
    with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as image:
        return np.asarray(image.convert("RGB"))


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle whole or not at all."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        entries = {
            "trace.json": json.dumps(bundle.trace.to_json(), ensure_ascii=False, separators=(",", ":")).encode(),
            "stream.hc": bundle.stream,
            "original.webp": bundle.original,
            "bits.webp": bundle.bits,
            **{f"{index:03d}.webp": frame for index, frame in enumerate(bundle.changes)},
        }
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    write_bytes(path, out.getvalue(), parents=True)


def read(path: Path) -> Bundle:
    """Read a bundle; `InputError` if it is missing, damaged or of another schema."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name}: larger than a trace can be")
        with zipfile.ZipFile(path) as archive:
            trace = Trace.from_json(json.loads(archive.read("trace.json")))
            changes = tuple(archive.read(f"{index:03d}.webp") for index in range(len(trace.steps)))
            stream, original, bits = (archive.read(name) for name in ("stream.hc", "original.webp", "bits.webp"))
            return Bundle(trace, stream, original, changes, bits)
    except FileNotFoundError:
        raise InputError(f"no trace at {path.name}; make it with: python -m tools.assets traces") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is not a trace this release reads ({error})") from None

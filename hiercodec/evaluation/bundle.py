"""A trace with its pixels in one file: what the app shows without running a codec.

    NAME.zip   trace.json · stream.hc · original.webp · 000.webp, 001.webp, …      (WebP is lossless here)

Entries are stored, not compressed again, with fixed dates, so that the same content gives the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hiercodec.errors import InputError
from hiercodec.evaluation.trace import Trace

MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trace, the whole stream, the original and every frame as lossless WebP files."""

    trace: Trace
    stream: bytes
    original: bytes
    frames: tuple[bytes, ...]

    def pixels(self, index: int) -> np.ndarray:
        """Frame `index` as uint8[H, W, 3], exactly what the decoder gave."""
        return from_webp(self.frames[index])

    def original_pixels(self) -> np.ndarray:
        """The picture that was encoded, uint8[H, W, 3]."""
        return from_webp(self.original)


def make(trace: Trace, stream: bytes, rgb: np.ndarray, frames: Sequence[np.ndarray], *, effort: int = 0) -> Bundle:
    """Pack frames losslessly; `effort` 0 (fast, for a visitor's photo) … 6 (small, for shipping)."""
    if len(frames) != len(trace.steps):
        raise ValueError(f"{len(frames)} frames for {len(trace.steps)} steps")
    return Bundle(trace, stream, to_webp(rgb, effort), tuple(to_webp(frame, effort) for frame in frames))


def to_webp(rgb: np.ndarray, effort: int = 0) -> bytes:
    """Lossless WebP of uint8[H, W, 3]."""
    out = io.BytesIO()
    quality = 100 if effort >= 6 else 50
    Image.fromarray(rgb).save(out, "WEBP", lossless=True, quality=quality, method=effort, exact=True)
    return out.getvalue()


def from_webp(data: bytes) -> np.ndarray:
    """uint8[H, W, 3] of one of our own WebP files."""
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        return np.asarray(image.convert("RGB"))


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle whole or not at all."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        entries = {
            "trace.json": json.dumps(bundle.trace.to_json(), ensure_ascii=False, separators=(",", ":")).encode(),
            "stream.hc": bundle.stream,
            "original.webp": bundle.original,
            **{f"{index:03d}.webp": frame for index, frame in enumerate(bundle.frames)},
        }
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".part{os.getpid()}")
    try:
        part.write_bytes(out.getvalue())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> Bundle:
    """Read a bundle; `InputError` if it is missing, damaged or of another schema."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name}: larger than a trace can be")
        with zipfile.ZipFile(path) as archive:
            trace = Trace.from_json(json.loads(archive.read("trace.json")))
            frames = tuple(archive.read(f"{index:03d}.webp") for index in range(len(trace.steps)))
            return Bundle(trace, archive.read("stream.hc"), archive.read("original.webp"), frames)
    except FileNotFoundError:
        raise InputError(f"no trace at {path.name}; make it with: python -m hiercodec.evaluation.ship") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is not a trace this release reads ({error})") from None

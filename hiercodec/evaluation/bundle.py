"""A trace with its pixels in one file: what the app shows without running a codec.

    NAME.zip   trace.json · stream.hc · original.webp · 000.webp, 001.webp, …      (WebP is lossless here)

000.webp is the first frame; each later file holds what changed since the frame before, (new − old + 128) mod 256, which
is a quarter smaller than the frames themselves. Entries are stored, not compressed again, with fixed dates, so that the
same content gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hiercodec.errors import InputError
from hiercodec.evaluation.trace import Trace
from hiercodec.fsio import write_bytes

MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trace, the whole stream, the original, the first frame and every later frame's change as lossless WebP files."""

    trace: Trace
    stream: bytes
    original: bytes
    changes: tuple[bytes, ...]

    def frames(self) -> list[np.ndarray]:
        """Every frame as uint8[H, W, 3], exactly what the decoder gave."""
        found = [from_webp(self.changes[0])]
        for change in self.changes[1:]:
            found.append(found[-1] + from_webp(change) - np.uint8(128))
        return found

    def pixels(self, index: int) -> np.ndarray:
        """Frame `index`, uint8[H, W, 3]."""
        return dataclasses.replace(self, changes=self.changes[: index + 1]).frames()[-1]

    def original_pixels(self) -> np.ndarray:
        """The picture that was encoded, uint8[H, W, 3]."""
        return from_webp(self.original)


def make(trace: Trace, stream: bytes, rgb: np.ndarray, frames: Sequence[np.ndarray], *, effort: int = 0) -> Bundle:
    """Pack frames losslessly; `effort` 0 (fast, for a visitor's photo) … 6 (small, for shipping)."""
    if len(frames) != len(trace.steps):
        raise ValueError(f"{len(frames)} frames for {len(trace.steps)} steps")
    changes = [frames[0], *(new - old + np.uint8(128) for old, new in itertools.pairwise(frames))]
    return Bundle(trace, stream, to_webp(rgb, effort), tuple(to_webp(change, effort) for change in changes))


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
            **{f"{index:03d}.webp": frame for index, frame in enumerate(bundle.changes)},
        }
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, out.getvalue())


def read(path: Path) -> Bundle:
    """Read a bundle; `InputError` if it is missing, damaged or of another schema."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name}: larger than a trace can be")
        with zipfile.ZipFile(path) as archive:
            trace = Trace.from_json(json.loads(archive.read("trace.json")))
            changes = tuple(archive.read(f"{index:03d}.webp") for index in range(len(trace.steps)))
            return Bundle(trace, archive.read("stream.hc"), archive.read("original.webp"), changes)
    except FileNotFoundError:
        raise InputError(f"no trace at {path.name}; make it with: python -m hiercodec.evaluation.ship") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is not a trace this release reads ({error})") from None

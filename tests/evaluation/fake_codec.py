"""A codec and a classifier with the real ones' interface that take milliseconds: pictures shrunk 16, 8, 4 and 2 times.

The stream is a real `.hc` stream; a prefix decodes to the finest picture of which it holds a row.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
from PIL import Image

from hiercodec import stream
from hiercodec.levels import PAPER_PLAN

FACTORS = (16, 8, 4, 2)


class FakeCodec:
    """`encode` and `decode` as `hiercodec.models.Codec` has them."""

    name = "fake"
    fingerprint = b"FAKE"
    plan = PAPER_PLAN
    device = "cpu"
    card: ClassVar[dict] = {}

    def encode(self, rgb: np.ndarray, *, label: stream.Label | None = None, **options) -> bytes:
        height, width = rgb.shape[:2]
        image = Image.fromarray(rgb)
        small = [
            np.asarray(image.resize((-(-width // f), -(-height // f)), Image.Resampling.BOX)).tobytes() for f in FACTORS
        ]
        header = stream.Header(width, height, self.fingerprint, mark=label.mark if label else None)
        return stream.write(header, small[0], small[1:], [0, 0, 0], label=label.payload if label else b"")

    def decode(self, data: bytes | stream.Stream, *, bit_map: bool = False) -> SimpleNamespace:
        parsed = stream.parse(data)
        width, height = parsed.header.width, parsed.header.height
        shown = np.full((height, width, 3), 128, np.uint8)
        fraction = 0.0
        for factor, section in zip(FACTORS, (parsed.z, *parsed.blocks), strict=True):
            columns = -(-width // factor)
            rows = min(-(-height // factor), section.available // (3 * columns))
            if rows:
                part = np.frombuffer(section.payload[: rows * columns * 3], np.uint8).reshape(rows, columns, 3)
                grown = np.asarray(Image.fromarray(part).resize((width, min(height, rows * factor))))
                shown[: grown.shape[0]] = grown
            if section.name != "z" and not section.complete:
                fraction = section.available / max(1, section.length)
                break
        fraction = 1.0 if parsed.complete else fraction
        grid = -(-height // 16), -(-width // 16)
        payload = 8 * sum(section.available for section in parsed.blocks)
        bits = np.full(grid, payload / (grid[0] * grid[1])) if bit_map else None  # spread evenly
        return SimpleNamespace(
            image=shown, level=parsed.level, fraction=fraction, complete=parsed.complete, bytes=parsed.size, bits=bits
        )

    def prefixes(self, data: bytes | stream.Stream, *, bit_map: bool = False) -> SimpleNamespace:
        parsed = stream.parse(data)

        def at(n_bytes: int | None = None) -> SimpleNamespace:
            return self.decode(parsed.cut(n_bytes), bit_map=bit_map)

        return SimpleNamespace(at=at, each=lambda lengths: map(at, lengths), stream=parsed)


class FakeClassifier:
    """Probabilities over 1000 classes that depend on the picture's mean colour; counts its calls."""

    name = "fake classifier"
    weights_id = "0123abcd"
    sha256 = "0123abcd" + 56 * "0"
    temperature = 1.0

    def __init__(self) -> None:
        self.calls = 0

    def probabilities(self, images: list[np.ndarray]) -> np.ndarray:
        self.calls += 1
        means = np.array([image.mean() for image in images])
        logits = -np.abs(np.arange(1000)[None, :] - 4 * means[:, None]) / 20
        p = np.exp(logits)
        return (p / p.sum(1, keepdims=True)).astype(np.float32)

"""Colours as they were meant: profiles in files, and a PNG's gamma and primaries, become sRGB, as in browsers.

A profile that says what sRGB says changes no pixel; one that cannot be read, or is for other pictures, is said.
"""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import numpy as np
from PIL import Image

from hiercodec.images.mending import Note

SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Colour space of a profile → mode of a picture that it is for."""

MAX_PROFILE = 4 * 2**20
"""Bytes of a profile; those of printers have about a million."""

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""x, y of white, red, green and blue."""
PLAIN_GAMMA = 0.45455
"""The gamma that stands for sRGB where nothing else is said."""

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""XYZ → the responses that white is adapted in (ICC.1:2022, E.3)."""


def to_srgb(picture: Image.Image, info: dict, note: Note) -> Image.Image:
    """A picture in mode L, RGB or CMYK in sRGB, by the profile that Pillow found in its file (`info`), or by its gamma."""
    profile = info.get("icc_profile")
    if profile is None and "srgb" not in info:
        profile = _of_gamma(info.get("gamma"), info.get("chromaticity"), note)
    if not profile:
        return picture
    try:
        return _transformed(picture, bytes(profile))
    except Exception as error:  # a library on foreign bytes: whatever it raises, the pixels are there
        note(f"its colour profile cannot be used ({error or type(error).__name__}), and its colours are taken for sRGB")
        return picture


def _transformed(picture: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    if len(profile) > MAX_PROFILE:
        raise ValueError(f"it has {len(profile)} bytes")
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    described: Any = opened.profile
    space = described.xcolor_space.strip()
    if SPACES.get(space) == "RGB" and picture.mode == "L":
        picture = picture.convert("RGB")
    if SPACES.get(space) != picture.mode:
        raise ValueError(f"it is for {space or 'nothing'}, the picture is {picture.mode}")
    if _changes_nothing(profile, picture.mode):
        return picture
    return ImageCms.applyTransform(picture, _transform(opened, picture.mode)) or picture


def _transform(profile, mode: str):
    """By the perceptual intent, black to black: what browsers do."""
    from PIL import ImageCms

    return ImageCms.buildTransform(
        profile, ImageCms.createProfile("sRGB"), mode, "RGB",
        ImageCms.Intent.PERCEPTUAL, ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip


@functools.lru_cache(maxsize=8)
def _changes_nothing(profile: bytes, mode: str) -> bool:
    """Whether a profile means sRGB: then it would move samples by rounding alone, and does not."""
    from PIL import ImageCms

    if mode == "CMYK":
        return False
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = Image.fromarray(grid if mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
    after = ImageCms.applyTransform(probe, _transform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), mode))
    assert after is not None
    return int(np.abs(np.asarray(after, int) - np.asarray(probe.convert("RGB"), int)).max()) <= 1


def _of_gamma(gamma: float | None, chromaticity: tuple[float, ...] | None, note: Note) -> bytes:
    """The profile that a PNG's gAMA and cHRM mean; empty where they mean sRGB. Primaries alone mean nothing to browsers."""
    if gamma is None or (chromaticity is None and abs(gamma - PLAIN_GAMMA) < 0.005):
        return b""
    try:
        return matrix_profile(1 / gamma, chromaticity or SRGB)
    except (ArithmeticError, ValueError, struct.error):
        note("its gamma or primaries cannot be right, and its colours are taken for sRGB")
        return b""


def matrix_profile(exponent: float, chromaticity: tuple[float, ...]) -> bytes:
    """An ICC profile (version 4.3) of a display: light = sample ** `exponent`, primaries as `SRGB`.

    Raises `ValueError` or `ArithmeticError` where no display has such primaries.
    """
    x, y = np.array(chromaticity, float).reshape(4, 2).T
    if not (y > 0).all() or not 0 < exponent < 100:
        raise ValueError("no such display")
    white, primaries = (np.stack([x, y, 1 - x - y]) / y).T[0], (np.stack([x, y, 1 - x - y]) / y)[:, 1:]
    scale = np.linalg.solve(primaries, white)
    adapted = np.linalg.solve(BRADFORD, np.diag(BRADFORD @ D50 / (BRADFORD @ white)) @ BRADFORD)
    columns = (adapted @ primaries @ np.diag(scale)).T

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))

    curve = b"para" + bytes(8) + fixed(exponent)
    bodies = [
        (name, b"XYZ " + bytes(4) + fixed(*xyz)) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    ]
    bodies += [(b"wtpt", b"XYZ " + bytes(4) + fixed(*D50)), *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC"))]
    table, payload = struct.pack(">I", len(bodies)), b""
    for name, body in bodies:
        table += name + struct.pack(">II", 128 + 4 + 12 * len(bodies) + len(payload), len(body))
        payload += body
    total = 128 + len(table) + len(payload)
    header = struct.pack(">I4x4s", total, b"\x04\x30\0\0") + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    return (header + fixed(*D50)).ljust(128, b"\0") + table + payload

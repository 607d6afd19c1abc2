"""Tasks of the Failures page: photographs as rows, what stress makes of samples, and where a classifier looks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from hiercodec.images import encode_png, read_within, resize_to
from hiercodec.workers import tasks
from hiercodec.workers.tasks import Tell

CUTS = 5
"""Shares of a file that are looked at, besides the ends of its levels."""

THUMBNAIL = 176
"""Longest side of a small picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What photographs are measured with: a codec's name, classifiers' specifications, a hierarchy's name."""

    model: str
    judges: tuple[str, ...]
    hierarchy: str


@dataclass(frozen=True, slots=True)
class Traced:
    """One photograph: its name, its rows and what a file of them would say of them, the PNG that was encoded, a small
    picture of every cut, by its setting, and what was mended in its file, in words."""

    name: str
    rows: list[dict[str, Any]]
    meta: dict[str, Any]
    png: bytes
    thumbnails: dict[str, bytes]
    note: str = ""


def small(rgb: np.ndarray) -> bytes:
    """A small WebP of uint8 (H, W, 3), to find a photograph by; not what its pixels are judged by."""
    out = io.BytesIO()
    Image.fromarray(resize_to(rgb, THUMBNAIL)).save(out, "WEBP", quality=80)
    return out.getvalue()


def traced(measure: Measure, name: str, content: bytes, label: int, side: int, *, tell: Tell) -> Traced:
    """A photograph's file (untrusted bytes), of class `label` (−1: unknown), at most `side` pixels a side, as rows."""
    from hiercodec.evaluation.measure import ORIGINAL, Row
    from hiercodec.evaluation.results.records import records

    words: list[str] = []
    rgb = read_within(content, side, note=words.append)
    peer, judges = _instruments(measure)
    thumbnails: dict[str, bytes] = {}

    def look(row: Row) -> None:
        if row.peer != ORIGINAL:
            thumbnails[row.point.setting] = small(row.point.picture)

    rows = list(records(name, rgb, label, [peer], judges, seen=look))
    return Traced(name, rows, _metadata(measure, peer, judges), encode_png(rgb), thumbnails, "; ".join(words))


def under_stress(rgb: np.ndarray, stress: str, *, tell: Tell) -> bytes:
    """The PNG of uint8 (H, W, 3) under one stress (see `evaluation.stress`)."""
    from hiercodec.evaluation.stress import stressed

    return encode_png(stressed(rgb, stress))


def pictures_under_stress(rgb: np.ndarray, stresses: Sequence[str], *, tell: Tell) -> dict[str, bytes]:
    """Stress → a small picture of uint8 (H, W, 3) under it."""
    from hiercodec.evaluation.stress import stressed

    return {stress: small(stressed(rgb, stress)) for stress in stresses}


def _instruments(measure: Measure) -> tuple[Any, list[Any]]:
    from hiercodec.evaluation.codecs.peers import HierPeer, shares_and_ends

    peer = HierPeer(tasks.codec_for(None, measure.model), shares_and_ends(CUTS), measure.model)
    judges = [tasks.evaluator_of((spec, measure.hierarchy)) for spec in measure.judges]
    return peer, [judge for judge in judges if judge is not None]


def _metadata(measure: Measure, peer: Any, judges: Sequence[Any]) -> dict[str, Any]:
    from hiercodec.evaluation.provenance import provenance

    return {
        "levels": {level.name: level.k for level in tasks.load_hierarchy(measure.hierarchy).levels},
        "data": {"name": "your photographs"},
        "crop": None,
        "command": "",
        "provenance": provenance([peer], judges),
    }

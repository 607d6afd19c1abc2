"""Results over a data set: rows gathered by setting, and the results file made of them.

Every rate is that of real bytes, container included. PSNR is the mean of the photographs' PSNRs. Accuracy at a level is
the share of photographs whose likeliest group (summed softmax mass) is that of the true class; where a photograph has no
label, the classifier's own answer on the original stands in and the result says `agreement` instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec.evaluation.dataset import Photos
from hiercodec.evaluation.measure import ORIGINAL, Judging, Row, measure_peers
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.provenance import provenance
from hiercodec.images import centre_crop
from hiercodec.protocols import Peer

SCHEMA = 1


@dataclass(slots=True)
class Column:
    """What one setting of one peer gave, a value a photograph; `hits` and `wup` by classifier (and level)."""

    bpp: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    hits: dict[str, dict[str, list[bool]]] = field(default_factory=dict)
    wup: dict[str, list[float]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take in a row; its pictures are not kept."""
        self.bpp.append(row.bpp)
        self.psnr.append(row.psnr)
        for name, verdict in row.verdicts.items():
            for level, hit in verdict.hits.items():
                self.hits.setdefault(name, {}).setdefault(level, []).append(hit)
            if (wup := verdict.wup) is not None:
                self.wup.setdefault(name, []).append(wup)


Columns = dict[tuple[str, str], Column]
"""(peer, setting) → its column, in the order they were first seen."""


def gather(
    photos: Photos,
    peers: Sequence[Peer],
    judges: Sequence[Judging] = (),
    *,
    crop: int | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
    seen: Callable[[Row], object] = lambda row: None,
) -> Columns:
    """Measure every peer on every photograph; `progress(done, total)` after each, `seen` takes every row as it is made.

    `crop` takes the central square of that side first.
    """
    columns: Columns = {}
    for done, (rgb, label) in enumerate(zip(photos.pixels, photos.labels, strict=True), start=1):
        for row in measure_peers(centre_crop(rgb, crop) if crop else rgb, int(label), peers, judges):
            columns.setdefault((row.peer, row.point.setting), Column()).add(row)
            seen(row)
        progress(done, len(photos))
    return columns


def evaluate(
    photos: Photos,
    peers: Sequence[Peer],
    judges: Sequence[Judging] = (),
    *,
    crop: int | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> dict[str, Any]:
    """Results (plain data) of every peer on every photograph; arguments as those of `gather`."""
    started = time.monotonic()
    columns = gather(photos, peers, judges, crop=crop, progress=progress)
    original = columns.pop((ORIGINAL, ""))
    kind = "top1" if (photos.labels >= 0).all() else "agreement"
    return {
        "schema": SCHEMA,
        "photos": len(photos),
        "labelled": int((photos.labels >= 0).sum()),
        "crop": crop,
        "seconds": round(time.monotonic() - started, 1),
        "groups": {level.name: level.k for judge in judges[:1] for level in judge.hierarchy.levels},
        "provenance": provenance(peers, judges),
        "uncompressed": _accuracy(original, kind),
        "points": [
            {"codec": peer, "setting": setting, **_rate_and_quality(column), **_accuracy(column, kind)}
            for (peer, setting), column in columns.items()
        ],
    }


def _rate_and_quality(column: Column) -> dict[str, float]:
    return {
        "bpp": round(float(np.mean(column.bpp)), 5),
        "bpp_std": round(float(np.std(column.bpp)), 5),
        "psnr": round(float(np.mean(column.psnr)), 4),
        "psnr_std": round(float(np.std(column.psnr)), 4),
    }


def _accuracy(column: Column, kind: str) -> dict[str, Any]:
    """{"accuracy": classifier → level → share and its 95 % interval}; empty without a classifier."""
    found = {name: {level: _share(hits, kind) for level, hits in rows.items()} for name, rows in column.hits.items()}
    return {"accuracy": found} if found else {}


def _share(hits: Sequence[bool], kind: str) -> dict[str, float]:
    low, high = wilson(sum(hits), len(hits))
    return {kind: round(sum(hits) / len(hits), 5), "low": round(low, 5), "high": round(high, 5)}

"""Rows gathered in memory by setting, for training's validation and ablations; `evaluation.rows` are what is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hiercodec.evaluation.measure import Judging, Row, measure_peers
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.images import centre_crop
from hiercodec.protocols import Peer

LEAST = 1e-4
"""The least probability that counts: one that is next to nothing tells no less than another."""


@dataclass(slots=True)
class Column:
    """What one setting of one peer gave, a value a photograph; `hits`, `told` and `wup` by classifier (and level).

    `told` is log2 of the probability of what is right, in bits, not below that of `LEAST` (no label is meant here).
    """

    bpp: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    hits: dict[str, dict[str, list[bool]]] = field(default_factory=dict)
    told: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    wup: dict[str, list[float]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take in a row; its pictures are not kept."""
        self.bpp.append(row.bpp)
        self.psnr.append(row.psnr)
        for name, verdict in row.verdicts.items():
            for level, hit in verdict.hits.items():
                self.hits.setdefault(name, {}).setdefault(level, []).append(hit)
            for level, groups in verdict.right.items():
                chance = max(LEAST, float(verdict.masses[level][list(groups)].sum()))
                self.told.setdefault(name, {}).setdefault(level, []).append(math.log2(chance))
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

"""What several tools share: where streams are cut, and photographs whose class is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hiercodec import stream
from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos import labels
from hiercodec.evaluation.photos.dataset import Photos, load_photos


def halved_blocks(parsed: stream.Stream) -> dict[str, int]:
    """Cut at half of every block's payload and at its end: "coarse 50 %", "coarse 100 %", …"""
    lengths = {}
    for block in parsed.blocks:
        lengths[f"{block.name} 50 %"] = block.end - len(block.payload) // 2
        lengths[f"{block.name} 100 %"] = block.end
    return lengths


def labelled_photos(sources: Sequence[str | Path], *, sample: int | None = None, how: str = labels.AUTO) -> Photos:
    """The photographs with a class, or `sample` of them evenly spread, that can be used; `ConfigError` below two."""
    photos = load_photos(sources, how=how)
    photos = photos.take(np.flatnonzero(photos.labels >= 0))
    photos = (photos.spread(sample) if sample else photos).usable()
    if len(photos) < 2:
        raise ConfigError("this needs at least two labelled photographs: wnid folders give labels, or --labels")
    return photos

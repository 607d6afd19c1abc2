"""Validation by real files: what held-out photographs cost and how they look and classify at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hiercodec.evaluation.codecs.peers import HierPeer, Prefix
from hiercodec.evaluation.measure import Judging, Row
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.results.gather import gather
from hiercodec.evaluation.results.table import right, tables
from hiercodec.protocols import Codec
from hiercodec.training.config import TrainConfig

if TYPE_CHECKING:
    import torch

    from hiercodec.training.wave.config import WaveConfig


def judge_of(config: TrainConfig | WaveConfig, device: str | torch.device | None = None) -> Judging:
    """The first classifier of a run's loss and its hierarchy, as photographs are judged by them. Loads a copy of its own."""
    from hiercodec.classify import load_classifier
    from hiercodec.taxonomy import load_hierarchy

    return Judging(load_classifier(config.classifiers[0], device=device), load_hierarchy(config.hierarchy))


def validate(codec: Codec, photos: Photos, judging: Judging | None, *, limit: int, side: int = 224) -> dict:
    """Encode the centre of up to `limit` photographs and decode every complete prefix.

    Returns per level `bpp` (file bytes, header and z included), `psnr` (dB, mean over photographs) and, with a classifier,
    `agreement`: how often the level's winner is right (without a label: that of the original); `z_share` is z's part of
    the coarse prefix.
    """
    photos, peer = photos.spread(limit), HierPeer(codec)
    z_shares: list[float] = []

    def note_z(row: Row) -> None:
        if isinstance(row.point, Prefix) and row.point.setting == codec.plan.names[0]:
            z_shares.append(row.point.whole.parts()["z"] / row.point.bytes)

    rows = gather(photos, [peer], [judging] if judging else [], crop=side, seen=note_z)
    table = tables(rows, judging.classifier.name if judging else "")[peer.name]
    figures = {"bpp": table.bpp, "psnr": table.psnr}
    levels = {}
    for name in codec.plan.names:
        at = table.settings.index(name)
        own = {**figures, "agreement": table.measure(right(name))} if judging else figures
        levels[name] = {key: round(float(values[:, at].mean()), 4) for key, values in own.items()}
    return {"levels": levels, "z_share": round(float(np.mean(z_shares)), 4), "photos": len(photos)}

"""What training of both families shares: photographs, frozen classifiers, the card, and validation by real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from hiercodec.evaluation.codecs.peers import HierPeer, Prefix
from hiercodec.evaluation.measure import Evaluator, Row
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.results.records import gather
from hiercodec.evaluation.results.table import right, tables
from hiercodec.models import store
from hiercodec.models.common import EmbeddedCodec
from hiercodec.training.codec.frozen import Frozen
from hiercodec.training.codec.loss import SemanticLoss
from hiercodec.training.config import CodecConfig
from hiercodec.training.data import Crops, split

Config = TypeVar("Config", bound=CodecConfig)


class PhotoTask(Generic[Config]):
    """A `hiercodec.training.run.Task` on random crops, but for its loss: `module` is what learns."""

    def __init__(
        self, config: Config, fabric: Fabric, module: nn.Module, photos: Photos | None, smoothing: float = 0.1
    ) -> None:
        self.train, self.held_out = split(config, photos)
        self.config, self.device = config, fabric.device
        self.batches = Crops(
            self.train, crop=config.crop, batch=config.batch, seed=config.seed, labelled_share=config.labelled_share,
            cache_mb=config.cache_mb, rank=fabric.global_rank, world=fabric.world_size,
        )  # fmt: skip
        module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.semantic = semantic_loss(config, smoothing) if config.classifiers else None
        if self.semantic is not None:
            self.semantic.to(fabric.device)
        self.evaluator = judge_of(config, fabric.device) if config.classifiers else None

    def card(self, name: str, progress: dict[str, Any]) -> dict[str, Any]:
        """What the card of the exported model says of its training."""
        made = {"name": name, "training": self.config.to_dict(), "photos": len(self.train)}
        return {**made, "started_from": origin(self.config.init), **progress}

    def validate(self, path: Path) -> dict[str, Any]:
        """Real coded bytes of held-out photographs, by the exported half-precision weights."""
        codec = store.load(path, device=self.device)
        return validate(codec, self.held_out, self.evaluator, limit=self.config.validate_photos)


def origin(init: str) -> dict | None:
    """What the card of the model that training started from says of its own training."""
    if not init:
        return None
    card = json.loads(store.weights_path(init).with_suffix(".json").read_text(encoding="utf-8"))
    return {key: card.get(key) for key in ("name", "fingerprint", "steps", "crops", "training", "started_from")}


def semantic_loss(config: CodecConfig, smoothing: float = 0.1) -> SemanticLoss:
    """What a run's frozen classifiers lose, by its hierarchy."""
    from hiercodec.classify import load_classifier
    from hiercodec.taxonomy import load_hierarchy

    hierarchy = load_hierarchy(config.hierarchy)
    levels = [hierarchy.level(name) for name in config.architecture().plan.names]
    assignments = [(level.k, torch.tensor(level.assignment)) for level in levels]
    judges = [load_classifier(spec, device="cpu") for spec in config.classifiers]  # whoever trains moves all of it
    bf16 = config.precision == "bf16-mixed"
    frozen = [Frozen(judge.module, judge.preprocess.mean, judge.preprocess.std, bf16=bf16) for judge in judges]
    return SemanticLoss(frozen, assignments, smoothing)


def judge_of(config: CodecConfig, device: str | torch.device | None = None) -> Evaluator:
    """The first classifier of a run's loss and its hierarchy, as photographs are judged by them. Loads a copy of its own."""
    from hiercodec.classify import load_classifier
    from hiercodec.taxonomy import load_hierarchy

    return Evaluator(load_classifier(config.classifiers[0], device=device), load_hierarchy(config.hierarchy))


def validate(codec: EmbeddedCodec, photos: Photos, evaluator: Evaluator | None, *, limit: int, side: int = 224) -> dict:
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

    rows = gather(photos, [peer], [evaluator] if evaluator else [], crop=side, seen=note_z)
    table = tables(rows, evaluator.classifier.name if evaluator else "")[peer.name]
    figures = {"bpp": table.bpp, "psnr": table.psnr}
    levels = {}
    for name in codec.plan.names:
        at = table.settings.index(name)
        own = {**figures, "agreement": table.measure(right(name))} if evaluator else figures
        levels[name] = {key: round(float(values[:, at].mean()), 4) for key, values in own.items()}
    return {"levels": levels, "z_share": round(float(np.mean(z_shares)), 4), "photos": len(photos)}

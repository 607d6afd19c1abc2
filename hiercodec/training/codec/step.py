"""What is particular to training a codec: its data, one step of Eq. 2, its validation and its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from hiercodec.evaluation.metrics import decibels
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.models import store
from hiercodec.models.channels.linear import LayeredKLT
from hiercodec.training.codec.frozen import View
from hiercodec.training.codec.loss import bounded_pull, prefix_rates, squared_error, squared_error_gradient
from hiercodec.training.codec.model import TrainableCodec
from hiercodec.training.codec.task import PhotoTask
from hiercodec.training.config import TrainConfig
from hiercodec.training.data import Crops
from hiercodec.training.run import Trainer, launch

KLT_PHOTOS, START_CROPS = 1500, 32
"""Photographs that the KLT is computed from, at most, and crops on which the channels' first σ are measured."""


def codec_trainer(config: TrainConfig, *, resume: bool = False, photos: Photos | None = None) -> Trainer:
    """A trainer of the codec that `config` describes, on its photographs or on `photos`."""
    fabric = launch(config)
    return Trainer(CodecTask(config, fabric, photos), fabric, resume=resume)


class CodecTask(PhotoTask[TrainConfig]):
    """A codec of channels trained by Eq. 2."""

    def __init__(self, config: TrainConfig, fabric: Fabric, photos: Photos | None = None) -> None:
        self.module = TrainableCodec(config.architecture(), bf16=config.precision == "bf16-mixed")
        self.names = self.module.plan.names
        super().__init__(config, fabric, self.module, photos, config.loss.smoothing)
        self.ladder = torch.tensor(config.loss.ladder or torch.eye(len(self.names)).tolist(), device=fabric.device)
        if config.compile:  # in place, so that the names of the weights stay; the entropy model is not worth it
            network = self.module.network
            judges = [judge.module for judge in self.semantic.classifiers] if self.semantic else []
            for part in (network.f_a, network.f_s, *judges):
                part.compile()

    def groups(self) -> list[dict[str, Any]]:
        """The KLT moves slowly, everything else at `lr`; the prior's quantiles follow their own loss.

        They stay out of the clipping: their gradient, tens of times longer, hid a spike in all others (a run blew up at
        step 890).
        """
        linear = self.module.network.linear
        slow = [linear.analysis, linear.synthesis, linear.mean] if isinstance(linear, LayeredKLT) else []
        quantiles = [p for name, p in self.module.named_parameters() if name.endswith("quantiles")]
        own = {id(p) for p in (*slow, *quantiles)}
        rest = [p for p in self.module.parameters() if id(p) not in own]
        groups = [
            {"params": rest, "lr": self.config.lr},
            {"params": slow, "lr": self.config.lr_linear},
            {"params": quantiles, "lr": 1e-2, "clip": False},
        ]
        return [group for group in groups if group["params"]]

    def initialise(self) -> None:
        """The weights of `init` with its prior, or the KLT of the training photographs."""
        if self.config.init:
            self.module.start_from(self.config.init)
            return
        starts = Crops(self.train, crop=self.config.crop, batch=START_CROPS, seed=self.config.seed)[2**31]
        self.module.initialise((rgb for _, rgb, _ in self.train.spread(KLT_PHOTOS).each()), _pixels(starts[0]))

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 2 on a batch (pixels (B, S, S, 3) uint8, labels (B,)), over levels drawn for this step."""
        config, weights = self.config, self.config.loss
        rng = np.random.default_rng((config.seed, step, 1))
        x, labels = _pixels(batch[0]), batch[1]
        n_levels = len(self.names)
        cut = (int(rng.integers(n_levels)), float(rng.random())) if rng.random() < config.cut_share else None
        levels = sorted(rng.choice(n_levels, min(n_levels, config.levels_per_step), replace=False).tolist())
        share = n_levels / len(levels)  # an unbiased estimate of the sum over all levels
        out = model(x, cut=cut, levels=tuple(levels))
        rates = prefix_rates(out["likelihoods"], x.shape[0] * x.shape[2] * x.shape[3])
        mse, distortion = squared_error(out["x_hat"] - x, weights.chroma)
        psnr = mse.new_tensor([decibels(value) for value in mse.tolist()])
        figures = {f"bpp_{name}": r for name, r in zip(self.names, rates, strict=True)}
        loss = (torch.tensor(weights.rate, device=x.device) * rates).sum()
        for i, k in enumerate(levels):
            loss = loss + share * weights.lmbda[k] * weights.w[k] * distortion[i]
            figures[f"psnr_{self.names[k]}"] = psnr[i]
        if cut is not None:
            k = max(0, cut[0] - 1) if cut[1] < 0.5 else cut[0]  # judged as the nearer level
            loss = loss + weights.lmbda[k] * weights.w[k] * distortion[-1]
            figures["psnr_cut"] = psnr[-1]
        aux = self.module.aux_loss()  # fits the prior's quantiles; touches nothing else
        figures |= {"loss": loss, "aux": aux}
        if self.semantic is None:
            return loss + aux, _detached(figures)
        ramp = min(1.0, (step + 1) / max(1, config.semantic_warmup))
        surrogate = torch.zeros((), device=x.device)
        view = View.draw(rng, len(self.semantic.classifiers), config.crop)
        reference = self.semantic.reference(x, labels, view)
        judged = [*levels, k] if cut is not None else levels
        for i, k in enumerate(judged):
            leaf = out["x_hat"][i].detach().requires_grad_()
            ce, hits, distance = self.semantic(leaf, reference, view)
            term = (self.ladder[k] * ce).sum() + weights.features * distance
            pull = weights.lmbda[k] * weights.w[k] * squared_error_gradient(leaf.detach() - x, weights.chroma)
            gradient = bounded_pull(weights.gamma[k] * term, leaf, pull, weights.limit[k])
            weight = ramp * (share if i < len(levels) else 1.0)
            # ⟨x̂, g⟩ has gradient g at x̂; its value means nothing, so what is logged is the cross-entropy itself.
            surrogate = surrogate + weight * (out["x_hat"][i] * gradient).sum()
            figures["loss"] = figures["loss"] + weight * weights.gamma[k] * (self.ladder[k] * ce.detach()).sum()
            if i < len(levels):
                name = self.names[k]
                figures |= {f"ce_{name}": ce[k], f"acc_{name}": hits[k], f"features_{name}": distance}
        return loss + surrogate + aux, _detached(figures)

    def export(self, module: nn.Module, path: Path, progress: dict[str, Any]) -> None:
        """Half-precision weights with the prior's tables, and what training needs to go on from them."""
        assert isinstance(module, TrainableCodec)
        pmfs, medians = module.z_pmfs()
        prior = module.entropy_bottleneck.state_dict()
        extra = {f"bottleneck.{k}": v for k, v in prior.items() if not k.startswith("_")}
        card, weights = self.card(module.preset.name, progress), store.pack(module.network, pmfs, medians)
        store.save(path, module.network.preset, weights, card, extra)

    def summary(self, figures: dict[str, float]) -> str:
        """Loss, and rate, PSNR and accuracy level by level."""
        parts = [f"loss {figures['loss']:.2f}"]
        for key in ("bpp", "psnr", "acc"):
            values = [figures.get(f"{key}_{name}") for name in self.names]
            if any(v is not None for v in values):
                parts.append(f"{key} " + "/".join("–" if v is None else f"{v:.2f}" for v in values))
        return "  ".join(parts)


def _pixels(crops: Tensor) -> Tensor:
    """uint8 (B, S, S, 3) → float32 (B, 3, S, S) in 0…1, channels last in memory."""
    return crops.permute(0, 3, 1, 2).float() / 255


def _detached(figures: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach() for key, value in figures.items()}

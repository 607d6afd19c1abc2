"""What is particular to training a `wave` model: a `hiercodec.training.run.Task` for each of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.models import store
from hiercodec.models.wave.codec import WaveCodec
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.training.codec.frozen import View
from hiercodec.training.codec.task import PhotoTask
from hiercodec.training.config import WaveConfig
from hiercodec.training.run import Trainer, launch
from hiercodec.training.wave.quantise import degrade, plane_bits


def wave_trainer(config: WaveConfig, *, resume: bool = False, photos: Photos | None = None) -> Trainer:
    """A trainer of the part that `config` names, on its photographs or on `photos`."""
    fabric = launch(config)
    return Trainer(WaveTask(config, fabric, photos), fabric, resume=resume)


class WaveTask(PhotoTask[WaveConfig]):
    """One part of a `wave` model trained, the other as it is."""

    def __init__(self, config: WaveConfig, fabric: Fabric, photos: Photos | None = None) -> None:
        self.preset = config.architecture()
        self.module = _Stage(WaveNetwork(self.preset), config.stage)
        super().__init__(config, fabric, self.module, photos)
        self._odds = np.array(config.planes) / sum(config.planes)

    def groups(self) -> list[dict[str, Any]]:
        """Only the stage's part learns."""
        return [{"params": [p for p in self.module.parameters() if p.requires_grad], "lr": self.config.lr}]

    def initialise(self) -> None:
        """The weights of `init`, or new ones."""
        if not self.config.init:
            return
        codec = store.load(self.config.init)
        if not isinstance(codec, WaveCodec):
            raise ConfigError(f"init: {self.config.init!r} is no wave model")
        self.module.network.load_state_dict(store.weights(self.config.init))

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """One plane, drawn for this step, of a batch (pixels (B, S, S, 3) uint8, labels (B,))."""
        rng = np.random.default_rng((self.config.seed, step, 1))
        plane = int(rng.choice(len(self._odds), p=self._odds))
        x = batch[0].permute(0, 3, 1, 2).float() / 255
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.config.precision == "bf16-mixed"):
            if self.config.stage == "context":
                return self._rate(model, x, plane)
            return self._restoration(model, x, batch[1], plane, rng)

    def _rate(self, model: nn.Module, x: Tensor, plane: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Bits of the plane, weighed by the inverse root of what it costs: dear planes count more, but not all."""
        threshold = x.new_full((len(x),), self.preset.threshold(plane))
        bits = model(x, plane, threshold).sum(1)
        rate = bits.mean() / (x.shape[-1] * x.shape[-2])
        idle = (
            0.0 * self.module.network.context.where.sum()
        )  # a gradient, also where the plane is empty in all pictures
        loss = rate / (rate.detach() + 0.02).sqrt() + idle
        return loss, {"loss": loss.detach(), f"bpp_{plane}": rate.detach()}

    def _restoration(
        self, model: nn.Module, x: Tensor, labels: Tensor, plane: int, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 2's distortion and semantic terms of what a plane, or a part of it, decodes to."""
        config = self.config
        threshold = x.new_full((len(x),), self.preset.threshold(plane))
        whole = rng.random(len(x)) >= config.cut_share
        cut = torch.from_numpy(np.where(whole, 2.0, rng.uniform(0, 2, len(x)))).to(threshold)
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            plain, reached = degrade(self.module.network, x, threshold, cut)
        x_hat = model(plain, reached).float()
        before, after = ((picture - x).square().mean((1, 2, 3)) for picture in (plain, x_hat))
        ratio = (after / before.clamp_min(1e-6)).mean()
        loss, figures = config.distortion * ratio, {"mse_ratio": ratio.detach()}
        if self.semantic is not None:
            level = int(np.searchsorted(self.preset.plan.cuts, plane, side="right"))
            view = View.draw(rng, len(self.semantic.classifiers), config.crop)
            with torch.autocast(x.device.type, enabled=False):
                ce, hits, distance = self.semantic(x_hat, self.semantic.reference(x, labels, view), view)
            loss = loss + config.features * distance + config.gamma[level] * ce[level]
            name = self.preset.plan.names[level]
            figures |= {
                "features": distance.detach(),
                f"ce_{name}": ce[level].detach(),
                f"acc_{name}": hits[level].detach(),
            }
        return loss, {"loss": loss.detach(), **figures}

    def export(self, module: nn.Module, path: Path, progress: dict[str, Any]) -> None:
        """Half-precision weights of both parts."""
        assert isinstance(module, _Stage)
        store.save(path, self.preset, store.half(module.network), self.card(self.preset.name, progress))

    def summary(self, figures: dict[str, float]) -> str:
        """Every figure there is, shortly."""
        return "  ".join(f"{key} {value:.3f}" for key, value in figures.items() if key not in ("grad", "skipped"))


class _Stage(nn.Module):
    """A wave network of which one part learns; calling it does that part's work."""

    def __init__(self, network: WaveNetwork, stage: str) -> None:
        super().__init__()
        self.network, self._stage = network, stage
        for name, part in network.named_children():
            part.requires_grad_(name == stage)

    def forward(self, x: Tensor, *rest: Any) -> Tensor:
        if self._stage == "filter":
            return self.network.filter(x, *rest)
        plane, threshold = rest
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            bands = self.network.analyse(x * 255)
        return plane_bits(self.network.context, bands, plane, threshold)

"""A classifier: weights, the preprocessing that belongs to them, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from hiercodec.classify.confidence import log_softmax
from hiercodec.classify.preprocess import Preprocess
from hiercodec.device import resolve
from hiercodec.errors import InputError

BATCH = 32
STAGES = (1, 2, 3, 4)
"""Which of timm's feature maps steer an encoder: strides 4, 8, 16 and 32."""


class Classifier:
    """A frozen ImageNet classifier over pictures of any size.

        uint8[H, W, 3] ─ preprocess ─ float32[3, S, S] ─ module ─ logits ─ ÷ temperature ─ softmax ─ float32[1000]

    `name` says which, `sha256` (of the file, in hex) exactly which weights, `weights_id` the same in 12 digits; `card`
    holds what is known about them. `module` maps normalised input [n, 3, S, S] to logits [n, 1000] and is in evaluation
    mode. The `temperature` > 0 makes probabilities as sure as they are right; it never changes their order.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        preprocess: Preprocess,
        sha256: str,
        card: dict[str, Any] | None = None,
        *,
        temperature: float = 1.0,
    ) -> None:
        if not temperature > 0:
            raise ValueError(f"the temperature must be above 0, got {temperature}")
        self.name, self.preprocess, self.sha256, self.card = name, preprocess, sha256, card or {}
        self.temperature = temperature
        self.module = module.eval().requires_grad_(False)

    @property
    def weights_id(self) -> str:
        """The first 12 hex digits of `sha256`."""
        return self.sha256[:12]

    def to(self, device: str | torch.device) -> Classifier:
        """Move the weights; returns itself."""
        self.module.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return next((p.device for p in self.module.parameters()), resolve("cpu"))

    @torch.inference_mode()
    def logits(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32[n, 1000], before the temperature, for n pictures uint8[H, W, 3] of any sizes; in batches of 32."""
        rows = [np.zeros((0, 1000), np.float32)]
        for start in range(0, len(pictures), BATCH):
            batch = np.stack([self.preprocess(p) for p in pictures[start : start + BATCH]])
            x = torch.from_numpy(batch).to(self.device, memory_format=torch.channels_last)
            rows.append(self.module(x).float().cpu().numpy())
        return np.concatenate(rows)

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32[n, 1000], rows sum to 1, for n pictures uint8[H, W, 3], each of its own size."""
        return np.exp(log_softmax(self.logits(pictures), self.temperature)).astype(np.float32)

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, weights {self.weights_id}, input {self.preprocess.size})"


def feature_maps(classifier: Classifier) -> Callable[[torch.Tensor], list[torch.Tensor]]:
    """A function of a picture (1, 3, H, W) in 0…1 that gives the classifier's feature maps of the whole of it.

    Differentiable; the short side is brought to the classifier's size. `InputError` for a network without timm's
    `forward_intermediates`.
    """
    if not hasattr(getattr(classifier, "module", None), "forward_intermediates"):
        raise InputError(f"{classifier.name} shows no feature maps: it is no network of timm's")
    module, own = classifier.module, classifier.preprocess
    mean, std = (torch.tensor(v).to(classifier.device).view(1, 3, 1, 1) for v in (own.mean, own.std))

    def maps(picture: torch.Tensor) -> list[torch.Tensor]:
        height, width = picture.shape[-2:]
        scale = min(own.sides) / min(height, width)
        size = (round(height * scale), round(width * scale))
        x = picture.to(classifier.device)
        if size != (height, width):
            x = nn.functional.interpolate(x, size, mode="bilinear", antialias=True)
        x = ((x - mean) / std).contiguous(memory_format=torch.channels_last)
        return module.forward_intermediates(x, indices=list(STAGES), intermediates_only=True)  # pyright: ignore

    return maps

"""A classifier: weights, the preprocessing that belongs to them, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from hiercodec.classify.preprocess import Preprocess

BATCH = 32


class Classifier:
    """A frozen ImageNet classifier over pictures of any size.

        uint8[H, W, 3] ─ preprocess ─ float32[3, S, S] ─ module ─ logits ─ softmax ─ float32[1000]

    `name` says which, `weights_id` (12 hex digits of a SHA-256) exactly which weights; `card` holds what is known about
    them. `module` maps normalised input [n, 3, S, S] to logits [n, 1000] and is in evaluation mode.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        preprocess: Preprocess,
        weights_id: str,
        card: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.preprocess, self.weights_id, self.card = name, preprocess, weights_id, card or {}
        self.module = module.eval().requires_grad_(False)
        self.device = next((p.device for p in module.parameters()), torch.device("cpu"))

    def to(self, device: str | torch.device) -> Classifier:
        """Move the weights; returns itself."""
        self.module.to(device)
        self.device = torch.device(device)
        return self

    @torch.inference_mode()
    def logits(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32[n, 1000] for n pictures uint8[H, W, 3], each of its own size; computed in batches of 32."""
        rows = [np.zeros((0, 1000), np.float32)]
        for start in range(0, len(pictures), BATCH):
            batch = np.stack([self.preprocess(p) for p in pictures[start : start + BATCH]])
            x = torch.from_numpy(batch).to(self.device, memory_format=torch.channels_last)
            rows.append(self.module(x).float().cpu().numpy())
        return np.concatenate(rows)

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32[n, 1000], rows sum to 1, for n pictures uint8[H, W, 3], each of its own size."""
        logits = self.logits(pictures).astype(np.float64)
        p = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
        return (p / p.sum(1, keepdims=True)).astype(np.float32)

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, weights {self.weights_id}, input {self.preprocess.size})"

"""The prefix entropy model: σ and μ of every block, from the hyper-latent and the blocks before it (Eq. 3-7).

    ẑ ──h_s──► P ─────────────┬───────────────────────────┐
                              ▼                           ▼
    ŷ_<j ──mask──► context ─► [P;C] ──parameters──► raw σ, μ ──(+ Δ_j for j > 0)──► σ_j, μ_j

Block-causal: block j sees no channel ≥ its own start, so all its σ and μ are known before its first symbol. That makes
σ-ordering possible and every prefix decodable, in one pass a block without a serial loop. The context and parameter
networks are shared by all blocks; the Δ-networks correct the later ones and score only the new block.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiercodec.models.channels.backbones import BACKBONES
from hiercodec.models.channels.config import Preset
from hiercodec.models.channels.context import CONTEXTS
from hiercodec.models.channels.layers import WindowAttention, depthwise3, zero_init

DELTA_BOUND = 0.5
"""Largest change a Δ-network may make to σ before the softplus (the official code's bound)."""


class DeltaBlock(nn.Module):
    """Depthwise residual block with squeeze-and-excitation inside: 1×1, dw3×3, SE, 1×1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.expand, self.project = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.squeeze, self.excite = nn.Linear(width, max(4, width // 8)), nn.Linear(max(4, width // 8), width)

    def forward(self, x: Tensor) -> Tensor:
        h = F.gelu(depthwise3(F.gelu(self.expand(x)), self.depthwise))
        gate = torch.sigmoid(self.excite(F.gelu(self.squeeze(h.mean((2, 3))))))
        return x + self.project(h * gate[:, :, None, None])


class DeltaNetwork(nn.Module):
    """Δ_j: [P;C] (B, 2C, h, w) → (Δσ, Δμ), each (B, width_j, h, w); |Δσ| ≤ 0.5. Starts at zero (Eq. 6)."""

    def __init__(self, features: int, width: int, out: int, blocks: int = 2) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(features, width, 1)
        self.blocks = nn.Sequential(*(DeltaBlock(width) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        self.attention = WindowAttention(width, 4, 8)
        self.out = zero_init(nn.Conv2d(width, 2 * out, 1))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        h = self.blocks(F.gelu(self.reduce(features)))
        h = h + self.attention(self.norm(h.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        scale, mean = self.out(F.gelu(h)).chunk(2, 1)
        return DELTA_BOUND * torch.tanh(scale), mean


class PrefixEntropyModel(nn.Module):
    """h_a, h_s, the shared context and parameter networks, and one Δ-network a later block."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.plan, c = preset.plan, preset.width
        backbone = BACKBONES[preset.transform]
        self.h_a, self.h_s = backbone.h_a(preset), backbone.h_s(preset)
        self.context = CONTEXTS[preset.context](preset)
        self.trunk = nn.Sequential(
            nn.Conv2d(2 * c, 2 * c, 1), nn.LeakyReLU(0.1), nn.Conv2d(2 * c, 2 * c, 1), nn.LeakyReLU(0.1)
        )
        self.scales = nn.Conv2d(2 * c, preset.m, 1)
        self.means = zero_init(nn.Conv2d(2 * c, preset.m, 1))
        self.deltas = nn.ModuleList(
            DeltaNetwork(2 * c, preset.delta_width, level.width) for level in self.plan.levels[1:] if preset.delta_width
        )

    def hyper_features(self, z_hat: Tensor, grid: tuple[int, int]) -> Tensor:
        """P (B, C, h, w) from ẑ, cropped to the latent `grid` (h, w)."""
        h, w = grid
        return self.h_s(z_hat)[:, :, :h, :w]

    def block_parameters(self, j: int, hyper: Tensor, y_hat: Tensor) -> tuple[Tensor, Tensor]:
        """(σ_j, μ_j), each (B, width_j, h, w), from P and the decoded channels before block j, ŷ_<j (B, start_j, h, w)."""
        level = self.plan[j]
        if y_hat.shape[1] != level.start:
            raise ValueError(f"block {level.name!r} is predicted from {level.start} channels, got {y_hat.shape[1]}")
        features = torch.cat((hyper, self.context(y_hat)), 1)
        hidden = self.trunk(features)
        scale, mean = (_outputs(layer, hidden, level.channels) for layer in (self.scales, self.means))
        if j and len(self.deltas):
            d_scale, d_mean = self.deltas[j - 1](features)
            scale, mean = scale + d_scale, mean + d_mean  # softplus⁻¹(softplus(s)) + Δ = s + Δ (Eq. 7)
        return F.softplus(scale.to(hyper)), mean.to(hyper)  # in P's precision, whatever autocast computed in


def _outputs(layer: nn.Conv2d, x: Tensor, channels: slice) -> Tensor:
    """Some output channels of a 1×1 convolution; the others are not computed."""
    return F.conv2d(x, layer.weight[channels], None if layer.bias is None else layer.bias[channels])

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

from hiercodec.models.backbones.tic import TicHyperAnalysis, TicHyperSynthesis
from hiercodec.models.config import HYPER_STRIDE, Preset
from hiercodec.models.layers import WindowAttention, conv3, depthwise3, zero_init

MEAN_STEPS = 16
"""The μ grid: multiples of 1/16 of a quantisation step."""

DELTA_BOUND = 0.5
"""Largest change a Δ-network may make to σ before the softplus (the official code's bound)."""


class LiteHyperAnalysis(nn.Module):
    """h_a: y (B, M, h, w) → z (B, C_z, ⌈h/4⌉, ⌈w/4⌉)."""

    def __init__(self, m: int, width: int, n_hyper: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(m, width, 1),
            nn.LeakyReLU(0.1),
            conv3(width, width, 2),
            nn.LeakyReLU(0.1),
            conv3(width, n_hyper, 2),
        )

    def forward(self, y: Tensor) -> Tensor:
        h, w = y.shape[-2:]
        return self.net(F.pad(torch.asinh(y), (0, -w % HYPER_STRIDE, 0, -h % HYPER_STRIDE), mode="replicate"))


class LiteHyperSynthesis(nn.Module):
    """h_s: ẑ → features (B, C, h, w) on a grid of 4× its size; the caller crops."""

    def __init__(self, n_hyper: int, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            conv3(n_hyper, 2 * width),
            nn.PixelShuffle(2),  # (B, width/2, 2hz, 2wz)
            nn.LeakyReLU(0.1),
            conv3(width // 2, 4 * width),
            nn.PixelShuffle(2),  # (B, width, 4hz, 4wz)
        )

    def forward(self, z_hat: Tensor) -> Tensor:
        return self.net(z_hat)


class ConvContext(nn.Module):
    """C: ŷ_<j (B, M, h, w), later blocks zero → features (B, C, h, w). Only the live channels are computed."""

    def __init__(self, m: int, width: int) -> None:
        super().__init__()
        self.first, self.second = conv3(m, width), nn.Conv2d(width, width, 1)

    def forward(self, y_hat: Tensor) -> Tensor:
        """`y_hat` holds the decoded channels only: (B, start_j, h, w), start_j may be 0 (then pass the grid's shape)."""
        live = y_hat.shape[1]
        if live:
            h = F.conv2d(torch.asinh(y_hat), self.first.weight[:, :live], self.first.bias, padding=1)
        else:
            h = self.first.bias.view(1, -1, 1, 1).expand(y_hat.shape[0], -1, *y_hat.shape[-2:])
        return self.second(F.leaky_relu(h, 0.1))


class AttentionContext(nn.Module):
    """C as the paper's causal attention module, without its raster mask: earlier blocks are known at all 25 positions.

    5×5 neighbourhoods as tokens, multi-head attention with relative bias, summed over the tokens, then an MLP.
    `compress` reads ŷ through asinh, as latents of a linear path ask for.
    """

    def __init__(self, m: int, width: int, heads: int = 8, kernel: int = 5, *, compress: bool = False) -> None:
        super().__init__()
        self.kernel, self.m, self.compress = kernel, m, compress
        self.embed = nn.Linear(m, width)
        self.attention = WindowAttention(width, heads, kernel)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, y_hat: Tensor) -> Tensor:
        b, live, h, w = y_hat.shape
        if live:
            return self._attend(y_hat)
        # Nothing is known yet, so only the distance to an edge counts: a small grid holds every case.
        rows, columns = _edges(h, self.kernel), _edges(w, self.kernel)
        return self._attend(y_hat.new_zeros(b, 0, min(h, self.kernel), min(w, self.kernel)))[..., rows, :][..., columns]

    def _attend(self, y_hat: Tensor) -> Tensor:
        b, live, h, w = y_hat.shape
        k, heads, pad = self.kernel, self.attention.heads, self.kernel // 2
        y_hat = torch.asinh(y_hat) if self.compress else y_hat
        tokens = F.linear(y_hat.permute(0, 2, 3, 1), self.embed.weight[:, :live], self.embed.bias)  # (B, h, w, C)
        tokens = F.pad(tokens, (0, 0, pad, pad, pad, pad))
        # A token's query, key and value are its own: once on the grid, not once in each of 25 neighbourhoods.
        near = self.attention.qkv(self.norm1(tokens)).unfold(1, k, 1).unfold(2, k, 1)  # (B, h, w, 3C, 5, 5)
        near = near.reshape(b, h, w, 3, heads, -1, k, k).permute(3, 0, 1, 2, 4, 6, 7, 5)
        query, key, value = near.reshape(3, b * h * w * heads, k * k, -1)
        scores = torch.bmm(query, key.transpose(1, 2)).view(-1, heads, k * k, k * k) * query.shape[-1] ** -0.5
        weights = (scores + self.attention.position_bias()).softmax(-1).mean(2)  # averaged over the 25 queries
        attended = torch.bmm(weights.view(-1, 1, k * k), value).view(b, h, w, -1)
        mixed = F.avg_pool2d(tokens.permute(0, 3, 1, 2), k, 1).permute(0, 2, 3, 1)  # mean over the 25 tokens
        mixed = mixed + self.attention.proj(attended)
        mixed = mixed + self.mlp(self.norm2(mixed))
        return mixed.permute(0, 3, 1, 2)


def _edges(n: int, kernel: int) -> list[int]:
    """For every position of a line of n, one of a line of at most `kernel` that is as far from both ends, if near one."""
    near = kernel // 2
    return [i if i < near else max(near, i - n + kernel) for i in range(n)] if n > kernel else list(range(n))


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
        if preset.transform == "tic":
            self.h_a: nn.Module = TicHyperAnalysis(
                preset.m, preset.n, preset.n_hyper, compress=preset.linear is not None
            )
            self.h_s: nn.Module = TicHyperSynthesis(preset.n_hyper, preset.n, c)
        else:
            self.h_a = LiteHyperAnalysis(preset.m, c, preset.n_hyper)
            self.h_s = LiteHyperSynthesis(preset.n_hyper, c)
        if preset.context == "attention":
            self.context: nn.Module = AttentionContext(preset.m, c, compress=preset.linear is not None)
        else:
            self.context = ConvContext(preset.m, c)
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
        rows = level.channels
        scale = F.conv2d(hidden, self.scales.weight[rows], self.scales.bias[rows])
        mean = F.conv2d(hidden, self.means.weight[rows], self.means.bias[rows])
        if j and len(self.deltas):
            d_scale, d_mean = self.deltas[j - 1](features)
            scale, mean = scale + d_scale, mean + d_mean  # softplus⁻¹(softplus(s)) + Δ = s + Δ (Eq. 7)
        return F.softplus(scale), mean

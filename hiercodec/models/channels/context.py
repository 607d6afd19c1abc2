"""Context networks: what the blocks that were decoded say of the next one (C of Eq. 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiercodec.models.channels.layers import WindowAttention, conv3
from hiercodec.plugins import Registry

if TYPE_CHECKING:
    from hiercodec.models.channels.config import Preset


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
            assert self.first.bias is not None
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


CONTEXTS: Registry[Callable[[Preset], nn.Module]] = Registry(
    "context network",
    {
        "conv": lambda preset: ConvContext(preset.m, preset.width),
        "attention": lambda preset: AttentionContext(preset.m, preset.width, compress=preset.linear is not None),
    },
)
"""What `Preset.context` can name: (B, M, h, w) latents in, (B, `width`, h, w) features out."""

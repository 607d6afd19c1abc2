"""Layers that several networks share: residual blocks, windowed attention, shuffles."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = TypeVar("Layer", nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


def conv3(c_in: int, c_out: int, stride: int = 1) -> nn.Conv2d:
    """3×3 convolution that keeps the grid (or halves it)."""
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1)


def depthwise3(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """`layer(x)` for a depthwise 3×3 convolution that keeps the grid.

    PyTorch convolves float64 one channel at a time on the CPU, which was a third of the entropy decoding of `tic`; there
    it is nine shifted products instead.
    """
    if x.dtype != torch.float64 or layer.bias is None:
        return layer(x)
    h, w = x.shape[-2:]
    near = F.pad(x, (1, 1, 1, 1))
    out = layer.bias.view(1, -1, 1, 1).repeat(x.shape[0], 1, h, w)
    for i in range(3):
        for j in range(3):
            out.addcmul_(near[..., i : i + h, j : j + w], layer.weight[:, 0, i, j].view(1, -1, 1, 1))
    return out


def zero_init(layer: Layer) -> Layer:
    """Start a layer at zero, so that the path it ends adds nothing at first."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResBlock(nn.Module):
    """x + conv3(act(conv3(act(x)))), width C."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, last = conv3(channels, channels), conv3(channels, channels)
        self.body = nn.Sequential(nn.LeakyReLU(0.1), first, nn.LeakyReLU(0.1), last)
        with torch.no_grad():
            last.weight.mul_(0.3)  # near identity: deep stacks start calm

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class WindowAttention(nn.Module):
    """Multi-head self-attention inside non-overlapping w×w windows with a learned relative position bias.

    Any grid works: it is padded inside the partition and padded tokens are masked out. `shift` cyclically displaces the
    windows by half their size (Swin, arXiv 2103.14030).
    """

    relative: Tensor

    def __init__(self, channels: int, heads: int, window: int, shift: bool = False) -> None:
        super().__init__()
        self.heads, self.window, self.offset = heads, window, window // 2 if shift else 0
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.bias, std=0.02)
        grid = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = (grid[:, :, None] - grid[:, None, :]) + window - 1
        self.register_buffer("relative", relative[0] * (2 * window - 1) + relative[1], persistent=False)
        self._masks: dict[tuple, Tensor] = {}

    def position_bias(self) -> Tensor:
        """The learned bias of every pair of tokens by their displacement: (heads, w², w²)."""
        k = self.window
        return self.bias[self.relative.view(-1)].view(k * k, k * k, -1).permute(2, 0, 1)

    def _regions(self, h: int, w: int, like: Tensor) -> Tensor:
        """Additive mask (nW, 1, w², w²): tokens attend only to real tokens of their own region. Cached by size."""
        key = (h, w, like.device, like.dtype)
        mask = self._masks.get(key)  # held here: another thread may clear the cache any moment
        if mask is None:
            k, s = self.window, self.offset
            hp, wp = -(-h // k) * k, -(-w // k) * k
            region = torch.zeros(hp, wp, device=like.device)
            region[:h, :w] = 1
            if s:
                # After the roll, what wrapped around lies in the last rows and columns: other regions of the picture.
                region = torch.roll(region, (-s, -s), (0, 1))
                region[hp - s :, :] += 2
                region[:, wp - s :] += 4
            tokens = region.view(hp // k, k, wp // k, k).permute(0, 2, 1, 3).reshape(-1, k * k)
            blocked = tokens[:, :, None] != tokens[:, None, :]
            mask = torch.zeros_like(blocked, dtype=like.dtype).masked_fill_(blocked, -1e4).unsqueeze(1)
            if len(self._masks) > 16:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        k, s = self.window, self.offset
        x = F.pad(x, (0, 0, 0, -w % k, 0, -h % k))
        hp, wp = x.shape[1:3]
        if s:
            x = torch.roll(x, (-s, -s), (1, 2))
        tokens = x.view(b, hp // k, k, wp // k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, k * k, c)
        q, key, v = self.qkv(tokens).view(-1, k * k, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mask = self._regions(h, w, x) + self.position_bias()  # (nW, heads, w², w²)
        out = F.scaled_dot_product_attention(q, key, v, attn_mask=mask.repeat(b, 1, 1, 1).to(q.dtype))
        out = self.proj(out.transpose(1, 2).reshape(-1, k * k, c))
        out = out.view(b, hp // k, wp // k, k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(b, hp, wp, c)
        if s:
            out = torch.roll(out, (s, s), (1, 2))
        return out[:, :h, :w]


class SwinBlock(nn.Module):
    """Pre-norm (shifted-)window attention and MLP, on channels-last grids (B, h, w, C)."""

    def __init__(self, channels: int, heads: int, window: int, shift: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = WindowAttention(channels, heads, window, shift)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class RSTB(nn.Module):
    """Residual Swin transformer block: x + Swin^depth(x), on (B, C, h, w). TIC, arXiv 2111.06707."""

    def __init__(self, channels: int, depth: int, heads: int, window: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(SwinBlock(channels, heads, window, i % 2 == 1) for i in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.blocks(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

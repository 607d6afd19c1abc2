"""The filter behind the inverse wavelet: a residual network at stride 4 that is told how far the planes have come."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 4
SLOPE = 0.1


class _Residual(nn.Module):
    """x + b(a(x)); the second convolution starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(self.b.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(F.leaky_relu(self.a(F.leaky_relu(x, SLOPE)), SLOPE))


class Filter(nn.Module):
    """Takes from a picture what quantising the wavelet put into it, and puts back what classifiers and people miss.

    x (B, 3, H, W) in 0…1 and `reached` (B,), log2 of the threshold that the planes have come to in 8-bit pixel units
    → (B, 3, H, W), not clamped. The correction is scaled by that threshold: where everything has arrived, none is left.
    """

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3 * STRIDE**2 + 1, width, 3, padding=1)
        self.blocks = nn.Sequential(*(_Residual(width) for _ in range(blocks)))
        self.leave = nn.Conv2d(width, 3 * STRIDE**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor, reached: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        even = F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate") if h % STRIDE or w % STRIDE else x
        packed = F.pixel_unshuffle(even - 0.5, STRIDE) * 4
        state = (reached / 4 - 1.25).view(-1, 1, 1, 1)
        features = self.enter(torch.cat([packed, state.expand(-1, 1, *packed.shape[-2:])], 1))
        correction = self.leave(F.leaky_relu(self.blocks(features), SLOPE))
        return x + F.pixel_shuffle(correction, STRIDE)[..., :h, :w] * 0.1 * torch.exp2(4 * state)

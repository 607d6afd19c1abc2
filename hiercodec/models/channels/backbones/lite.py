"""`lite`: residual convolutional paths around the layered KLT, cheap enough for a laptop (design §2).

y  = KLT residual of the block + f_a(x)         f_a: stride 4 → stride 16, last layer starts at zero
x̂  = inverse KLT + f_s(ŷ, inverse KLT)          f_s: stride 16 → stride 4 → pixels, last layer starts at zero
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiercodec.models.channels.layers import ResBlock, conv3, zero_init
from hiercodec.models.registry import Backbone


class LiteAnalysis(nn.Module):
    """f_a: x (B, 3, H, W) in 0…1 → what the learned path adds to y (B, M, H/16, W/16)."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.PixelUnshuffle(4),  # (B, 48, H/4, W/4)
            conv3(48, n),
            ResBlock(n),
            ResBlock(n),
            nn.PixelUnshuffle(4),  # (B, 16n, H/16, W/16)
            nn.Conv2d(16 * n, 2 * n, 1),
            ResBlock(2 * n),
            ResBlock(2 * n),
            nn.LeakyReLU(0.1),
            zero_init(nn.Conv2d(2 * n, m, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x - 0.5)


class LiteSynthesis(nn.Module):
    """f_s: ŷ (B, M, h, w) and x̂_lin (B, 3, 16h, 16w) → the correction added to x̂_lin."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.latent = nn.Sequential(
            conv3(m, 2 * n), ResBlock(2 * n), ResBlock(2 * n), nn.Conv2d(2 * n, 16 * n, 1), nn.PixelShuffle(4)
        )
        self.pixels = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, n, 1))
        self.net = nn.Sequential(*(ResBlock(n) for _ in range(3)), nn.LeakyReLU(0.1), zero_init(conv3(n, 48)))
        self.shuffle = nn.PixelShuffle(4)

    def forward(self, y_hat: Tensor, x_lin: Tensor) -> Tensor:
        features = self.latent(torch.asinh(y_hat)) + self.pixels(x_lin - 0.5)  # (B, n, 4h, 4w)
        return self.shuffle(self.net(features))


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
        return self.net(F.pad(torch.asinh(y), (0, -w % 4, 0, -h % 4), mode="replicate"))


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


BACKBONE = Backbone(
    f_a=lambda p: LiteAnalysis(p.n, p.m),
    f_s=lambda p: LiteSynthesis(p.n, p.m),
    h_a=lambda p: LiteHyperAnalysis(p.m, p.width, p.n_hyper),
    h_s=lambda p: LiteHyperSynthesis(p.n_hyper, p.width),
)

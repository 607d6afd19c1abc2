"""`tic`: the paper's backbone (Lu et al., *Transformer-based Image Compression*, arXiv 2111.06707), N=192, M=320.

Convolutions alternate with residual Swin blocks of windows 8 (4 in the hyper-networks); windows are padded inside the
partition, so any image whose sides are multiples of 16 works.

With a linear path (`Preset.linear`) the networks are residual, as `lite`'s are: their last layers start at zero, the
synthesis sees what the linear path reconstructs, and latents, which are then counted in steps of the KLT, are read
through asinh.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiercodec.models.channels.layers import RSTB, zero_init
from hiercodec.models.registry import Backbone


def _heads(n: int, wanted: int) -> int:
    """The largest head count ≤ `wanted` that divides n."""
    return next(h for h in range(wanted, 0, -1) if n % h == 0)


def _down(c_in: int, c_out: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, kernel, stride=2, padding=kernel // 2)


def _up(c_in: int, c_out: int, kernel: int = 3) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(c_in, c_out, kernel, stride=2, padding=kernel // 2, output_padding=1)


class TicAnalysis(nn.Module):
    """g_a: x (B, 3, H, W) → y (B, M, H/16, W/16), or with `residual` what is added to the linear path's y."""

    def __init__(self, n: int, m: int, depths: tuple[int, ...] = (2, 4, 6), *, residual: bool = False) -> None:
        super().__init__()
        a, b, c = depths
        self.net = nn.Sequential(
            _down(3, n, 5),
            RSTB(n, a, _heads(n, 4), 8),
            _down(n, n),
            RSTB(n, b, _heads(n, 8), 8),
            _down(n, n),
            RSTB(n, c, _heads(n, 16), 8),
            zero_init(_down(n, m)) if residual else _down(n, m),
        )
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x - 0.5 if self.residual else x)


class TicSynthesis(nn.Module):
    """g_s: ŷ (B, M, h, w) → x̂ (B, 3, 16h, 16w); with `residual` the correction to x̂_lin, which it is given as well."""

    def __init__(self, n: int, m: int, depths: tuple[int, ...] = (2, 4, 6), *, residual: bool = False) -> None:
        super().__init__()
        a, b, c = depths
        self.net = nn.Sequential(
            _up(m, n),
            RSTB(n, c, _heads(n, 16), 8),
            _up(n, n),
            RSTB(n, b, _heads(n, 8), 8),
            _up(n, n),
            RSTB(n, a, _heads(n, 4), 8),
            zero_init(_up(n, 3, 5)) if residual else _up(n, 3, 5),
        )
        self.pixels = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, n, 1)) if residual else None

    def forward(self, y_hat: Tensor, x_lin: Tensor | None = None) -> Tensor:
        if self.pixels is None or x_lin is None:
            return self.net(y_hat)
        features = self.net[:3](torch.asinh(y_hat)) + self.pixels(x_lin - 0.5)  # (B, n, 4h, 4w)
        return self.net[3:](features)


class TicHyperAnalysis(nn.Module):
    """h_a: y (B, M, h, w) → z (B, C_z, ⌈h/4⌉, ⌈w/4⌉); `compress` reads y through asinh."""

    def __init__(self, m: int, n: int, n_hyper: int, *, compress: bool = False) -> None:
        super().__init__()
        self.compress = compress
        self.net = nn.Sequential(
            nn.Conv2d(m, n, 3, padding=1),
            RSTB(n, 2, _heads(n, 16), 4),
            _down(n, n),
            RSTB(n, 2, _heads(n, 16), 4),
            _down(n, n_hyper),
        )

    def forward(self, y: Tensor) -> Tensor:
        h, w = y.shape[-2:]
        y = torch.asinh(y) if self.compress else y
        return self.net(F.pad(y, (0, -w % 4, 0, -h % 4), mode="replicate"))


class TicHyperSynthesis(nn.Module):
    """h_s: ẑ → features (B, C, h, w) on a grid of 4× its size; the caller crops."""

    def __init__(self, n_hyper: int, n: int, out: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            _up(n_hyper, n),
            RSTB(n, 2, _heads(n, 16), 4),
            _up(n, n),
            RSTB(n, 2, _heads(n, 16), 4),
            nn.Conv2d(n, out, 3, padding=1),
        )

    def forward(self, z_hat: Tensor) -> Tensor:
        return self.net(z_hat)


BACKBONE = Backbone(
    f_a=lambda p: TicAnalysis(p.n, p.m, p.depths, residual=p.linear is not None),
    f_s=lambda p: TicSynthesis(p.n, p.m, p.depths, residual=p.linear is not None),
    h_a=lambda p: TicHyperAnalysis(p.m, p.n, p.n_hyper, compress=p.linear is not None),
    h_s=lambda p: TicHyperSynthesis(p.n_hyper, p.n, p.width),
)

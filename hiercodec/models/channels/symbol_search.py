"""What an encoder may try beyond rounding: symbols moved by ones to where error and bits together cost least.

    J(s) = |F(x̂(s)) − F(x)|² + price · bits(s)        F: pixels, and whatever else is to survive

Blocks take turns, coarse first, each for the picture that ends with it. With everything before it coded, a block's scales
and μ are fixed and bits are read off the coder's tables. The error is seen through its gradient g and its mean curvature h
a channel, so that one step up or down is worth

    ΔJ(s ± 1) ≈ ± g + h / 2 + price · Δbits

Of all moves with ΔJ < 0 the best are made at once; where J really fell their share grows, else they are taken back and it
shrinks. Rounding stays whole throughout: gradient descent through straight-through rounding or noise (Campos et al.,
arXiv 1906.01845; Yang et al., arXiv 2006.04240) has to close a gap between what is descended and what is coded. No random
number that is not fixed, and no change of format: any decoder reads the result.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.errors import InputError
from hiercodec.models.channels.blocks import Block
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.common import Keep
from hiercodec.stream.tables import PRECISION

FIRST_SHARE, GROWTH, SHRINKAGE, LEAST_SHARE = 0.15, 1.5, 0.4, 0.001
"""The share of the moves made at first, how it changes with success and failure, and where trying ends."""


class Descent:
    """Improves the blocks of one picture x (1, 3, H, W) in 0…1 one after another: `block` → better symbols.

    `InputError` for a network whose preset has no `prices`.
    """

    def __init__(self, network: HierNetwork, x: Tensor, steps: int, keep: Keep | None = None) -> None:
        self._network, self._x, self._steps, self._keep = network, x, steps, keep
        self._prices = network.preset.prices
        if not self._prices:
            raise InputError(
                f"an effort weighs bits against errors by the model's prices, and the preset of {network.preset.name!r} has "
                "none: encode without an effort"
            )
        self._before: list[Tensor] = []  # ŷ of the blocks that are settled, float32 where the network lives
        with torch.no_grad():
            self._kept = [] if keep is None else keep.of(x)

    @torch.inference_mode(False)
    @torch.enable_grad()
    def __call__(self, block: Block) -> Tensor:
        """Symbols (1, width_j, h, w) for the next block, no dearer than the given ones."""
        price = self._price
        mu, bits = block.mu.clone(), Bits(block.scale.clone())
        best, lowest, share = block.symbols.clone(), float("inf"), FIRST_SHARE
        symbols, worth = best, best
        curvature = None
        for step in range(self._steps + 1):
            y_hat = (symbols + mu).to(self._x).requires_grad_()
            residuals = self._residuals(y_hat)
            error = torch.stack([r.square().sum() for r in residuals]).sum()
            total = float(error.detach()) + price * float(bits(symbols).sum())
            improved = total < lowest
            if step:
                share = min(1.0, share * (GROWTH if improved else SHRINKAGE))
            if improved:
                best, lowest = symbols, total
                if step < self._steps:
                    if curvature is None:
                        curvature = _curvature(residuals, y_hat)
                    (gradient,) = torch.autograd.grad(error, y_hat)
                    worth, direction = bits.moves(best, gradient.to(best), curvature.to(best), price)
            if step == self._steps or share < LEAST_SHARE or not (worth > 0).any():
                break
            chosen = worth >= torch.quantile(worth[worth > 0], 1 - share)
            symbols = best + direction * chosen
        self._before.append((best + mu).to(self._x))
        return best

    @property
    def _price(self) -> float:
        """That of a bit of the block whose turn it is."""
        return self._prices[min(len(self._before), len(self._prices) - 1)]

    def _residuals(self, y_hat: Tensor) -> list[Tensor]:
        """What differs from the original in the picture that ends with ŷ_j, each tensor in the unit of pixels."""
        known = torch.cat([*self._before, y_hat], 1)
        known = torch.nn.functional.pad(known, (0, 0, 0, 0, 0, self._network.plan.channels - known.shape[1]))
        x_hat = self._network.g_s(known)
        residuals = [x_hat - self._x]
        if self._keep is not None:
            weight = self._keep.weight * self._price / self._prices[0] * self._x.numel()
            lost = self._keep.differences(x_hat, self._kept, weight)
            residuals += [change.to(self._x) for change in lost]  # the classifier may live elsewhere
        return residuals


def _curvature(residuals: Sequence[Tensor], y_hat: Tensor) -> Tensor:
    """Mean curvature of Σ residual² a channel of ŷ, (1, C, 1, 1): 2·diag(JᵀJ) by one fixed probe of signs (Hutchinson)."""
    generator = torch.Generator().manual_seed(0)
    probes = [(2 * torch.randint(0, 2, r.shape, generator=generator) - 1).to(r) for r in residuals]
    probed = torch.stack([(r * v).sum() for r, v in zip(residuals, probes, strict=True)]).sum()
    (slope,) = torch.autograd.grad(probed, y_hat, retain_graph=True)
    return 2 * slope.square().mean((2, 3), keepdim=True)


class Bits:
    """Bits of symbols at scale indexes `scale`, both (1, C, h, w), by the tables that code them."""

    def __init__(self, scale: Tensor) -> None:
        self._scale = scale.long()

    def __call__(self, symbols: Tensor) -> Tensor:
        """Float64, as `symbols`; infinite outside a table."""
        table = _table_bits()
        return table[self._scale, symbols.long() + table.shape[1] // 2]

    def moves(self, symbols: Tensor, gradient: Tensor, curvature: Tensor, price: float) -> tuple[Tensor, Tensor]:
        """What the better of both neighbours saves of J, by the module's formula, and whether it is 1 above or below."""
        now = self(symbols)
        up, down = (-(by * gradient + curvature / 2 + price * (self(symbols + by) - now)) for by in (1, -1))
        return torch.maximum(up, down), torch.where(up >= down, 1.0, -1.0).to(symbols)


@functools.lru_cache(maxsize=1)
def _table_bits() -> Tensor:
    """Bits of every symbol at every scale (float64, (64, 2r + 3)), symbol 0 in the middle; infinite outside a table."""
    tables = stream.gaussian_tables()
    reach = max(len(pmf) for pmf in tables.pmfs) // 2 + 1
    out = np.full((len(tables), 2 * reach + 1), np.inf)
    for row, offset, pmf in zip(out, tables.offsets, tables.pmfs, strict=True):
        row[offset + reach : offset + reach + len(pmf)] = PRECISION - np.log2(pmf)
    return torch.from_numpy(out)

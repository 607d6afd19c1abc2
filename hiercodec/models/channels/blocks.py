"""The one block loop: what coding and training do to a latent, block after block, each in its own arithmetic.

    for every block j:   σ, μ    = entropy(P, ŷ_<j)       σ as the arithmetic counts it, μ on a grid
                         symbol  = nearest(r_j − μ)       r_j: what the blocks before left of y_j
                         ŷ_j     = symbol + μ  ──────────► the next block's context, and the latent

Training rounds straight through, so that gradients pass; coding rounds for good (`coding.Exact`). Nothing else differs,
so what training counts is what files cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hiercodec.models.channels.entropy import PrefixEntropyModel
from hiercodec.models.channels.network import Latent

MEAN_STEPS = 16
"""The μ grid: multiples of 1/16 of a quantisation step, in 16 bits."""


class StraightThrough:
    """Differentiable arithmetic: values are rounded, gradients pass as if they were not."""

    def snap(self, smooth: Tensor, rounded: Tensor) -> Tensor:
        """`rounded`, or what stands for it where gradients are wanted."""
        return smooth + (rounded - smooth).detach()

    def scale(self, sigma: Tensor) -> Tensor:
        """What a symbol's probabilities are looked up by."""
        return sigma

    def saturate(self, symbols: Tensor, scale: Tensor) -> Tensor:
        """Symbols that can be coded; training takes all of them to be."""
        return symbols

    def nearest(self, offset: Tensor, dead_zone: float) -> Tensor:
        """The nearest integers, the zero bin `dead_zone` wider on either side."""
        return self.snap(offset, offset.sign() * torch.floor(offset.abs() + (0.5 - dead_zone)))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A coded block: scale, μ, symbols and ŷ, each (B, width_j, h, w)."""

    scale: Tensor
    mu: Tensor
    symbols: Tensor
    y_hat: Tensor


class BlockLoop:
    """The walk over one latent's blocks, coarse first, from the hyper-features P (B, C, h, w).

    `hyper` is P; `blocks` holds the ŷ (B, width_j, h, w) of every block so far.
    """

    def __init__(self, entropy: PrefixEntropyModel, hyper: Tensor, arithmetic: StraightThrough) -> None:
        self._entropy, self.hyper, self._arithmetic = entropy, hyper, arithmetic
        self.blocks: list[Tensor] = []

    def parameters(self) -> tuple[Tensor, Tensor]:
        """The next block's scale and μ, each (B, width_j, h, w)."""
        b, _, h, w = self.hyper.shape
        before = torch.cat(self.blocks, 1) if self.blocks else self.hyper.new_zeros(b, 0, h, w)
        sigma, mu = self._entropy.block_parameters(len(self.blocks), self.hyper, before)
        grid = torch.round(mu * MEAN_STEPS).clamp(-32768, 32767) / MEAN_STEPS
        return self._arithmetic.scale(sigma), self._arithmetic.snap(mu, grid)

    def advance(self, symbols: Tensor, mu: Tensor) -> Tensor:
        """Take the next block's symbols for known; returns its ŷ."""
        self.blocks.append(symbols + mu)
        return self.blocks[-1]

    def code(
        self, latent: Latent, dead_zone: Sequence[float], improve: Callable[[Block], Tensor] | None = None
    ) -> Iterator[Block]:
        """Quantise `latent` block by block; `dead_zone` has one a block, in quantisation steps, at most 0.5.

        `improve` may choose other symbols for a block than the nearest.
        """
        plan = self._entropy.plan
        for j, zone in zip(range(len(plan)), dead_zone, strict=True):
            scale, mu = self.parameters()
            offset = latent.block(j, plan).to(mu) - mu
            symbols = self._arithmetic.saturate(self._arithmetic.nearest(offset, zone), scale)
            if improve is not None:
                symbols = improve(Block(scale, mu, symbols, symbols + mu))
            y_hat = self.advance(symbols, mu)
            latent.advance(j, y_hat)
            yield Block(scale, mu, symbols, y_hat)

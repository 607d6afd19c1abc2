"""Decoding one stream at many lengths: what several prefixes share is worked out once, and kept by whoever asked for it.

data ──codec.prefixes──► PrefixDecoder ──at(n), each(n, …)──► Decoded: the picture of the first n bytes, its level, its bits
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.arguments import Source
from hiercodec.errors import ParameterDesync
from hiercodec.models.channels.blocks import BlockLoop
from hiercodec.models.channels.coding import BlockParameters
from hiercodec.models.common import Prefixes

if TYPE_CHECKING:
    from hiercodec.models.channels.codec import Codec

FADE = 0.1
"""Share of an opened block's symbols at which its missing ones are filled with all of μ, and not a part of it.

A missing block is zero, a missing symbol μ: filled so, a picture lost up to 0.3 dB where a block began. Fading μ in as they
arrive is as good as either rule or better at every length that was tried (Kodak 12 and 23). The first block, before which
there is no picture, takes all of μ.
"""


class PrefixDecoder(Prefixes):
    """Entropy parameters and complete blocks are worked out once for all prefixes of a stream."""

    _codec: Codec

    def __init__(self, codec: Codec, data: Source, *, bit_map: bool = False) -> None:
        super().__init__(codec, data, bit_map=bit_map)
        self._loop: BlockLoop | None = None
        self._parameters: list[BlockParameters] = []
        self._costs: list[np.ndarray] = []  # of the blocks that `_loop` has been through

    @torch.inference_mode()
    def latent(self, n_bytes: int | None = None) -> tuple[Tensor, str | None, bool, np.ndarray]:
        """ŷ float32 (1, M, h, w) of the first `n_bytes`, the last complete level, whether more arrived, bits (h, w).

        The bits are zero unless the decoder was made for a map of them.
        """
        codec, parsed = self._codec, self.stream.cut(n_bytes)
        grid, _ = codec.grids(parsed.header)
        out, bits = torch.zeros(1, codec.plan.channels, *grid), np.zeros(grid)
        reached, more = None, False
        for j, section in enumerate(parsed.blocks):
            if section.check is None:
                break  # not even the block's own header arrived
            loop, block = self._block(j)
            if section.check != block.check:
                raise ParameterDesync(
                    f"entropy parameters of block {section.name!r} differ from the encoder's; decoding stopped before it",
                    block=section.name,
                    offset=section.offset,
                )
            if section.complete and j < len(loop.blocks):
                y_hat, cost = loop.blocks[j], self._costs[j]
            else:
                symbols, cost, valid = self._symbols(section, block)
                if section.complete:
                    y_hat = loop.advance(symbols, block.mu)
                    self._costs.append(cost)
                else:
                    y_hat = symbols + block.mu
                    more = valid > 0
                    if j:
                        y_hat.view(-1)[block.order[valid:]] *= min(1.0, valid / y_hat.numel() / FADE)
            out[:, codec.plan[j].channels] = y_hat.float()
            bits += cost
            if not section.complete:
                break
            reached = section.name
        return out, reached, more, bits

    def _block(self, j: int) -> tuple[BlockLoop, BlockParameters]:
        """Block j's parameters; every block before it has been decoded whole."""
        if self._loop is None:
            self._loop = self._codec.start(self.stream)
        if j == len(self._parameters):
            self._parameters.append(self._codec.coding.parameters(self._loop))
        return self._loop, self._parameters[j]

    def _symbols(self, section: stream.Section, block: BlockParameters) -> tuple[Tensor, np.ndarray, int]:
        """Symbols (1, width_j, h, w) of a block, their bits (h, w) for a map, and how many of them the section holds."""
        tables = stream.gaussian_tables()
        coded, valid = stream.decode_symbols(section.payload, block.indexes, tables, complete=section.complete)
        symbols = np.zeros(block.mu.shape)
        symbols.reshape(-1)[block.order] = coded
        cost = np.zeros(block.mu.shape)
        if self._bit_map:
            cost.reshape(-1)[block.order[:valid]] = tables.bits(coded[:valid], block.indexes[:valid])
        return torch.from_numpy(symbols), cost[0].sum(0), valid

"""Decoding one stream at many lengths: what several prefixes share is worked out once, and kept by whoever asked for it.

data ──codec.prefixes──► PrefixDecoder ──at(n)──► Decoded: the picture of the first n bytes, its level, its bits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.errors import ParameterDesync

if TYPE_CHECKING:
    from hiercodec.models.codec import Codec

FADE = 0.1
"""Share of an opened block's symbols at which its missing ones are filled with all of μ, and not a part of it.

A missing block is zero, a missing symbol μ: filled so, a picture lost up to 0.3 dB where a block began. Fading μ in as they
arrive is as good as either rule or better at every length that was tried (Kodak 12 and 23). The first block, before which
there is no picture, takes all of μ.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture from a prefix: uint8 (H, W, 3), the last complete level (None before the first), and how far it got.

    `fraction` is the share of the open block's symbols that were there (1.0 when the stream is complete); `bytes` is how
    many bytes were given. `bits`, where asked for, is float64 (h, w): what the symbols that were there cost at every
    position of the latent grid, in bits; all of them together are the payload of the blocks.
    """

    image: np.ndarray
    level: str | None
    fraction: float
    complete: bool
    bytes: int
    bits: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class _Block:
    """A block's scale indexes and means (width_j, h, w), its coding order and their checksum; once whole, ŷ and its bits."""

    indexes: np.ndarray
    means: np.ndarray
    order: np.ndarray
    check: int
    y_hat: np.ndarray | None = None
    bits: np.ndarray | None = None


class PrefixDecoder:
    """One stream, whole or cut, and the pictures of its prefixes; `Codec.prefixes` makes it.

    Entropy parameters and complete blocks are worked out once for all prefixes, in memory that grows with the picture and
    goes when this object does. `stream` is the parsed stream.
    """

    def __init__(self, codec: Codec, data: bytes, *, bit_map: bool = False) -> None:
        self._codec, self._data, self._bit_map = codec, bytes(data), bit_map
        self.stream = codec.parse(self._data)
        self._blocks: list[_Block] = []
        self._state = None

    def at(self, n_bytes: int | None = None) -> Decoded:
        """The picture of the first `n_bytes` (default: all).

        Equal to `Codec.decode(data[:n_bytes])`, and raises as it does. Any order of lengths will do.
        """
        n_bytes = len(self._data[:n_bytes])
        y_hat, level, fraction, bits = self.latent(n_bytes)
        image = self._codec.synthesise(y_hat, self.stream.header)
        return Decoded(image, level, fraction, n_bytes == self.stream.total_bytes, n_bytes, bits)

    @torch.inference_mode()
    def latent(self, n_bytes: int | None = None) -> tuple[Tensor, str | None, float, np.ndarray | None]:
        """ŷ float32 (1, M, h, w) of the first `n_bytes`, the last complete level, the open block's fraction, bits (h, w)."""
        codec, parsed = self._codec, self._codec.parse(self._data[:n_bytes])
        grid, _ = codec.grids(parsed.header)
        out = torch.zeros(1, codec.plan.channels, *grid)
        bits = np.zeros(grid) if self._bit_map else None
        reached, fraction = None, 0.0
        for j, section in enumerate(parsed.blocks):
            if section.check is None:
                break  # not even the block's own header arrived
            block = self._block(j)
            if section.check != block.check:
                raise ParameterDesync(
                    f"entropy parameters of block {section.name!r} differ from the encoder's; decoding stopped before it",
                    block=section.name,
                    offset=section.offset,
                )
            if section.complete and block.y_hat is not None:
                y_hat, cost = block.y_hat, block.bits
            else:
                symbols, cost, valid = self._symbols(section, block)
                y_hat = symbols + codec.coding.mean_values(block.means)
                if section.complete:
                    block.y_hat, block.bits = y_hat, cost
                    codec.coding.advance(self._state, symbols, block.means)
                else:
                    fraction = valid / max(1, y_hat.size)
                    if j:
                        y_hat.reshape(-1)[block.order[valid:]] *= min(1.0, fraction / FADE)
            out[0, codec.plan[j].channels] = torch.from_numpy(y_hat).float()
            if bits is not None and cost is not None:
                bits += cost
            if not section.complete:
                break
            reached = section.name
        return out, reached, 1.0 if parsed.complete else fraction, bits

    def _symbols(self, section: stream.Section, block: _Block) -> tuple[np.ndarray, np.ndarray | None, int]:
        """What a section holds of its block: symbols (width_j, h, w), their bits (h, w) if asked for, how many are there."""
        shape, symbols = block.indexes.shape, np.zeros(block.indexes.size, np.int32)
        tables, indexes = self._codec.y_tables, block.indexes.reshape(-1)[block.order]
        coded, valid = stream.decode_symbols(section.payload, indexes, tables, complete=section.complete)
        symbols[block.order] = coded
        if not self._bit_map:
            return symbols.reshape(shape), None, valid
        cost = np.zeros(symbols.size)
        cost[block.order[:valid]] = tables.bits(coded[:valid], indexes[:valid])
        return symbols.reshape(shape), cost.reshape(shape).sum(0), valid

    def _block(self, j: int) -> _Block:
        """Block j's parameters; every block before it must have been decoded whole."""
        if self._state is None:
            self._state = self._codec.start(self.stream)
        if j == len(self._blocks):
            indexes, means = self._codec.coding.parameters(self._state, j)
            order, check = stream.order(indexes.reshape(-1)), stream.checksum(indexes, means)
            self._blocks.append(_Block(indexes, means, order, check))
        return self._blocks[j]

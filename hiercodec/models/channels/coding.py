"""The coding path: entropy parameters whose result is the same on any device, thread count and batch size.

Float32 differs between thread counts and devices by about 1e-7, enough to move a σ over a table boundary and so to
desynchronise an entropy coder. Here the parameter networks run in float64 on the CPU, one image at a time, and their
results are rounded: σ to one of 64 table indexes, μ to multiples of 1/16. A checksum of both travels with each block, so
a mismatch would be a `ParameterDesync` and never a picture.

Why there is none to be expected: what goes in (symbols, μ on its grid, weights in half precision) is exactly the same
everywhere, transforms and their device never reach it, and sums taken in another order move a result by some 1e-14, while
the nearest that a σ or μ of 30 photographs came to a boundary is some 1e-9. `python -m tools.symbols` measures both, and
docs/robustness.md has the figures. An encoder's own symbols are another matter: they are rounded from float32 transforms,
so another kernel may choose a neighbouring symbol here and there. Its file differs, is as good, and decodes everywhere.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.models.channels.blocks import MEAN_STEPS, Block, BlockLoop, StraightThrough
from hiercodec.models.channels.entropy import PrefixEntropyModel
from hiercodec.models.channels.order import DEFAULT, coding_order


class Exact(StraightThrough):
    """Arithmetic for float64 on the CPU: values are rounded, scales are table indexes, symbols stay inside their tables."""

    def snap(self, smooth: Tensor, rounded: Tensor) -> Tensor:
        """`rounded` and nothing else."""
        return rounded

    def scale(self, sigma: Tensor) -> Tensor:
        """Scale indexes, uint8."""
        return torch.from_numpy(stream.scale_indexes(sigma.numpy()))

    def saturate(self, symbols: Tensor, scale: Tensor) -> Tensor:
        """The nearest symbols that the tables hold."""
        return torch.from_numpy(stream.gaussian_tables().clamp(symbols.numpy(), scale.numpy())).to(symbols)


class CodingPath:
    """float64 copies of the parameter networks, and the payloads that their exact results make.

    `z_tables` has one table a channel of z, `medians` (C_z,) are the centres of its quantisation grid; `order` names the
    ordering policy of the blocks.
    """

    def __init__(
        self, entropy: PrefixEntropyModel, z_tables: stream.Tables, medians: np.ndarray, order: str = DEFAULT
    ) -> None:
        self.entropy = copy.deepcopy(entropy).cpu().double().eval().requires_grad_(False)
        self.z_tables, self._order = z_tables, order
        self.medians = torch.from_numpy(np.asarray(medians, np.float64)).view(-1, 1, 1)

    def _z_indexes(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.repeat(np.arange(len(self.medians)), shape[-2] * shape[-1])

    def write_z(self, z: Tensor) -> tuple[np.ndarray, bytes]:
        """Symbols (int32, C_z·hz·wz) of a hyper-latent (1, C_z, hz, wz), and their payload."""
        symbols = torch.round(z[0].double().cpu() - self.medians).numpy().reshape(-1)
        indexes = self._z_indexes(z.shape)
        symbols = self.z_tables.clamp(symbols, indexes)
        return symbols, stream.encode_symbols(symbols, indexes, self.z_tables)

    def read_z(self, payload: bytes, shape: tuple[int, int]) -> np.ndarray:
        """Symbols (int32, C_z·hz·wz) of a complete payload; `shape` is (hz, wz)."""
        return stream.decode_symbols(payload, self._z_indexes(shape), self.z_tables, complete=True)[0]

    @torch.inference_mode()
    def start(self, z_symbols: np.ndarray, shape: tuple[int, int], grid: tuple[int, int]) -> BlockLoop:
        """Begin an image from its z symbols on the grid `shape` (hz, wz); its latent has the grid (h, w)."""
        z_hat = torch.from_numpy(z_symbols.reshape(-1, *shape)) + self.medians
        return BlockLoop(self.entropy, self.entropy.hyper_features(z_hat[None], grid), Exact())

    def write(self, block: Block) -> tuple[bytes, int]:
        """A block's payload and the checksum of its parameters."""
        parameters = BlockParameters(block.scale, block.mu, self._order)
        symbols = block.symbols.numpy().astype(np.int32).reshape(-1)[parameters.order]
        return stream.encode_symbols(symbols, parameters.indexes, stream.gaussian_tables()), parameters.check

    @torch.inference_mode()
    def parameters(self, loop: BlockLoop) -> BlockParameters:
        """What decoding the next block of `loop` needs."""
        return BlockParameters(*loop.parameters(), self._order)


class BlockParameters:
    """A block as its decoder must know it: μ (1, width_j, h, w) float64, and for its n symbols their `order`.

    `indexes` (n,) are the scale indexes in that order; `check` is the checksum of indexes and μ.
    """

    def __init__(self, scale: Tensor, mu: Tensor, policy: str) -> None:
        indexes = scale.numpy()
        self.mu, self.order = mu, coding_order(policy, indexes)
        self.indexes = indexes.reshape(-1)[self.order]
        self.check = stream.checksum(indexes, (mu * MEAN_STEPS).to(torch.int16).numpy())

"""The coding path: entropy parameters whose result is the same on any device, thread count and batch size.

Float32 differs between thread counts and devices by about 1e-7, enough to move a σ over a table boundary and so to
desynchronise an entropy coder. Here the parameter networks run in float64 on the CPU, one image at a time, where the
differences are about 1e-15, and their results are rounded: σ to one of 64 table indexes, μ to multiples of 1/16. A
checksum of both travels with each block, so the rare remaining mismatch is a `ParameterDesync` and never a picture.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.models.entropy import MEAN_STEPS, PrefixEntropyModel


@dataclass(slots=True)
class CodingState:
    """What is known so far of one image: P and the decoded blocks, float64 on the CPU."""

    hyper: Tensor
    blocks: list[Tensor] = field(default_factory=list)


class CodingPath:
    """float64 copies of the parameter networks, and the rounding that makes their results exact.

    `medians` (C_z,) are the centres of the hyper-latent's quantisation grid.
    """

    def __init__(self, entropy: PrefixEntropyModel, medians: np.ndarray) -> None:
        self.medians = np.asarray(medians, np.float64)
        self._entropy = copy.deepcopy(entropy).cpu().double().eval().requires_grad_(False)
        self._plan = entropy.plan

    @torch.inference_mode()
    def start(self, z_symbols: np.ndarray, grid: tuple[int, int]) -> CodingState:
        """Begin an image from its hyper-latent symbols (C_z, hz, wz) on the latent grid (h, w)."""
        z_hat = torch.from_numpy(z_symbols.astype(np.float64) + self.medians[:, None, None])[None]
        return CodingState(self._entropy.hyper_features(z_hat, grid))

    @torch.inference_mode()
    def parameters(self, state: CodingState, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Block j's scale indexes (uint8) and means (int16, in 1/16), each (width_j, h, w)."""
        h, w = state.hyper.shape[-2:]
        before = torch.cat(state.blocks, 1) if state.blocks else state.hyper.new_zeros(1, 0, h, w)
        sigma, mu = self._entropy.block_parameters(j, state.hyper, before)
        mean = torch.round(mu[0] * MEAN_STEPS).clamp(-32768, 32767)
        return stream.scale_indexes(sigma[0].numpy()), mean.to(torch.int16).numpy()

    @staticmethod
    def mean_values(means: np.ndarray) -> np.ndarray:
        """Grid means → values in quantisation steps, float64."""
        return means.astype(np.float64) / MEAN_STEPS

    @classmethod
    def quantise(cls, r: np.ndarray, means: np.ndarray, dead_zone: float) -> np.ndarray:
        """Symbols (int32) of latents r (width_j, h, w): r - μ to the nearest integer, with a wider zero bin."""
        offset = r.astype(np.float64) - cls.mean_values(means)
        return (np.sign(offset) * np.floor(np.abs(offset) + (0.5 - dead_zone))).astype(np.int32)

    def advance(self, state: CodingState, symbols: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Record a block's symbols (width_j, h, w) and return its ŷ = symbol + μ, float64, same shape."""
        y_hat = symbols + self.mean_values(means)
        state.blocks.append(torch.from_numpy(y_hat)[None])
        return y_hat

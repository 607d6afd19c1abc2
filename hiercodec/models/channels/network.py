"""All networks of a codec under one roof, and the latent they make of a picture.

x ──g_a──► y, block by block ──h_a──► z
x̂ ◄──g_s── ŷ (missing blocks: 0)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hiercodec.levels import LevelPlan
from hiercodec.models.channels.backbones import BACKBONES
from hiercodec.models.channels.config import Preset
from hiercodec.models.channels.entropy import PrefixEntropyModel
from hiercodec.models.channels.linear import LayeredKLT


class HierNetwork(nn.Module):
    """All networks of one codec in CompressAI's vocabulary: `g_a`, `g_s`, and `entropy` with `h_a`, `h_s`.

    Tensors: x (B, 3, H, W) in 0…1 with H, W multiples of 16; y, ŷ (B, M, H/16, W/16); z (B, C_z, ⌈H/64⌉, ⌈W/64⌉).
    """

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset, self.plan = preset, preset.plan
        self.linear = LayeredKLT(preset.linear, preset.plan) if preset.linear else None
        backbone = BACKBONES[preset.transform]
        self.f_a, self.f_s = backbone.f_a(preset), backbone.f_s(preset)
        self.entropy = PrefixEntropyModel(preset)

    def g_a(self, x: Tensor) -> Latent:
        """Analysis: y before any block is coded, and the means to take from it what a block already carries."""
        learned = self.f_a(x)
        with torch.autocast(x.device.type, enabled=False):  # the KLT needs float32 precision
            learned = learned.float()
            return LinearLatent(learned, self.linear, self.linear.project(x)) if self.linear else Latent(learned)

    def g_s(self, y_hat: Tensor) -> Tensor:
        """Synthesis: ŷ (B, M, h, w), missing blocks zero → x̂ (B, 3, 16h, 16w), not clamped."""
        if self.linear is None:
            return self.f_s(y_hat)
        with torch.autocast(y_hat.device.type, enabled=False):
            x_lin = self.linear.reconstruct(self.linear.approximate(y_hat))
        return x_lin + self.f_s(y_hat, x_lin)


class Latent:
    """y, block by block, as (B, width_j, h, w); what `learned` holds of it, without a linear path."""

    def __init__(self, learned: Tensor) -> None:
        self._learned = learned

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the latent grid."""
        return self._learned.shape[-2], self._learned.shape[-1]

    def open_loop(self, plan: LevelPlan) -> Tensor:
        """(B, M, h, w): what each block would code if nothing had been sent; the hyper-encoder reads this."""
        return self._learned

    def block(self, j: int, plan: LevelPlan) -> Tensor:
        """r_j (B, width_j, h, w), given the blocks advanced so far."""
        return self._learned[:, plan[j].channels]

    def advance(self, j: int, y_hat: Tensor) -> None:
        """Tell the latent that block j was coded as ŷ_j (B, width_j, h, w)."""


class LinearLatent(Latent):
    """With a linear path: block j is coded after subtracting what ŷ_<j already carries of the components."""

    def __init__(self, learned: Tensor, linear: LayeredKLT, components: Tensor) -> None:
        super().__init__(learned)
        self._linear, self._components = linear, components
        self._approximation = torch.zeros_like(components)

    def open_loop(self, plan: LevelPlan) -> Tensor:
        zero = torch.zeros_like(self._components)
        return (
            torch.cat([self._linear.residual(j, self._components, zero) for j in range(len(plan))], 1) + self._learned
        )

    def block(self, j: int, plan: LevelPlan) -> Tensor:
        return super().block(j, plan) + self._linear.residual(j, self._components, self._approximation)

    def advance(self, j: int, y_hat: Tensor) -> None:
        self._approximation = self._linear.refine(j, self._approximation, y_hat.to(self._approximation))

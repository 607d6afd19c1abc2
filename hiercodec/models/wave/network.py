"""The networks of a wave codec around its wavelet, from pictures to weighted bands and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hiercodec.models.wave import wavelet
from hiercodec.models.wave.context import BANDS, ContextNetwork
from hiercodec.models.wave.filter import Filter
from hiercodec.models.wave.preset import WavePreset


class WaveNetwork(nn.Module):
    """Both networks of a wave codec: `context`, which feeds the entropy coder, and `filter`, which ends the synthesis."""

    def __init__(self, preset: WavePreset) -> None:
        super().__init__()
        self.preset, self.plan = preset, preset.plan
        self.context = ContextNetwork(preset.width, preset.planes)
        self.filter = Filter(preset.filter_width, preset.filter_blocks)

    def gains(self, like: Tensor) -> list[Tensor]:
        """The gains of [LL, scales…] as (1, C, 1, 1)."""
        rows = torch.tensor(self.preset.gains).to(like)
        return [rows[0].view(1, 3, 1, 1), *(row.repeat_interleave(3).view(1, BANDS, 1, 1) for row in rows[1:])]

    def analyse(self, x: Tensor) -> list[Tensor]:
        """x (B, 3, H, W) in 0…255 → the bands times their gains."""
        bands = wavelet.analyse(x)
        return [band * gain for band, gain in zip(bands, self.gains(x), strict=True)]

    def inverse(self, bands: Sequence[Tensor], height: int, width: int) -> Tensor:
        """Bands times their gains → x (B, 3, H, W) in 0…1, not clamped, before the filter."""
        even = [band / gain for band, gain in zip(bands, self.gains(bands[0]), strict=True)]
        return wavelet.synthesise(even, height, width) / 255

    def synthesise(self, bands: Sequence[Tensor], reached: Tensor, height: int, width: int) -> Tensor:
        """Bands times their gains, and log2 of the threshold reached (B,) → x̂ (B, 3, H, W) in 0…1, not clamped."""
        x = self.inverse(bands, height, width)
        return self.filter(x.contiguous(memory_format=torch.channels_last), reached)

"""What training makes of a batch: the indexes of a plane, the bits they cost, and the picture that they give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from hiercodec.models.wave.context import LOGIT, ContextNetwork, begun, pack
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.models.wave.planes import known_passes
from hiercodec.models.wave.wavelet import SCALES


def indexes(bands: Sequence[Tensor], threshold: Tensor) -> list[Tensor]:
    """Signed indexes of packed bands (B, C, h, w), a scale each, at `threshold` (B,)."""
    step = threshold.view(-1, 1, 1, 1)
    return [band.sign() * torch.floor(band.abs() / step) for band in bands]


def plane_bits(network: ContextNetwork, bands: Sequence[Tensor], plane: int, threshold: Tensor) -> Tensor:
    """Bits (B, scales) of a plane of the bands [LL, scales…] times their gains, by what `network` says, differentiable.

    Exactly what `models.wave.planes` codes: the first part of a plane tells likely significance only.
    """
    packed = pack(list(bands))
    before, now = indexes(packed, 2 * threshold), indexes(packed, threshold)
    there = begun(now)
    bits = torch.zeros_like(there)
    last = int(there.amax(0).sum()) - 1
    if last < 0:
        return bits
    columns = [torch.zeros(len(there), device=there.device) for _ in range(SCALES)]
    for step, old, new in known_passes(network, before, now, plane, last, there):
        significance, refinement, sign = (part.float() / LOGIT for part in step.logits.chunk(3, 1))
        known = old != 0
        cost = torch.where(known, _bits(refinement, new.abs() > 2 * old.abs()), _bits(significance, new != 0))
        cost = cost + torch.where(~known & (new != 0), _bits(sign, new > 0), 0.0)
        columns[step.scale] = columns[step.scale] + cost.sum((1, 2, 3))
    return torch.stack(columns, 1) * there


def _bits(logits: Tensor, outcome: Tensor) -> Tensor:
    """−log2 of the probability of a yes-or-no outcome, elementwise."""
    return F.binary_cross_entropy_with_logits(logits, outcome.to(logits), reduction="none") / math.log(2)


def degrade(network: WaveNetwork, x: Tensor, threshold: Tensor, cut: Tensor) -> tuple[Tensor, Tensor]:
    """What the planes down to `threshold` (B,) tell of pictures x (B, 3, H, W) in 0…1, before the filter.

    Returns it, in 0…1, and log2 of the threshold reached, as the decoder works it out. `cut` (B,) in 0…2 is how far the last
    plane has come: up to 1 its first part, scale by scale, then refinements too.
    """
    preset, step = network.preset, threshold.view(-1, 1, 1, 1)
    bands = network.analyse(x * 255)
    points = x.new_tensor(preset.table)
    out, known, every = [], x.new_zeros(len(x)), x.new_zeros(len(x))
    for scale, band in enumerate(bands):
        size = torch.floor(band.abs() / step)
        first, rest = (((cut - part) * len(bands) - scale).clamp(0, 1).view(-1, 1, 1, 1) for part in (0, 1))
        told = torch.rand_like(band) < torch.where(size >= 2, rest, first)
        size = torch.where(told, size, 2 * torch.floor(size / 2))
        point = points[torch.where(told, size, size / 2).clamp_max(4).long()]
        value = (size + point * torch.where(told, 1.0, 2.0)) * step
        out.append(band.sign() * torch.where(size > 0, value, 0.0))
        known = known + (told & (size > 0)).float().sum((1, 2, 3))
        every = every + (size > 0).float().sum((1, 2, 3))
    return network.inverse(out, x.shape[-2], x.shape[-1]), torch.log2(2 * threshold) - known / every.clamp_min(1)

"""Fitting what a model takes from a core, on training photographs: `hiercodec fit-core`.

photos ──► y, z, P as they are without a core ──► counts of z's symbols in every group: its tables
  └──► classifier ──► told path            └────► shifts of P, by the bits of the blocks (Adam)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from hiercodec.classify import core_of
from hiercodec.classify.classifier import Classifier
from hiercodec.models.blocks import BlockLoop, StraightThrough
from hiercodec.models.codec import Codec
from hiercodec.taxonomy import Hierarchy

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Photographs of one size as coding without a core sees them, and what their cores tell.

    z symbols int16 (n, C_z, hz, wz), features P float16 (n, C, h, w), what is left to code of y and ŷ, both float16
    (n, M, h, w), told groups and confidences int64 (n, levels).
    """

    z: Tensor
    hyper: Tensor
    left: Tensor
    y_hat: Tensor
    groups: Tensor
    confidences: Tensor

    def __len__(self) -> int:
        return len(self.z)


@torch.inference_mode()
def samples(codec: Codec, pictures: Iterable[np.ndarray], classifier: Classifier, hierarchy: Hierarchy, report: Report,
            batch: int = 8) -> Samples:  # fmt: skip
    """What `Samples` holds, of uint8 pictures (H, W, 3) of equal size, sides multiples of 16."""
    network, rows = codec.network, []
    levels = [level.assignment for level in hierarchy.levels]
    _, medians = codec.coding.z_prior
    centre = torch.from_numpy(medians).float().view(1, -1, 1, 1)
    stream_of = iter(pictures)
    while chunk := list(islice(stream_of, batch)):
        x = torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2).float() / 255
        latent = network.g_a(x)
        z = torch.round(network.entropy.h_a(latent.open_loop(codec.plan)) - centre)
        loop = BlockLoop(network.entropy, network.entropy.hyper_features(z + centre, latent.grid), StraightThrough())
        left = []
        for j, zone in enumerate(network.preset.dead_zone):
            left.append(latent.block(j, codec.plan))
            _, mu = loop.parameters()
            latent.advance(j, loop.advance(StraightThrough().nearest(left[-1] - mu, zone), mu))
        told = [core_of(p, hierarchy, classifier.sha256).path(levels) for p in classifier.probabilities(chunk)]
        path = torch.tensor(told)  # (batch, levels, 2)
        rows.append((z.short(), loop.hyper.half(), torch.cat(left, 1).half(), torch.cat(loop.blocks, 1).half(),
                     path[..., 0], path[..., 1]))  # fmt: skip
        report(f"{sum(len(row[0]) for row in rows)} photographs analysed")
    return Samples(*(torch.cat(part) for part in zip(*rows, strict=True)))

"""Fitting what a model takes from a core, on training photographs: `hiercodec fit-core`.

photos ──► P, y block by block, as they are without a core ──► shifts of P, by the bits of the blocks (Adam)
  └──► classifier ──► told path, a tenth of them another photograph's ──┘
"""

from __future__ import annotations

import copy
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
from hiercodec.models.conditioner import Conditioner
from hiercodec.models.entropy import PrefixEntropyModel
from hiercodec.stream.tables import SCALE_MIN
from hiercodec.taxonomy import Hierarchy

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Photographs of one size as coding without a core sees them, and what their cores tell.

    Features P (n, C, h, w), ŷ (n, M, h, w), both float16, symbols int16 (n, M, h, w), told groups and confidences int64
    (n, levels).
    """

    hyper: Tensor
    y_hat: Tensor
    symbols: Tensor
    groups: Tensor
    confidences: Tensor

    def __len__(self) -> int:
        return len(self.hyper)


@torch.no_grad()
def samples(
    codec: Codec, pictures: Iterable[np.ndarray], classifier: Classifier, hierarchy: Hierarchy, batch: int = 8
) -> Samples:
    """What `Samples` holds, of uint8 pictures (H, W, 3) of equal size, sides multiples of 16."""
    network, rows = codec.network, []
    levels = [level.assignment for level in hierarchy.levels]
    _, medians = codec.coding.z_prior
    centre = torch.from_numpy(medians).float().view(1, -1, 1, 1)
    left = iter(pictures)
    while chunk := list(islice(left, batch)):
        x = torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2).float() / 255
        latent = network.g_a(x)
        z = torch.round(network.entropy.h_a(latent.open_loop(codec.plan)) - centre)
        loop = BlockLoop(network.entropy, network.entropy.hyper_features(z + centre, latent.grid), StraightThrough())
        symbols = torch.cat([block.symbols for block in loop.code(latent, network.preset.dead_zone)], 1)
        told = [core_of(p, hierarchy, classifier.sha256).path(levels) for p in classifier.probabilities(chunk)]
        rows.append(
            (loop.hyper.half(), torch.cat(loop.blocks, 1).half(), symbols.short(), *torch.tensor(told).unbind(-1))
        )
    return Samples(*(torch.cat(part) for part in zip(*rows, strict=True)))


def fit(
    codec: Codec, found: Samples, hierarchy: Hierarchy, *, levels: int = 2, steps: int = 500, seed: int = 0,
    wrong: float = 0.1, rate: float = 3e-3, batch: int = 16, side: int = 7, report: Report = lambda text: None,
) -> Conditioner:  # fmt: skip
    """A conditioner on the groups of the first `levels`, by the bits of all blocks of `found`.

    A share `wrong` of the cores it learns from is another photograph's, so that it trusts none blindly. A step takes `batch`
    windows of `side`×`side` latent positions.
    """
    torch.manual_seed(seed)
    rng, entropy = np.random.default_rng(seed), copy.deepcopy(codec.network.entropy).requires_grad_(False)
    width = codec.network.preset.width
    shifts = [torch.zeros(level.k, width, requires_grad=True) for level in hierarchy.levels[:levels]]
    gates = torch.ones(levels, 4, requires_grad=True)
    optimiser = torch.optim.Adam([*shifts, gates], lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for step in range(steps):
        rows = rng.integers(len(found), size=batch)
        told = np.where(rng.random(batch) < wrong, rng.integers(len(found), size=batch), rows)
        top, first = (int(rng.integers(max(1, size - side + 1))) for size in found.hyper.shape[-2:])
        window = (rows, slice(None), slice(top, top + side), slice(first, first + side))
        shift = sum(
            gates[level, found.confidences[told, level], None] * shifts[level][found.groups[told, level]]
            for level in range(levels)
        )
        hyper = found.hyper[window].float() + shift[:, :, None, None]  # pyright: ignore[reportIndexIssue]
        loss = bits_of(entropy, hyper, found.y_hat[window].float(), found.symbols[window].float()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            report(f"step {step + 1}: {loss.item():.4f} bits a symbol")
    card = {
        "fingerprint": codec.fingerprint.hex(),
        "hierarchy": hierarchy.name,
        "hierarchy_digest": hierarchy.digest,
        "photos": len(found),
        "steps": steps,
        "seed": seed,
        "wrong": wrong,
    }
    groups = np.stack([level.assignment for level in hierarchy.levels]).astype(np.int16)
    numbers = [array.detach().half().numpy() for array in (gates, *shifts)]
    return Conditioner(groups, numbers[0], tuple(numbers[1:]), card)


def bits_of(entropy: PrefixEntropyModel, hyper: Tensor, y_hat: Tensor, symbols: Tensor) -> Tensor:
    """Bits of every symbol, (B, M, h, w), with scales from P as given and from the blocks before, ŷ."""
    parts = []
    for j, level in enumerate(entropy.plan):
        sigma = entropy.block_parameters(j, hyper, y_hat[:, : level.start])[0].clamp_min(SCALE_MIN) * 2**0.5
        size = symbols[:, level.channels].abs()
        mass = 0.5 * (torch.erfc((size - 0.5) / sigma) - torch.erfc((size + 0.5) / sigma))
        parts.append(-mass.clamp_min(1e-6).log2())
    return torch.cat(parts, 1)

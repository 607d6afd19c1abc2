"""Tiny codecs with random weights: every mechanism of the real ones at a hundredth of the cost."""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import load_file

from hiercodec.models import LITE, TIC, LinearBlock, LinearPath
from hiercodec.models.channels.config import Preset
from hiercodec.models.store import build, half, pack, save
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.models.wave.preset import WAVE

TINY_LITE = LITE.scaled(
    name="tiny-lite",
    n=8,
    n_hyper=4,
    width=16,
    delta_width=8,
    linear=LinearPath(
        (LinearBlock(((0, 40),), 0.9), LinearBlock(((0, 24), (56, 60)), 0.3), LinearBlock(((24, 56),), 0.3))
    ),
)
TINY_TIC = TIC.scaled(name="tiny-tic", n=16, n_hyper=8, width=16, delta_width=8, depths=(1, 1, 2), prices=LITE.prices)


def make_codec(preset: Preset, folder, seed: int = 0):
    """A codec with random but lively weights, through the file format that real ones travel in."""
    from hiercodec.training.codec.model import TrainableCodec

    torch.manual_seed(seed)
    model = TrainableCodec(preset)
    rng = np.random.default_rng(seed)
    model.initialise([smooth_photo(rng, 64, 64) for _ in range(30)], torch.rand(2, 3, 64, 64))
    with torch.no_grad():
        for parameter in model.network.entropy.means.parameters():
            parameter.normal_(std=0.05)
        for delta in model.network.entropy.deltas:
            delta.out.weight.normal_(std=0.05)
    pmfs, medians = model.z_pmfs()
    path = folder / f"{preset.name}.safetensors"
    save(path, preset, pack(model.network, pmfs, medians), {"name": preset.name})
    return build(preset, load_file(path), name=preset.name)


def smooth_photo(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Something like a photograph: smooth colours, an edge, a little noise; uint8 (H, W, 3)."""
    y, x = np.mgrid[0:height, 0:width] / 32.0
    phase = rng.uniform(0, 6, (3, 2))
    base = np.stack([np.sin(x + a) + np.cos(y * 1.3 + b) for a, b in phase], -1)
    base += 1.5 * (x + y > rng.uniform(0.5, 2))[..., None] + rng.normal(0, 0.05, (height, width, 3))
    return (255 * (base - base.min()) / np.ptp(base)).astype(np.uint8)


def make_wave(folder, seed: int = 0):
    """A tiny `wave` codec with random but lively weights, through the file format that real ones travel in."""
    torch.manual_seed(seed)
    preset = WAVE.scaled(name="tiny-wave", width=8, filter_width=8, filter_blocks=1)
    network = WaveNetwork(preset)
    with torch.no_grad():
        network.filter.leave.weight.normal_(std=0.02)
        for phase in network.context.phases:
            for head in (phase.head, phase.head_ll):
                head.bias[: len(head.bias) // 3] = -2  # most coefficients are insignificant
    path = folder / "tiny-wave.safetensors"
    save(path, preset, half(network), {"name": preset.name})
    return build(preset, load_file(path), name=preset.name)

"""The ground on which ordering rivals stand: our transforms and hyper-latent, and a latent without levels.

    x ──g_a──► y, of every component its finest layer only ──► T (C channels)      one block, one step a component
    z ──h_s──► P ──head──► σ, μ of T                                               all known before the first symbol
    T̂ ──► ŷ: a component stands in its first layer whole, its later layers are zero ──g_s──► x̂

Weights of the transforms are shared with the codec and untouched; the head is fitted (`fitted.py`). So a rival has neither
the cost of our layers nor the help of our context, as in the papers.
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hiercodec import stream
from hiercodec.errors import InputError
from hiercodec.images import as_rgb, pad_to_multiple
from hiercodec.models.channels.blocks import MEAN_STEPS
from hiercodec.models.channels.codec import Codec
from hiercodec.models.channels.config import STRIDE
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.store import load as load_codec
from tools.orders.fitted import Fitted, Head, load, path_of
from tools.orders.policies import Prior

SALIENCY_STEPS = 12
"""How many steps of the scale table (a factor of 3.4) the least salient places fall behind the most salient."""


def load_channels(name_or_path: str | Path, *, device: str | None = None) -> Codec:
    """As `store.load`, for what works on the paper's family alone: `InputError` for a `wave` model."""
    codec = load_codec(name_or_path, device=device)
    if not isinstance(codec, Codec):
        raise InputError(f"model {codec.name!r} has planes of a wavelet, this needs one of channels, such as 'lite'")
    return codec


class Flat:
    """Which channels of the latent a single block needs, and the way back to all of them."""

    def __init__(self, network: HierNetwork) -> None:
        self.plan = network.plan
        self.first: list[int] = []  # the channels that decoding fills
        self.ratio: list[float] = []  # of a symbol's step to that of the channel filled
        dropped: set[int] = set()
        layers: dict[int, list[tuple[int, float]]] = {}  # component → its channels and their steps, coarse first
        for level, block in zip(self.plan, network.preset.linear.blocks if network.preset.linear else (), strict=False):
            for i, component in enumerate(block.components):
                layers.setdefault(component, []).append((level.start + i, block.step))
        filled = {}
        for (channel, step), *finer in layers.values():
            if finer:
                dropped |= {channel, *(c for c, _ in finer[:-1])}
                filled[finer[-1][0]] = channel, finer[-1][1] / step
        self.channels = [c for c in range(self.plan.channels) if c not in dropped]
        for c in self.channels:
            first, ratio = filled.get(c, (c, 1.0))
            self.first.append(first)
            self.ratio.append(ratio)

    def take(self, open_loop: Tensor) -> Tensor:
        """(B, M, h, w), every block coded as if it were the first → T (B, C, h, w)."""
        return open_loop[:, torch.tensor(self.channels)]

    def fill(self, t_hat: Tensor) -> Tensor:
        """T̂ (B, C, h, w) → ŷ (B, M, h, w)."""
        y_hat = t_hat.new_zeros(len(t_hat), self.plan.channels, *t_hat.shape[-2:])
        y_hat[:, self.first] = t_hat * t_hat.new_tensor(self.ratio).view(1, -1, 1, 1)
        return y_hat


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What decoding T needs: the policies' prior, μ float64 (C, h, w), and the checksum of both."""

    prior: Prior
    mu: np.ndarray
    check: int


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What coding one picture needs: its size, z's symbols and payload, T float64 (C, h, w), and T's parameters."""

    height: int
    width: int
    z_payload: bytes
    t: np.ndarray
    parameters: Parameters


class Backbone:
    """A codec's transforms with a single block's entropy parameters.

    The last few pictures' analyses and streams' parameters are kept, by content, so that ten policies share them.
    """

    def __init__(self, codec: Codec, fitted: Fitted) -> None:
        self.codec, self.fitted, self.flat = codec, fitted, Flat(codec.network)
        self._head = Head(codec.network.preset.width, len(self.flat.channels)).double().eval().requires_grad_(False)
        self._head.load_state_dict(
            {n.removeprefix("head."): torch.from_numpy(a).double() for n, a in fitted.tensors.items() if "head." in n}
        )
        self._saliency = torch.from_numpy(fitted.tensors["saliency"]).double()
        self._policies = fitted.policies
        self._kept: OrderedDict[bytes, Any] = OrderedDict()

    def mark(self, name: str) -> bytes:
        """Fingerprint (4 bytes) of all that decodes the streams of one policy."""
        digest = hashlib.sha256(self.codec.fingerprint + name.encode())
        for key in sorted(self.fitted.tensors):
            digest.update(key.encode() + np.ascontiguousarray(self.fitted.tensors[key]).tobytes())
        return digest.digest()[:4]

    def analyse(self, rgb: np.ndarray) -> Analysis:
        """T, z and T's parameters of uint8 RGB (H, W, 3)."""
        return self._once(rgb.tobytes() + repr(rgb.shape).encode(), lambda: self._analyse(rgb))

    def parameters(self, z_payload: bytes, header: stream.Header) -> Parameters:
        """T's parameters from a complete z; raises as `CodingPath.read_z`."""
        grid, shape = self.codec.grids(header)
        return self._once(z_payload + repr(grid).encode(), lambda: self._parameters(z_payload, grid, shape))

    @torch.inference_mode()
    def synthesise(self, t_hat: np.ndarray, header: stream.Header) -> np.ndarray:
        """T̂ float64 (C, h, w) → uint8 RGB (H, W, 3)."""
        return self.codec.synthesise([self.flat.fill(torch.from_numpy(t_hat)[None].float())], header)[0]

    def _once(self, key: bytes, make: Callable[[], Any]) -> Any:
        key = hashlib.sha256(key).digest()
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > 4:
                self._kept.popitem(last=False)
        return self._kept[key]

    @torch.inference_mode()
    def _analyse(self, rgb: np.ndarray) -> Analysis:
        height, width = as_rgb(rgb).shape[:2]
        x = (
            torch.from_numpy(pad_to_multiple(as_rgb(rgb), STRIDE)).to(self.codec.device).permute(2, 0, 1)[None].float()
            / 255
        )
        open_loop = self.codec.network.g_a(x).open_loop(self.codec.plan)
        _, payload = self.codec.coding.write_z(self.codec.network.entropy.h_a(open_loop))
        t = self.flat.take(open_loop)[0].double().cpu().numpy()
        parameters = self.parameters(payload, stream.Header(width, height, b"none"))
        return Analysis(height, width, payload, t, parameters)

    @torch.inference_mode()
    def _parameters(self, z_payload: bytes, grid: tuple[int, int], shape: tuple[int, int]) -> Parameters:
        coding = self.codec.coding
        hyper = coding.start(coding.read_z(z_payload, shape), shape, grid).hyper
        scale, mu = (a[0].numpy() for a in self._head(hyper).chunk(2, 1))
        indexes = stream.scale_indexes(F.softplus(torch.from_numpy(scale)).numpy())
        grid_mu = np.clip(np.round(mu * MEAN_STEPS), -32768, 32767)
        logit = torch.einsum("chw,c->hw", hyper[0], self._saliency[:-1]) + self._saliency[-1]
        salient = np.round(SALIENCY_STEPS * logit.sigmoid().numpy()).astype(np.int64)
        check = stream.checksum(indexes, grid_mu.astype(np.int16))
        return Parameters(Prior(indexes, salient, self._policies), grid_mu / MEAN_STEPS, check)


@functools.lru_cache(maxsize=2)
def backbone(model: str | Path = "lite") -> Backbone:
    """The backbone of a model and its fit; raises as `load_channels` and `fitted.load`."""
    codec = load_channels(model)
    return Backbone(codec, load(path_of(model), codec.fingerprint))

"""The codec as it is trained: a differentiable forward pass over all prefixes, with CompressAI's entropy models.

`forward(x)` returns `{"x_hat": …, "likelihoods": {"y": …, "z": …}}` as CompressAI's models do, once a prefix.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from hiercodec import stream
from hiercodec.models import store
from hiercodec.models.channels.blocks import Block, BlockLoop, StraightThrough
from hiercodec.models.channels.config import Preset
from hiercodec.models.channels.linear import patch_klt
from hiercodec.models.channels.network import HierNetwork, Latent
from hiercodec.models.channels.order import ORDERS

with warnings.catch_warnings():  # CompressAI 1.2.8 uses torch.jit.script, which newer torch deprecates
    warnings.simplefilter("ignore")
    from compressai.entropy_models import EntropyBottleneck, GaussianConditional
    from compressai.models import CompressionModel


class TrainableCodec(CompressionModel):
    """`HierNetwork` with CompressAI's factorised prior for z and conditional Gaussian for y."""

    def __init__(self, preset: Preset, *, bf16: bool = False) -> None:
        super().__init__()
        self.bf16 = bf16
        self.network = HierNetwork(preset)
        self.entropy_bottleneck = EntropyBottleneck(preset.n_hyper)
        self.gaussian_conditional = GaussianConditional(None, scale_bound=float(stream.scale_table()[0]))
        self.preset, self.plan = preset, preset.plan

    def forward(
        self, x: Tensor, *, cut: tuple[int, float] | None = None, levels: tuple[int, ...] | None = None
    ) -> dict:
        """Code x (B, 3, H, W in 0…1, sides multiples of 16) and reconstruct it from several prefixes.

        `levels` names the complete prefixes to reconstruct (default: all); `cut=(j, u)` adds one that ends inside block j
        after the share u of its bits, in the order of the stream, missing symbols at μ.
        Returns `x_hat` (n, B, 3, H, W), `likelihoods["y"]` one tensor a block, `likelihoods["z"]`.
        """
        net, plan = self.network, self.plan
        with self._mixed(x):
            latent = net.g_a(x)
        blocks, cut_block, likelihoods = self._code(latent, cut)
        prefixes = [self._padded(blocks[: k + 1]) for k in (range(len(plan)) if levels is None else levels)]
        if cut is not None and cut_block is not None:
            prefixes.append(self._padded([*blocks[: cut[0]], cut_block]))
        with self._mixed(x):
            x_hat = net.g_s(torch.cat(prefixes)).float()
        return {"x_hat": x_hat.view(len(prefixes), *x.shape), "likelihoods": likelihoods}

    def _mixed(self, x: Tensor) -> torch.autocast:
        """bfloat16 networks; the input, the KLT, quantisation and all rates keep float32."""
        return torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16)

    def _code(self, latent: Latent, cut: tuple[int, float] | None) -> tuple[list[Tensor], Tensor | None, dict]:
        """Quantise z and every block in turn: (ŷ_j, one a block), block `cut[0]` cut short, likelihoods."""
        entropy, arithmetic = self.network.entropy, StraightThrough()
        y = latent.open_loop(self.plan).float()
        with self._mixed(y):
            z = entropy.h_a(y).float()
        _, z_likelihoods = self.entropy_bottleneck(z)
        medians = self.entropy_bottleneck.quantiles[:, 0, 1].view(1, -1, 1, 1).detach()
        z_hat = arithmetic.snap(z, torch.round(z - medians) + medians)
        with self._mixed(y):
            hyper = entropy.hyper_features(z_hat, latent.grid).float()
        loop = BlockLoop(entropy, hyper, arithmetic)
        likelihoods: list[Tensor] = []
        cut_block = None
        with self._mixed(y):  # the parameter networks alone: nothing else in the loop is a convolution or a product
            coded = list(loop.code(latent, self.preset.dead_zone))
        for j, block in enumerate(coded):
            likelihood = self._likelihood(block)
            if cut is not None and cut[0] == j:
                cut_block = torch.where(
                    _arrived(block.scale, likelihood, cut[1], self.preset.order), block.y_hat, block.mu
                )
            likelihoods.append(likelihood)
        return loop.blocks, cut_block, {"y": likelihoods, "z": z_likelihoods}

    def _likelihood(self, block: Block) -> Tensor:
        """P(symbol), (B, C, h, w), of what is really coded.

        Not of r plus uniform noise, the usual proxy (and what `gaussian_conditional` would do in training): at these rates
        most symbols are zero, and noise made the rate of a prefix look up to a quarter larger than its file (measured at
        step 600 of the first run).
        """
        bounds = self.gaussian_conditional
        sigma, distance = bounds.lower_bound_scale(block.scale), block.symbols.abs()
        upper, lower = (torch.special.ndtr((half - distance) / sigma) for half in (0.5, -0.5))
        return bounds.likelihood_lower_bound(upper - lower)

    def _padded(self, blocks: list[Tensor]) -> Tensor:
        """ŷ (B, M, h, w) with the missing blocks at zero."""
        y_hat = torch.cat(blocks, 1)
        return F.pad(y_hat, (0, 0, 0, 0, 0, self.plan.channels - y_hat.shape[1]))

    def start_from(self, name_or_path: str) -> TrainableCodec:
        """Take the weights of an exported model, its prior included; returns itself."""
        tensors = load_file(store.weights_path(name_or_path))
        network = {k.removeprefix("network."): v.float() for k, v in tensors.items() if k.startswith("network.")}
        self.network.load_state_dict(network)
        prefix = store.TRAINING + "bottleneck."
        prior = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        self.entropy_bottleneck.load_state_dict(prior, strict=False)  # without its tables, which `update` makes
        return self

    @torch.no_grad()
    def initialise(self, photos: Iterable[np.ndarray], batch: Tensor) -> None:
        """Data-dependent start: the KLT of `photos`, and each channel's σ from its spread on `batch` (B, 3, H, W)."""
        net = self.network
        if net.linear is not None:
            net.linear.set_basis(*patch_klt(photos))
        latent = net.g_a(batch)
        scales = net.entropy.scales
        assert scales.bias is not None
        scales.weight.mul_(0.1)
        for j, level in enumerate(self.plan):
            r = latent.block(j, self.plan)
            spread = r.abs().mean((0, 2, 3)).clamp_min(0.05) * 1.2
            scales.bias[level.channels] = torch.log(torch.expm1(spread))
            latent.advance(j, torch.round(r))

    def z_pmfs(self) -> tuple[list[tuple[int, np.ndarray]], np.ndarray]:
        """The factorised prior as coding tables: per channel (offset, integer pmf), and the medians (C_z,)."""
        self.entropy_bottleneck.update(force=True)
        names = ("quantized_cdf", "cdf_length", "offset")
        cdf, lengths, offsets = (getattr(self.entropy_bottleneck, name).cpu().numpy() for name in names)
        pmfs = []
        for row, length, offset in zip(cdf, lengths, offsets, strict=True):
            pmf = np.diff(row[: length - 1].astype(np.int64))  # without CompressAI's overflow bin: we saturate instead
            pmfs.append((int(offset), stream.quantize_pmf(pmf)))
        medians = self.entropy_bottleneck.quantiles[:, 0, 1].detach().cpu().numpy()
        return pmfs, medians.astype(np.float32)


def _arrived(sigma: Tensor, likelihood: Tensor, share: float, policy: str) -> Tensor:
    """Which symbols of a block (B, C, h, w) the first `share` of its bits carry, in the order of the stream."""
    edges = torch.as_tensor(stream.scale_edges(), dtype=sigma.dtype, device=sigma.device)
    ranks = ORDERS[policy](torch.bucketize(sigma.detach().contiguous(), edges)).flatten(1)
    order = torch.argsort(ranks, dim=1, stable=True)
    bits = -torch.log2(likelihood.detach().flatten(1)).gather(1, order).cumsum(1)
    keep = bits <= share * bits[:, -1:]
    return torch.zeros_like(keep).scatter(1, order, keep).reshape(sigma.shape)

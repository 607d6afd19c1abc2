"""The codec: photographs in, `.hc` streams out, and back from any prefix of one.

x ──g_a──► y ──h_a──► z ──► stream
           │                  for each block j:  r_j = y_j − (what earlier blocks already carry)
           └──────────────────────────────────►  symbol = round(r_j − μ_j),  ŷ_j = symbol + μ_j ──► stream
x̂ ◄──g_s── ŷ (missing blocks: 0; missing symbols of an opened block: μ, faded in)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.arguments import Source
from hiercodec.images import pad_to_multiple
from hiercodec.models.channels.blocks import BlockLoop
from hiercodec.models.channels.coding import CodingPath
from hiercodec.models.channels.config import HYPER_STRIDE, STRIDE
from hiercodec.models.channels.effort import Descent
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.channels.prefixes import PrefixDecoder
from hiercodec.models.common import EmbeddedCodec
from hiercodec.models.effort import Keep


class Codec(EmbeddedCodec):
    """A codec of the paper's family.

    The transforms run in float32 wherever the network lives; everything that feeds the entropy coder runs in the
    deterministic `CodingPath`.
    """

    def __init__(self, network: HierNetwork, tables: stream.Tables, medians: np.ndarray, *, name: str, fingerprint: bytes,
                 card: dict | None = None) -> None:  # fmt: skip
        super().__init__(network.plan, name, fingerprint, card, network, own=bool(network.preset.declared))
        self.network = network.eval()
        self.coding = CodingPath(network.entropy, tables, medians, network.preset.order)

    @staticmethod
    def grids(header: stream.Header) -> tuple[tuple[int, int], tuple[int, int]]:
        """The latent's (h, w) and the hyper-latent's (hz, wz) for a picture of the header's size."""
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        return (h, w), (-(-h // HYPER_STRIDE), -(-w // HYPER_STRIDE))

    def _coded(self, rgb: np.ndarray, header: stream.Header, steps: int, keep: Keep | None, label: bytes) -> bytes:
        x = torch.from_numpy(pad_to_multiple(rgb, STRIDE)).to(self.device).permute(2, 0, 1)[None].float() / 255
        latent = self.network.g_a(x)
        z = self.network.entropy.h_a(latent.open_loop(self.plan))  # (1, C_z, hz, wz)
        symbols, z_payload = self.coding.write_z(z)
        loop = self.coding.start(symbols, (z.shape[-2], z.shape[-1]), latent.grid)
        improve = Descent(self.network, x, steps, keep) if steps else None
        coded = [self.coding.write(block) for block in loop.code(latent, self.network.preset.dead_zone, improve)]
        return stream.write(header, z_payload, *zip(*coded, strict=True), label=label)

    def prefixes(self, data: Source, *, bit_map: bool = False) -> PrefixDecoder:
        return PrefixDecoder(self, data, bit_map=bit_map)

    def start(self, parsed: stream.Stream) -> BlockLoop:
        """Begin decoding from a complete z."""
        grid, shape = self.grids(parsed.header)
        return self.coding.start(self.coding.read_z(parsed.z.payload, shape), shape, grid)

    def ideal_bits(self, data: Source) -> float:
        decoder = self.prefixes(data, bit_map=True)
        shape = self.grids(decoder.stream.header)[1]
        z_bits = self.coding.z_bits(self.coding.read_z(decoder.stream.z.payload, shape), shape)
        return z_bits + float(np.sum(decoder.latent()[3]))

    @torch.inference_mode()
    def synthesise(self, latents: Sequence[Tensor], header: stream.Header) -> np.ndarray:
        """B times ŷ (1, M, h, w) → uint8 RGB (B, H, W, 3)."""
        x_hat = self.network.g_s(torch.cat([*latents]).to(self.device)).clamp(0, 1)
        rgb = (x_hat[..., : header.height, : header.width].permute(0, 2, 3, 1) * 255).round().to(torch.uint8)
        return rgb.contiguous().cpu().numpy()

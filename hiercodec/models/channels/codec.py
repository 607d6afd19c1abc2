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
from PIL import Image
from torch import Tensor

from hiercodec import stream
from hiercodec.arguments import Source
from hiercodec.errors import ModelMismatch
from hiercodec.images import as_rgb, pad_to_multiple
from hiercodec.levels import plan_id
from hiercodec.models.channels.blocks import BlockLoop
from hiercodec.models.channels.coding import CodingPath
from hiercodec.models.channels.config import HYPER_STRIDE, STRIDE
from hiercodec.models.channels.effort import Descent
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.channels.prefixes import PrefixDecoder
from hiercodec.models.common import Decoded, mark_of
from hiercodec.models.effort import Keep, check_pixels, steps_of


class Codec:
    """A network with weights, ready to encode photographs and decode any prefix of their streams.

    The transforms run in float32 wherever the network lives; everything that feeds the entropy coder runs in the
    deterministic `CodingPath`. Nothing is remembered between calls.
    """

    def __init__(self, network: HierNetwork, tables: stream.Tables, medians: np.ndarray, *, name: str, fingerprint: bytes,
                 card: dict | None = None) -> None:  # fmt: skip
        self.network = network.eval()
        self.plan, self.name, self.fingerprint, self.card = network.plan, name, fingerprint, card or {}
        self.coding = CodingPath(network.entropy, tables, medians, network.preset.order)
        self._own = bool(network.preset.declared)

    def to(self, device: str | torch.device) -> Codec:
        """Have the transforms run there; returns itself."""
        self.network.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the transforms run."""
        return next(self.network.parameters()).device

    @staticmethod
    def grids(header: stream.Header) -> tuple[tuple[int, int], tuple[int, int]]:
        """The latent's (h, w) and the hyper-latent's (hz, wz) for a picture of the header's size."""
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        return (h, w), (-(-h // HYPER_STRIDE), -(-w // HYPER_STRIDE))

    @torch.no_grad()  # no inference mode: an effort takes gradients
    def encode(
        self,
        picture: Image.Image | np.ndarray,
        *,
        effort: int = 0,
        keep: Keep | None = None,
        label: stream.Label | None = None,
    ) -> bytes:
        """Encode a PIL image or uint8 RGB (H, W, 3) into a complete stream; `ImageError` for anything else.

        `label`, if given, stands first and says what the picture is (`classify.label_of` makes one). An `effort` of 1…9
        tries other symbols than the nearest, each level some 1.7 times as long, and changes nothing in the format: smaller
        squared error at fewer bits, and `keep` says what else is to survive (see `models.effort`). `InputError` on another
        effort and where the model has no prices for one; `ImageTooLarge` above 4 million pixels with one.
        """
        steps = steps_of(effort)
        padded, (height, width) = pad_to_multiple(as_rgb(picture), STRIDE)
        if steps:
            check_pixels(height, width)
        x = torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float() / 255
        latent = self.network.g_a(x)
        z = self.network.entropy.h_a(latent.open_loop(self.plan))  # (1, C_z, hz, wz)
        symbols, z_payload = self.coding.write_z(z)
        loop = self.coding.start(symbols, (z.shape[-2], z.shape[-1]), latent.grid)
        improve = Descent(self.network, x, steps, keep) if steps else None
        coded = [self.coding.write(block) for block in loop.code(latent, self.network.preset.dead_zone, improve)]
        header = stream.Header(width, height, self.fingerprint, self.plan, self._own, mark_of(label))
        return stream.write(header, z_payload, *zip(*coded, strict=True), label=label.payload if label else b"")

    def decode(self, data: Source, *, bit_map: bool = False) -> Decoded:
        """Decode any prefix of a stream that holds its header: bytes, or the path of a file.

        `bit_map` also tells where in the picture its bits went.

        Raises `ModelMismatch` for another model's stream, `ParameterDesync` if the entropy parameters differ from the
        encoder's, and the other stream errors for damage. Truncation is no error.
        """
        return self.prefixes(data, bit_map=bit_map).at()

    def prefixes(self, data: Source, *, bit_map: bool = False) -> PrefixDecoder:
        """A decoder of this stream's prefixes, which works out once what they share: `.at(n_bytes)`. Raises as `decode`."""
        return PrefixDecoder(self, data, bit_map=bit_map)

    def parse(self, data: Source) -> stream.Stream:
        """The parsed stream; raises as `stream.parse`, and `ModelMismatch` for another model's."""
        parsed = stream.parse(data, self.plan)
        header = parsed.header
        if header.fingerprint != self.fingerprint or header.plan_id != plan_id(self.plan, own=self._own):
            raise ModelMismatch(
                f"made by model {header.fingerprint.hex()}, this is {self.name!r} {self.fingerprint.hex()}", offset=0
            )
        return parsed

    def start(self, parsed: stream.Stream) -> BlockLoop:
        """Begin decoding from a complete z."""
        grid, shape = self.grids(parsed.header)
        return self.coding.start(self.coding.read_z(parsed.z.payload, shape), shape, grid)

    def ideal_bits(self, data: Source) -> float:
        """Σ -log2 p of all symbols of a complete stream under the tables that code them: what an ideal coder needs."""
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

"""The codec: photographs in, `.hc` streams out, and back from any prefix of one.

x ──g_a──► y ──h_a──► z ──► stream
           │                  for each block j:  r_j = y_j − (what earlier blocks already carry)
           └──────────────────────────────────►  symbol = round(r_j − μ_j),  ŷ_j = symbol + μ_j ──► stream
x̂ ◄──g_s── ŷ (missing blocks: 0; missing symbols of an opened block: μ, faded in)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hiercodec import stream
from hiercodec.errors import InputError, ModelMismatch, ModelNotFound
from hiercodec.images import as_rgb, crop, pad_to_multiple
from hiercodec.levels import plan_id
from hiercodec.models.blocks import BlockLoop, DeadZone
from hiercodec.models.coding import CodingPath, thrifty, widened
from hiercodec.models.conditioner import Conditioner
from hiercodec.models.config import HYPER_STRIDE, STRIDE
from hiercodec.models.network import HierNetwork
from hiercodec.models.prefixes import Decoded, PrefixDecoder

STRENGTH = (0.7, 0.7, 0.3)
"""How strongly a saliency map widens each block's dead zone: about what was tried, less in the last block, not tuned.

On 88 held-out training photographs such a file was no better overall than an unsteered one cut to its bytes.
"""


class Codec:
    """A network with weights, ready to encode photographs and decode any prefix of their streams.

    The transforms run in float32 wherever the network lives; everything that feeds the entropy coder runs in the
    deterministic `CodingPath`. Nothing is remembered between calls. `conditioners` are those of its weights, by the marks
    that streams name them by.
    """

    def __init__(self, network: HierNetwork, tables: stream.Tables, medians: np.ndarray, *, name: str, fingerprint: bytes,
                 card: dict | None = None) -> None:  # fmt: skip
        self.network = network.eval()
        self.plan, self.name, self.fingerprint, self.card = network.plan, name, fingerprint, card or {}
        self.coding = CodingPath(network.entropy, tables, medians, network.preset.order)
        self._own = bool(network.preset.declared)
        self.conditioners: dict[str, Conditioner] = {}

    @property
    def device(self) -> torch.device:
        """Where the transforms run."""
        return next(self.network.parameters()).device

    @staticmethod
    def grids(header: stream.Header) -> tuple[tuple[int, int], tuple[int, int]]:
        """The latent's (h, w) and the hyper-latent's (hz, wz) for a picture of the header's size."""
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        return (h, w), (-(-h // HYPER_STRIDE), -(-w // HYPER_STRIDE))

    @torch.inference_mode()
    def encode(
        self,
        picture: Image.Image | np.ndarray,
        *,
        saliency: np.ndarray | None = None,
        strength: Sequence[float] = STRENGTH,
        rdoq: float = 0.0,
        core: stream.Core | None = None,
        conditioned: bool = False,
    ) -> bytes:
        """Encode a PIL image or uint8 RGB (H, W, 3) into a complete stream; `ImageError` for anything else.

        `core`, if given, stands first and says what the picture is (`classify.core_of` makes one). If `conditioned`, the
        pixels are coded knowing it, by the conditioner of its hierarchy, without which nobody decodes them: `ModelNotFound`
        where the model has none.

        What follows changes where bits go and nothing in the format. `saliency` (⌈H/16⌉, ⌈W/16⌉), 0…1, says where they
        matter, a class-activation map for example: elsewhere small symbols become zero, by a block's `strength` (0…1; the
        last one counts for all further blocks). `rdoq` is what a bit is worth in squared quantisation steps (0: the
        preset's dead zones; about 0.12 saved 5 % of a file at equal PSNR, at the price of details that classifiers use).
        `ValueError` on a map of another shape or range.
        """
        padded, (height, width) = pad_to_multiple(as_rgb(picture), STRIDE)
        x = torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float() / 255
        latent = self.network.g_a(x)
        zones = self._dead_zones(latent.grid, saliency, strength, rdoq)
        core = self._conditioned(core) if conditioned else core
        z = self.network.entropy.h_a(latent.open_loop(self.plan))  # (1, C_z, hz, wz)
        symbols, z_payload = self.coding.write_z(z)
        loop = self.coding.start(symbols, (z.shape[-2], z.shape[-1]), latent.grid, self._shift(core))
        coded = [self.coding.write(block) for block in loop.code(latent, zones)]
        header = stream.Header(width, height, self.fingerprint, self.plan, self._own, core.mark if core else None)
        return stream.write(header, z_payload, *zip(*coded, strict=True), core=core.payload if core else b"")

    def _dead_zones(self, grid: tuple[int, int], saliency: np.ndarray | None, strength: Sequence[float], rdoq: float
                    ) -> list[DeadZone]:  # fmt: skip
        """Every block's dead zone, as `encode` describes it; `grid` is the latent's."""
        plain: list[DeadZone] = [partial(thrifty, rdoq) if rdoq else zone for zone in self.network.preset.dead_zone]
        if saliency is None:
            return plain
        if saliency.shape != grid or not 0 <= saliency.min() <= saliency.max() <= 1:
            raise ValueError(f"saliency must be {grid[0]}×{grid[1]} numbers in 0…1")
        salient = torch.from_numpy(np.asarray(saliency, np.float64))

        def steered(zone: DeadZone, by: float, scale: Tensor) -> Tensor:
            return widened(zone(scale) if callable(zone) else zone, salient, by)

        return [partial(steered, zone, strength[min(j, len(strength) - 1)]) for j, zone in enumerate(plain)]

    def decode(self, data: bytes, *, bit_map: bool = False) -> Decoded:
        """Decode any prefix of a stream that holds its header; `bit_map` also tells where in the picture its bits went.

        Raises `ModelMismatch` for another model's stream, `ParameterDesync` if the entropy parameters differ from the
        encoder's, and the other stream errors for damage. Truncation is no error.
        """
        return self.prefixes(data, bit_map=bit_map).at()

    def prefixes(self, data: bytes, *, bit_map: bool = False) -> PrefixDecoder:
        """A decoder of this stream's prefixes, which works out once what they share: `.at(n_bytes)`. Raises as `decode`."""
        return PrefixDecoder(self, data, bit_map=bit_map)

    def parse(self, data: bytes) -> stream.Stream:
        """The parsed stream; raises as `stream.parse`, and `ModelMismatch` for another model's or conditioner's."""
        parsed = stream.parse(data, self.plan)
        header = parsed.header
        if header.fingerprint != self.fingerprint or header.plan_id != plan_id(self.plan, own=self._own):
            raise ModelMismatch(
                f"made by model {header.fingerprint.hex()}, this is {self.name!r} {self.fingerprint.hex()}", offset=0
            )
        needed = header.core.conditioner if header.core else ""
        if needed and needed not in self.conditioners:
            raise ModelMismatch(
                f"its pixels are conditioned on its core by conditioner {needed}, which is not here: a file beside the "
                f"weights of {self.name!r}. What the core tells can be read without it",
                offset=parsed.header_bytes,
            )
        return parsed

    def start(self, parsed: stream.Stream) -> BlockLoop:
        """Begin decoding from a complete z."""
        grid, shape = self.grids(parsed.header)
        return self.coding.start(self.coding.read_z(parsed.z.payload, shape), shape, grid, self._shift(parsed.told))

    def _conditioned(self, core: stream.Core | None) -> stream.Core:
        """The core, saying that the pixels are conditioned on it."""
        if core is None:
            raise InputError("pixels are conditioned on a core: give one")
        for mark, known in self.conditioners.items():
            if known.hierarchy.startswith(core.mark.hierarchy):
                return replace(core, mark=replace(core.mark, conditioner=mark))
        raise ModelNotFound(
            f"model {self.name!r} has no conditioner for the hierarchy {core.mark.hierarchy}; hiercodec fit-core makes one"
        )

    def _shift(self, core: stream.Core | None) -> Tensor | None:
        """What a stream's core adds to the features; None unless the pixels are conditioned on it."""
        return self.conditioners[core.mark.conditioner].shift(core) if core and core.mark.conditioner else None

    def ideal_bits(self, data: bytes) -> float:
        """Σ -log2 p of all symbols of a complete stream under the tables that code them: what an ideal coder needs."""
        decoder = self.prefixes(data, bit_map=True)
        shape = self.grids(decoder.stream.header)[1]
        z_bits = self.coding.z_bits(self.coding.read_z(decoder.stream.z.payload, shape), shape)
        return z_bits + float(np.sum(decoder.latent()[3]))

    @torch.inference_mode()
    def synthesise(self, y_hat: Tensor, header: stream.Header) -> np.ndarray:
        """ŷ (1, M, h, w) → uint8 RGB (H, W, 3)."""
        x_hat = self.network.g_s(y_hat.to(self.device)).clamp(0, 1)
        rgb = (x_hat[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        return np.ascontiguousarray(crop(rgb, (header.height, header.width)))

"""The codec: transforms and prefix entropy model under one roof; photographs in, `.hc` streams out, and back.

x ──g_a──► y ──h_a──► z ──► stream
           │                  for each block j:  r_j = y_j − (what earlier blocks already carry)
           └──────────────────────────────────►  symbol = round(r_j − μ_j),  ŷ_j = symbol + μ_j ──► stream
x̂ ◄──g_s── ŷ (missing blocks: 0; missing symbols of an opened block: μ, faded in)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from hiercodec import stream
from hiercodec.errors import ModelMismatch
from hiercodec.images import as_rgb, crop, pad_to_multiple
from hiercodec.levels import LevelPlan
from hiercodec.models.backbones.lite import LiteAnalysis, LiteSynthesis
from hiercodec.models.backbones.tic import TicAnalysis, TicSynthesis
from hiercodec.models.coding import CodingPath, CodingState
from hiercodec.models.config import HYPER_STRIDE, STRIDE, Preset
from hiercodec.models.entropy import PrefixEntropyModel
from hiercodec.models.linear import LayeredKLT

FADE = 0.1
"""Share of an opened block's symbols at which its missing ones are filled with all of μ, and not a part of it.

A missing block is zero, a missing symbol μ: filled so, a picture lost up to 0.3 dB where a block began. Fading μ in as they
arrive is as good as either rule or better at every length that was tried (Kodak 12 and 23). The first block, before which
there is no picture, takes all of μ.
"""


class HierNetwork(nn.Module):
    """All networks of one codec in CompressAI's vocabulary: `g_a`, `g_s`, and `entropy` with `h_a`, `h_s`.

    Tensors: x (B, 3, H, W) in 0…1 with H, W multiples of 16; y, ŷ (B, M, H/16, W/16); z (B, C_z, ⌈H/64⌉, ⌈W/64⌉).
    """

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset, self.plan = preset, preset.plan
        self.linear = LayeredKLT(preset.linear, preset.plan) if preset.linear else None
        if preset.transform == "lite":
            self.f_a: nn.Module = LiteAnalysis(preset.n, preset.m)
            self.f_s: nn.Module = LiteSynthesis(preset.n, preset.m)
        else:
            residual = self.linear is not None
            self.f_a = TicAnalysis(preset.n, preset.m, preset.depths, residual=residual)
            self.f_s = TicSynthesis(preset.n, preset.m, preset.depths, residual=residual)
        self.entropy = PrefixEntropyModel(preset)

    def g_a(self, x: Tensor) -> Latent:
        """Analysis: y before any block is coded, and the means to take from it what a block already carries."""
        learned = self.f_a(x)
        with torch.autocast(x.device.type, enabled=False):  # the KLT needs float32 precision
            return Latent(self.linear, learned.float(), self.linear.project(x) if self.linear else None)

    def g_s(self, y_hat: Tensor) -> Tensor:
        """Synthesis: ŷ (B, M, h, w), missing blocks zero → x̂ (B, 3, 16h, 16w), not clamped."""
        if self.linear is None:
            return self.f_s(y_hat)
        with torch.autocast(y_hat.device.type, enabled=False):
            x_lin = self.linear.reconstruct(self.linear.approximate(y_hat))
        return x_lin + self.f_s(y_hat, x_lin)


class Latent:
    """y, block by block. With a linear path, block j is coded after subtracting what ŷ_<j already carries of it."""

    def __init__(self, linear: LayeredKLT | None, learned: Tensor, components: Tensor | None) -> None:
        self._linear, self._learned, self._components = linear, learned, components
        self._approximation = None if components is None else torch.zeros_like(components)

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the latent grid."""
        return self._learned.shape[-2], self._learned.shape[-1]

    def open_loop(self, plan: LevelPlan) -> Tensor:
        """(B, M, h, w): what each block would code if nothing had been sent; the hyper-encoder reads this."""
        if self._linear is None:
            return self._learned
        zero = torch.zeros_like(self._components)
        return (
            torch.cat([self._linear.residual(j, self._components, zero) for j in range(len(plan))], 1) + self._learned
        )

    def block(self, j: int, plan: LevelPlan) -> Tensor:
        """r_j (B, width_j, h, w), given the blocks advanced so far."""
        learned = self._learned[:, plan[j].channels]
        if self._linear is None:
            return learned
        return learned + self._linear.residual(j, self._components, self._approximation)

    def advance(self, j: int, y_hat: Tensor) -> None:
        """Tell the latent that block j was coded as ŷ_j (B, width_j, h, w)."""
        if self._linear is not None:
            self._approximation = self._linear.refine(j, self._approximation, y_hat)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture from a prefix: uint8 (H, W, 3), the last complete level (None before the first), and how far it got.

    `fraction` is the share of the open block's symbols that were there (1.0 when the stream is complete); `bytes` is how
    many bytes were given. `bits`, where asked for, is float64 (h, w): what the symbols that were there cost at every
    position of the latent grid, in bits; all of them together are the payload of the blocks.
    """

    image: np.ndarray
    level: str | None
    fraction: float
    complete: bool
    bytes: int
    bits: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block's scale indexes and means (width_j, h, w), its coding order, and their checksum; they follow from `before`.

    `before` is the picture's size and the payloads of z and of every earlier block, complete as they are.
    """

    before: tuple
    indexes: np.ndarray
    means: np.ndarray
    order: np.ndarray
    check: int


class Codec:
    """A network with weights, ready to encode photographs and decode any prefix of their streams.

    The transforms run in float32 wherever the network lives; everything that feeds the entropy coder runs in the
    deterministic `CodingPath`. Not thread-safe: callers that share one codec take turns.
    """

    def __init__(self, network: HierNetwork, tables: stream.Tables, medians: np.ndarray, *, name: str, fingerprint: bytes,
                 card: dict | None = None) -> None:  # fmt: skip
        self.network = network.eval()
        self.plan, self.name, self.fingerprint, self.card = network.plan, name, fingerprint, card or {}
        self._coding = CodingPath(network.entropy, medians)
        self._z_tables, self._y_tables = tables, stream.gaussian_tables()
        self._blocks: dict[int, _Block] = {}

    @property
    def device(self) -> torch.device:
        """Where the transforms run."""
        return next(self.network.parameters()).device

    @staticmethod
    def _grids(header: stream.Header) -> tuple[tuple[int, int], tuple[int, int]]:
        """The latent's (h, w) and the hyper-latent's (hz, wz) for a picture of the header's size."""
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        return (h, w), (-(-h // HYPER_STRIDE), -(-w // HYPER_STRIDE))

    def _z_indexes(self, shape: tuple[int, int]) -> np.ndarray:
        channels = self._coding.medians.shape[0]
        return np.repeat(np.arange(channels), shape[0] * shape[1])

    @torch.inference_mode()
    def encode(self, picture: Image.Image | np.ndarray) -> bytes:
        """Encode a PIL image or uint8 RGB (H, W, 3) into a complete stream; `ImageError` for anything else."""
        padded, (height, width) = pad_to_multiple(as_rgb(picture), STRIDE)
        x = torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float() / 255
        latent = self.network.g_a(x)
        z = self.network.entropy.h_a(latent.open_loop(self.plan))[0].double().cpu().numpy()  # (C_z, hz, wz)
        z_symbols = np.rint(z - self._coding.medians[:, None, None]).astype(np.int32).reshape(-1)
        z_indexes = self._z_indexes(z.shape[1:])
        z_symbols = self._z_tables.clamp(z_symbols, z_indexes)
        payloads, checks = [], []
        state = self._coding.start(z_symbols.reshape(z.shape), latent.grid)
        for j in range(len(self.plan)):
            indexes, means = self._coding.parameters(state, j)  # (width_j, h, w) each
            r = latent.block(j, self.plan)[0].double().cpu().numpy()
            symbols = self._coding.quantise(r, means, self.network.preset.dead_zone[j]).reshape(-1)
            symbols = self._y_tables.clamp(symbols, indexes.reshape(-1))
            order = stream.order(indexes.reshape(-1))
            payloads.append(stream.encode_symbols(symbols[order], indexes.reshape(-1)[order], self._y_tables))
            checks.append(stream.checksum(indexes, means))
            y_hat = self._coding.advance(state, symbols.reshape(indexes.shape), means)
            latent.advance(j, torch.from_numpy(y_hat)[None].to(self.device, torch.float32))
        z_payload = stream.encode_symbols(z_symbols, z_indexes, self._z_tables)
        header = stream.Header(width=width, height=height, fingerprint=self.fingerprint, plan=self.plan)
        return stream.write(header, z_payload, payloads, checks)

    def decode(self, data: bytes, *, bit_map: bool = False) -> Decoded:
        """Decode any prefix of a stream that holds its header; `bit_map` also tells where in the picture its bits went.

        Raises `ModelMismatch` for another model's stream, `ParameterDesync` if the entropy parameters differ from the
        encoder's, and the other stream errors for damage. Truncation is no error.
        """
        parsed = stream.parse(data)
        bits = np.zeros(self._grids(parsed.header)[0]) if bit_map else None
        y_hat, level, fraction = self.decode_latent(parsed, bits)
        return Decoded(self.synthesise(y_hat, parsed.header), level, fraction, parsed.complete, len(data), bits)

    @torch.inference_mode()
    def decode_latent(self, parsed: stream.Stream, bits: np.ndarray | None = None) -> tuple[Tensor, str | None, float]:
        """Entropy-decode what is there: ŷ float32 (1, M, h, w), the last complete level, the open block's fraction.

        What the symbols cost is added to `bits` (h, w), if given.
        """
        header = parsed.header
        if header.fingerprint != self.fingerprint or header.plan != self.plan:
            raise ModelMismatch(
                f"made by model {header.fingerprint.hex()}, this is {self.name!r} {self.fingerprint.hex()}", offset=0
            )
        grid, z_shape = self._grids(header)
        out = torch.zeros(1, self.plan.channels, *grid)
        z_indexes = self._z_indexes(z_shape)
        if not parsed.z.complete:
            return out, None, 0.0
        z_symbols, _ = stream.decode_symbols(parsed.z.payload, z_indexes, self._z_tables, complete=True)
        state = self._coding.start(z_symbols.reshape(-1, *z_shape), grid)
        reached, fraction = None, 0.0
        before = (header.width, header.height, bytes(parsed.z.payload))
        for j, section in enumerate(parsed.blocks):
            if section.check is None:
                break  # not even the block's own header arrived
            block = self._block(state, j, before)
            indexes, means, order = block.indexes, block.means, block.order
            self._coding.expect(section, block.check)
            symbols = np.zeros(indexes.size, np.int32)
            symbols[order], valid = stream.decode_symbols(
                section.payload, indexes.reshape(-1)[order], self._y_tables, complete=section.complete
            )
            before += (bytes(section.payload),)
            if bits is not None:
                cost, sent = np.zeros(indexes.size), order[:valid]
                cost[sent] = self._y_tables.bits(symbols[sent], indexes.reshape(-1)[sent])
                bits += cost.reshape(indexes.shape).sum(0)
            y_hat = self._coding.advance(state, symbols.reshape(indexes.shape), means)
            if not section.complete:
                fraction = valid / max(1, indexes.size)
                if j:
                    y_hat.reshape(-1)[order[valid:]] *= min(1.0, fraction / FADE)
            out[0, self.plan[j].channels] = torch.from_numpy(y_hat).float()
            if not section.complete:
                break
            reached = self.plan[j].name
        return out, reached, 1.0 if parsed.complete else fraction

    def forget(self) -> None:
        """Drop what is remembered of the last stream, so that the next decoding starts from nothing."""
        self._blocks.clear()

    def _block(self, state: CodingState, j: int, before: tuple) -> _Block:
        """Block j's parameters, given all that the stream holds before it; those of the last stream are remembered.

        Decoding prefix after prefix of one stream, as a trace does, would otherwise compute them anew each time, which is
        half of the work.
        """
        known = self._blocks.get(j)
        if known is None or known.before != before:
            indexes, means = self._coding.parameters(state, j)
            known = _Block(before, indexes, means, stream.order(indexes.reshape(-1)), stream.checksum(indexes, means))
            self._blocks[j] = known
        return known

    def ideal_bits(self, data: bytes) -> float:
        """Σ -log2 p of all symbols of a complete stream under the tables that code them: what an ideal coder needs."""
        parsed = stream.parse(data)
        grid, z_shape = self._grids(parsed.header)
        z_indexes = self._z_indexes(z_shape)
        z, _ = stream.decode_symbols(parsed.z.payload, z_indexes, self._z_tables, complete=True)
        bits = float(self._z_tables.bits(z, z_indexes).sum())
        state = self._coding.start(z.reshape(-1, *z_shape), grid)
        y_hat = self.decode_latent(parsed)[0][0].double().numpy()
        for j, level in enumerate(self.plan):
            indexes, means = self._coding.parameters(state, j)
            symbols = np.rint(y_hat[level.channels] - self._coding.mean_values(means)).astype(np.int32)
            bits += float(self._y_tables.bits(symbols.reshape(-1), indexes.reshape(-1)).sum())
            self._coding.advance(state, symbols, means)
        return bits

    @torch.inference_mode()
    def synthesise(self, y_hat: Tensor, header: stream.Header) -> np.ndarray:
        """ŷ (1, M, h, w) → uint8 RGB (H, W, 3)."""
        x_hat = self.network.g_s(y_hat.to(self.device)).clamp(0, 1)
        rgb = (x_hat[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        return np.ascontiguousarray(crop(rgb, (header.height, header.width)))

"""Ordering rivals as peers: one stream a picture, cut at shares of its bytes, decoded from the cut bytes and nothing else.

The files are `.hc` files of one level (stream/FORMAT.md), whose fingerprint covers model, policy and fit: header, z and CRCs
are counted as ours are, and damage raises what it raises there.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from hiercodec import stream
from hiercodec.errors import CorruptStream, ModelMismatch, ParameterDesync
from hiercodec.evaluation.codecs.peers import HierPeer, cut_shares
from hiercodec.levels import LevelPlan
from hiercodec.models.channels.codec import Codec
from hiercodec.protocols import OperatingPoint
from tools.orders.backbone import Analysis, Backbone, Parameters
from tools.orders.policies import POLICIES, Prior, arrived, write

POINTS = 8
"""Cuts a picture, the whole file among them."""

STEPS = (6.0, 4.5, 3.3, 2.5, 1.9, 1.5, 1.2, 1.0)
"""Quantisation steps of `single`, in those of the weights; the last is what the embedded streams end at."""


class OrderPeer:
    """One ordering policy on a shared backbone; `name` is "order:" and the policy's."""

    def __init__(self, base: Backbone, policy: str) -> None:
        self.name, self._base, self._policy = f"order:{policy}", base, POLICIES[policy]
        self._mark = base.mark(policy)
        self._plan = LevelPlan.from_cuts(("latent",), (len(base.flat.channels),), (1000,))

    def encode(self, rgb: np.ndarray) -> bytes:
        """uint8 RGB (H, W, 3) → a complete stream."""
        found = self._base.analyse(rgb)
        return self._file(found, self._write(found, 1.0))

    def latent(self, data: bytes) -> tuple[np.ndarray, float]:
        """(T̂ float64 (C, h, w), share of symbols known exactly) from any prefix that holds the header.

        Zeros where z or the block's own header are cut off. Raises as `Codec.decode`.
        """
        parsed = self._parse(data)
        (block,) = parsed.blocks
        if block.check is None:
            return np.zeros((len(self._base.flat.channels), *self._base.codec.grids(parsed.header)[0])), 0.0
        known = self._base.parameters(parsed.z.payload, parsed.header)
        if known.check != block.check:
            raise ParameterDesync("entropy parameters differ from the encoder's", block=block.name, offset=block.offset)
        return self._read(block, known)

    def decode(self, data: bytes) -> np.ndarray:
        """Any prefix that holds the header → uint8 RGB (H, W, 3)."""
        return self._base.synthesise(self.latent(data)[0], self._parse(data).header)

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """The cuts of one picture's stream, fewest bytes first."""
        data = self.encode(rgb)
        header = self._parse(data).header_bytes
        for share in [*cut_shares(POINTS - 1), 1.0]:
            cut = data[: max(round(share * len(data)), header)]
            yield OperatingPoint(f"{share:.1%}", len(cut), self.decode(cut))

    def provenance(self) -> dict[str, Any]:
        """The weights, and what the fit was made of."""
        return {"fingerprint": self._base.codec.fingerprint.hex(), "fit": dict(self._base.fitted.card)}

    def _parse(self, data: bytes) -> stream.Stream:
        parsed = stream.parse(data, self._plan)
        if parsed.header.fingerprint != self._mark or len(parsed.blocks) != 1:
            raise ModelMismatch(f"not a stream of {self.name} on these weights", offset=0)
        return parsed

    def _file(self, found: Analysis, payload: bytes) -> bytes:
        header = stream.Header(found.width, found.height, self._mark, self._plan, own=True)
        return stream.write(header, found.z_payload, [payload], [found.parameters.check])

    def _write(self, found: Analysis, step: float) -> bytes:
        """The payload of the nearest symbols, with the dead zone of the codec's last block."""
        prior = coarser(found.parameters.prior, step)
        offset = (found.t - found.parameters.mu) / step
        rounded = np.sign(offset) * np.floor(np.abs(offset) + 0.5 - self._base.codec.network.preset.dead_zone[-1])
        return write(self._policy, stream.gaussian_tables().clamp(rounded, prior.scale), prior)

    def _read(self, block: stream.Section, known: Parameters, step: float = 1.0) -> tuple[np.ndarray, float]:
        prior = coarser(known.prior, step)
        found = arrived(self._policy, block.payload, prior, complete=block.complete)
        return known.mu + step * found.values().reshape(known.mu.shape), float((found.width == 0).mean())


class Single(OrderPeer):
    """The reference that cannot be cut: the same block in raster order, a file for every quantisation step.

    The step's number is the payload's first byte.
    """

    def __init__(self, base: Backbone) -> None:
        super().__init__(base, "single")

    def encode(self, rgb: np.ndarray, setting: int = len(STEPS) - 1) -> bytes:
        """uint8 RGB (H, W, 3) → a file at `STEPS[setting]`."""
        found = self._base.analyse(rgb)
        return self._file(found, bytes([setting]) + self._write(found, STEPS[setting]))

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """A whole file a step, fewest bytes first."""
        for setting, step in enumerate(STEPS):
            data = self.encode(rgb, setting)
            yield OperatingPoint(f"step {step:g}", len(data), self.decode(data))

    def _read(self, block: stream.Section, known: Parameters, step: float = 1.0) -> tuple[np.ndarray, float]:
        if not block.complete:
            return known.mu, 0.0
        if not block.payload or block.payload[0] >= len(STEPS):
            raise CorruptStream("a file names no quantisation step", offset=block.offset)
        return super()._read(replace(block, payload=block.payload[1:]), known, STEPS[block.payload[0]])


def coarser(prior: Prior, step: float) -> Prior:
    """The prior of symbols that are counted in a larger step."""
    if step == 1:
        return prior
    return replace(prior, scale=stream.scale_indexes(stream.scale_table()[prior.scale] / step))


def levels(codec: Codec, name: str, order: str) -> HierPeer:
    """Our own streams with another order inside the blocks, at the rivals' cuts."""
    network = copy.copy(codec.network)  # its parts are shared; only the preset is another
    network.preset = codec.network.preset.scaled(order=order)
    tables, medians = codec.coding.z_tables, codec.coding.medians.numpy().ravel()
    mark = hashlib.sha256(codec.fingerprint + name.encode()).digest()[:4]
    again = Codec(network, tables, medians, name=name, fingerprint=mark, card=codec.card)
    return HierPeer(again, shares(POINTS), name)


def shares(n: int) -> Callable[[stream.Stream], dict[str, int]]:
    """Cut at `n` shares of the file, the last of them all of it."""

    def cuts(parsed: stream.Stream) -> dict[str, int]:
        total = parsed.total_bytes
        return {f"{share:.1%}": max(round(share * total), parsed.header_bytes) for share in [*cut_shares(n - 1), 1.0]}

    return cuts

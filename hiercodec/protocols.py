"""What the rooms ask of each other's objects. Nothing here runs; anything with these members will do.

Pictures are uint8 arrays (H, W, 3) in RGB; files and streams are bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from hiercodec.levels import LevelPlan


class DecodedPrefix(Protocol):
    """What a prefix of a stream gave: the picture, the last complete level (None before the first), and how far it got."""

    @property
    def image(self) -> np.ndarray:
        """uint8 (H, W, 3)."""
        ...

    @property
    def level(self) -> str | None:
        """Name of the last complete level."""
        ...

    @property
    def fraction(self) -> float:
        """Share of the open block's symbols that arrived, 0…1."""
        ...

    @property
    def bits(self) -> np.ndarray | None:
        """Bits spent at each latent position (h, w), where asked for."""
        ...


class PrefixDecoder(Protocol):
    """One stream, decoded at many lengths; what its prefixes share is worked out once."""

    def at(self, n_bytes: int | None = None) -> DecodedPrefix:
        """What the first `n_bytes` (default: all) show: equal to `Codec.decode` of those bytes."""
        ...

    def each(self, lengths: Iterable[int | None]) -> Iterator[DecodedPrefix]:
        """`at` of several lengths, in their order."""
        ...


class Codec(Protocol):
    """An embedded codec: any prefix of what `encode` writes decodes."""

    name: str
    fingerprint: bytes
    plan: LevelPlan
    card: dict[str, Any]

    @property
    def encode(self) -> Callable[..., bytes]:
        """A picture, and options of the codec's own (`label`: what the stream begins with) → a complete stream."""
        ...

    def decode(self, data: bytes, *, bit_map: bool = False) -> DecodedPrefix:
        """Any prefix that holds the header → what it shows; stream errors for damage, never for truncation."""
        ...

    def prefixes(self, data: bytes, *, bit_map: bool = False) -> PrefixDecoder:
        """A decoder of this stream's prefixes; raises as `decode`."""
        ...


class Classifier(Protocol):
    """A judge of pictures: 1000 class probabilities, from weights that `sha256` names, in short `weights_id`."""

    name: str
    sha256: str
    temperature: float

    @property
    def weights_id(self) -> str:
        """The first 12 hex digits of `sha256`."""
        ...

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32 (n, 1000), rows sum to 1, for n pictures of any sizes."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoint:
    """One file, or one prefix, of one picture: what it was set to, its length in bytes, and what it decodes to.

    `seconds` is what encoding and decoding it took; NaN where it is not known or shared with other points.
    """

    setting: str
    bytes: int
    picture: np.ndarray
    seconds: float = field(default=math.nan, kw_only=True)

    @property
    def blank(self) -> bool:
        """Whether the picture is one that no byte of an image has reached; only a cut can give such a one."""
        return False


class Peer(Protocol):
    """Anything that turns a picture into points of bytes and quality: our codec at its cuts, or a format at its settings."""

    @property
    def name(self) -> str:
        """What results call it."""
        ...

    def points(self, rgb: np.ndarray) -> Iterable[OperatingPoint]:
        """Operating points of one picture, the same settings in the same order for every picture."""
        ...

    def provenance(self) -> Mapping[str, Any]:
        """What exactly was run: weights or library, version, options."""
        ...

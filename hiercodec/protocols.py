"""What the rooms ask of each other's objects. Nothing here runs; anything with these members will do.

Pictures are uint8 arrays (H, W, 3) in RGB; files and streams are bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np


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


@runtime_checkable
class Archive(Peer, Protocol):
    """A peer whose pictures were made before: it knows photographs by their names in the data set."""

    def of(self, photo: str) -> Peer:
        """The peer of one photograph; `InputError` where there is nothing of it."""
        ...

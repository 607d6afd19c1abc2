"""What both families of models share: the codec's outside, what a prefix decodes to, how a preset's fields are checked."""

from __future__ import annotations

import contextlib
import itertools
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from PIL import Image
from pydantic import ConfigDict, Field, ValidationError
from torch import Tensor

from hiercodec import device, stream
from hiercodec.arguments import Source, expect, shown
from hiercodec.errors import ConfigError, ImageTooLarge, InputError, ModelMismatch
from hiercodec.images import as_rgb
from hiercodec.levels import LevelPlan, plan_id

CHECKED = ConfigDict(extra="forbid", allow_inf_nan=False)
Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
PresetType = TypeVar("PresetType")


def read_preset(kind: type[PresetType], values: Mapping[str, Any]) -> PresetType:
    """A preset from plain values; `ConfigError` names every field that is wrong."""
    try:
        return kind(**values)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, row['loc']))}: {row['msg']}".removeprefix(": ") for row in error.errors())
        raise ConfigError(f"not a model preset: {'; '.join(problems)}") from None
    except TypeError as error:
        raise ConfigError(f"not a model preset: {error}") from None


def prefix_length(n_bytes: int | None, whole: int) -> int:
    """How many of `whole` bytes the first `n_bytes` are, all of them for None; `InputError` for what is no such number."""
    if n_bytes is None:
        return whole
    number = -1
    with contextlib.suppress(TypeError):
        number = -1 if isinstance(n_bytes, bool) else operator.index(n_bytes)
    if number < 0:
        raise InputError(f"a number of bytes is a whole number, 0 or more, got {shown(n_bytes)}")
    return min(number, whole)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture from a prefix: uint8 (H, W, 3), the last complete level (None before the first), and how far it got.

    `fraction` is the share of the open block's bytes that were there (`Stream.share`; 1.0 when the stream is complete), and
    0.0 as long as they hold no symbol of it; `bytes` is how many bytes were given. `bits`, where asked for, is float64
    (h, w): what the symbols that were there cost at every position of the latent grid, in bits; all of them together are
    the payload of the blocks. `label` is what the stream's first bytes tell, as far as they were there
    (`classify.read_label` reads it); None in a stream without one.
    """

    image: np.ndarray
    level: str | None
    fraction: float
    complete: bool
    bytes: int
    bits: np.ndarray | None = None
    label: stream.Label | None = None

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        level = f"level {self.level!r}" if self.level else "no level"
        far = "complete" if self.complete else f"{level} complete, {self.fraction:.0%} of the next"
        return f"Decoded({width}×{height} from {self.bytes} bytes: {far})"


class Prefixes(ABC):
    """One stream, whole or cut, and the pictures of its prefixes; a codec's `prefixes` makes it.

    What prefixes share is worked out once, in memory that grows with the picture and goes when this object does. `stream` is
    the parsed stream.
    """

    def __init__(self, codec: Any, data: Source | stream.Stream, *, bit_map: bool = False) -> None:
        self._codec, self._bit_map = codec, bit_map
        self.stream: stream.Stream = codec.parse(data)

    @abstractmethod
    def latent(self, n_bytes: int | None = None) -> tuple[Any, str | None, bool, np.ndarray | None]:
        """What the codec makes a picture of, the last complete level, whether more than it arrived, and bits (h, w)."""

    def at(self, n_bytes: int | None = None) -> Decoded:
        """The picture of the first `n_bytes` (default: all).

        Equal to `Codec.decode(data[:n_bytes])`, and raises as it does. Any order of lengths will do.
        """
        return next(self.each([n_bytes]))

    def each(self, lengths: Iterable[int | None]) -> Iterator[Decoded]:
        """`at` of several lengths, in their order; on a device that is not the processor many go through it at once."""
        header, left = self.stream.header, iter(lengths)
        together = device.batch(self._codec.device, header.pixels)
        while sizes := [prefix_length(n, self.stream.size) for n in itertools.islice(left, together)]:
            latents = [self.latent(n_bytes) for n_bytes in sizes]
            images = self._codec.synthesise([latent for latent, *_ in latents], header)
            for n_bytes, image, (_, level, more, bits) in zip(sizes, images, latents, strict=True):
                cut, bits = self.stream.cut(n_bytes), bits if self._bit_map else None
                fraction = cut.share if more or cut.complete else 0.0
                yield Decoded(image, level, fraction, cut.complete, n_bytes, bits, cut.label)


# ---- the search for symbols --------------------------------------------------------------------------------------------
HIGHEST = 9
"""The highest effort."""

EFFORT_PIXELS = 4 * 2**20
"""Pixels of a picture that can be tried: gradients hold some 0.5 KB a pixel."""

Features = Callable[[Tensor], Sequence[Tensor]]
"""What is to survive besides pixels: a picture (1, 3, H, W) in 0…1 → tensors, differentiable."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Features that are to survive, and how much they count: `weight` is what losing all of them would cost.

    Its unit is the mean squared error of pixels in 0…1; each tensor counts alike, by its squared change over its energy.
    The weight is that of the first block. It falls with the price of a bit from block to block, so that what is kept stays
    worth as many bits.
    """

    features: Features
    weight: float

    def of(self, x: Tensor) -> list[Tensor]:
        """What the original x (1, 3, H, W) in 0…1 has of them."""
        return [tensor.float() for tensor in self.features(x)]

    def differences(self, x_hat: Tensor, kept: Sequence[Tensor], weight: float) -> list[Tensor]:
        """What x̂ lost of `kept`, scaled: the squares of all sum to `weight` where all is lost."""
        share = weight / len(kept)
        pairs = zip(self.features(x_hat), kept, strict=True)
        return [(now - then) * (share / then.square().sum().clamp_min(1e-12)).sqrt() for now, then in pairs]


def steps_of(effort: int) -> int:
    """Steps a block: 0, 2, 3, 5, 8, 13, 23, 38, 64, 108 at efforts 0 to 9; `InputError` outside.

    >>> [steps_of(effort) for effort in range(4)]
    [0, 2, 3, 5]
    """
    if not (type(effort) is int and 0 <= effort <= HIGHEST):
        raise InputError(f"effort must be a whole number 0 to {HIGHEST}, got {shown(effort)}")
    return round(2 ** (0.75 * effort)) if effort else 0


def check_pixels(height: int, width: int) -> None:
    """`ImageTooLarge` for a picture that no effort takes."""
    if height * width > EFFORT_PIXELS:
        raise ImageTooLarge(f"an effort takes pictures of up to {EFFORT_PIXELS:,} pixels, this has {height * width:,}")


# ---- the outside -------------------------------------------------------------------------------------------------------
class EmbeddedCodec(ABC):
    """A network with weights, ready to encode photographs and decode any prefix of their streams.

    `own`: the model's card defines its plan and the order of symbols. Nothing is remembered between calls.
    """

    def __init__(
        self,
        plan: LevelPlan,
        name: str,
        fingerprint: bytes,
        card: dict | None,
        moved: torch.nn.Module,
        *,
        own: bool = False,
    ) -> None:
        self.plan, self.name, self.fingerprint, self.card = plan, name, fingerprint, card or {}
        self._moved, self._own = moved, own

    def to(self: Itself, device: str | torch.device) -> Itself:
        """Have the transforms run there; returns itself."""
        self._moved.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the transforms run."""
        return next(self._moved.parameters()).device

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
        squared error at fewer bits, and `keep` says what else is to survive (see `Keep`). `InputError` on another
        effort and where the model has no prices for one; `ImageTooLarge` above 4 million pixels with one.
        """
        steps, rgb = steps_of(effort), as_rgb(picture)
        height, width = rgb.shape[:2]
        if steps:
            check_pixels(height, width)
        known = expect(label, (stream.Label, type(None)), "a label is what hiercodec.label(picture) gives")
        mark = None if known is None else known.mark
        header = stream.Header(width, height, self.fingerprint, self.plan, self._own, mark)
        return self._coded(rgb, header, steps, keep, known.payload if known else b"")

    @abstractmethod
    def _coded(self, rgb: np.ndarray, header: stream.Header, steps: int, keep: Keep | None, label: bytes) -> bytes:
        """The stream of a picture, its symbols searched for in so many steps."""

    def decode(self, data: Source | stream.Stream, *, bit_map: bool = False) -> Decoded:
        """Decode any prefix of a stream that holds its header: bytes, the path of a file, or what `parse` gave.

        `bit_map` also tells where in the picture its bits went.

        Raises `ModelMismatch` for another model's stream, `ParameterDesync` if the entropy parameters differ from the
        encoder's, and the other stream errors for damage. Truncation is no error.
        """
        return self.prefixes(data, bit_map=bit_map).at()

    @abstractmethod
    def prefixes(self, data: Source | stream.Stream, *, bit_map: bool = False) -> Prefixes:
        """A decoder of this stream's prefixes, which works out once what they share: `.at(n_bytes)`. Raises as `decode`."""

    def parse(self, data: Source | stream.Stream) -> stream.Stream:
        """The parsed stream; raises as `stream.parse`, and `ModelMismatch` for another model's."""
        parsed = stream.parse(data, self.plan)
        header = parsed.header
        if header.fingerprint != self.fingerprint or header.plan_id != plan_id(self.plan, own=self._own):
            raise ModelMismatch(
                f"made by model {header.fingerprint.hex()}, this is {self.name!r} {self.fingerprint.hex()}", offset=0
            )
        return parsed


Itself = TypeVar("Itself", bound=EmbeddedCodec)

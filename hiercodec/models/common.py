"""What both families of models share: what a prefix decodes to, and how a preset's fields are checked."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from hiercodec import stream
from hiercodec.arguments import expect, shown
from hiercodec.errors import ConfigError, InputError

CHECKED = ConfigDict(extra="forbid", allow_inf_nan=False)
Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
PresetType = TypeVar("PresetType")


def read_preset(kind: type[PresetType], values: Mapping[str, Any]) -> PresetType:
    """A preset from plain values; `ConfigError` names every field that is wrong."""
    try:
        return kind(**values)
    except ValidationError as error:
        said = (f"{'.'.join(map(str, row['loc']))}: {row['msg']}".removeprefix(": ") for row in error.errors())
        raise ConfigError(f"not a model preset: {'; '.join(said)}") from None
    except TypeError as error:
        raise ConfigError(f"not a model preset: {error}") from None


def mark_of(label: stream.Label | None) -> stream.Mark | None:
    """What a header says of a label, if there is one; `InputError` for anything else in its place."""
    found = expect(label, (stream.Label, type(None)), "a label is what hiercodec.label(picture) gives")
    return None if found is None else found.mark


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

    `fraction` is the share of the open block's symbols that were there (1.0 when the stream is complete); `bytes` is how
    many bytes were given. `bits`, where asked for, is float64 (h, w): what the symbols that were there cost at every
    position of the latent grid, in bits; all of them together are the payload of the blocks. `label` is what the stream's
    first bytes tell, as far as they were there (`classify.read_label` reads it); None in a stream without one.
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

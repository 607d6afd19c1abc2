"""What both families of models share: what a prefix decodes to, and how a preset's fields are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from hiercodec import stream
from hiercodec.errors import ConfigError

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


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture from a prefix: uint8 (H, W, 3), the last complete level (None before the first), and how far it got.

    `fraction` is the share of the open block's symbols that were there (1.0 when the stream is complete); `bytes` is how
    many bytes were given. `bits`, where asked for, is float64 (h, w): what the symbols that were there cost at every
    position of the latent grid, in bits; all of them together are the payload of the blocks. `core` is what the stream's
    first bytes tell, as far as they were there (`classify.told` reads it); None in a stream without one.
    """

    image: np.ndarray
    level: str | None
    fraction: float
    complete: bool
    bytes: int
    bits: np.ndarray | None = None
    core: stream.Core | None = None

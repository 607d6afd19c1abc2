"""Codecs of others, as plain as they come: a function from a picture to its file's bytes and what these decode to.

    def codec(rgb): …; return data, picture          # uint8 (H, W, 3) → bytes, uint8 (H, W, 3)

`CODECS["name"] = codec` in a plugin, or `module:codec` where a codec is named. Several settings are a dict of such
functions; an object with `points` is taken for a `protocols.Peer` and used as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiercodec import plugins
from hiercodec.errors import InputError
from hiercodec.plugins import Registry
from hiercodec.protocols import OperatingPoint, Peer

Coder = Callable[[np.ndarray], "tuple[bytes, np.ndarray]"]

CODECS: Registry[Coder | Mapping[str, Coder] | Peer] = Registry("codec", {}, InputError)
"""Codecs that plugins add."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionPeer:
    """A codec of functions, one a setting; `name` is what results call it. `InputError` for a result that is none."""

    name: str
    settings: Mapping[str, Coder]

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """A file a setting, made when it is asked for; each gets a picture of its own."""
        for setting, code in self.settings.items():
            began = time.perf_counter()
            try:
                data, picture = code(rgb.copy())
                sound = isinstance(data, bytes) and picture.dtype == np.uint8 and picture.shape == rgb.shape
            except (TypeError, ValueError, AttributeError) as error:
                raise InputError(f"codec {self.name} failed: {type(error).__name__}: {error}") from error
            if not sound:
                raise InputError(f"codec {self.name} must give (bytes, uint8 picture of the same size)")
            yield OperatingPoint(setting, len(data), picture, seconds=time.perf_counter() - began)

    def provenance(self) -> dict[str, Any]:
        """The code that ran, so that a run does not go on with another."""
        return {"code": {setting: plugins.content_of(code) for setting, code in self.settings.items()}}


def peer_of(name: str) -> Peer:
    """The codec that a plugin calls `name`, or that stands at "module:name"; `InputError` for what is no codec."""
    named = plugins.found_at(name) if ":" in name and name not in CODECS else CODECS[name]
    if hasattr(named, "points"):
        return named  # pyright: ignore[reportReturnType]
    settings = named if isinstance(named, Mapping) else {"": named}
    if not settings or not all(map(callable, settings.values())):
        raise InputError(f"{name} is no codec: it is neither a function, nor a dict of such, nor has it `points`")
    return FunctionPeer(name, settings)  # pyright: ignore[reportArgumentType]

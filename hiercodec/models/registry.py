"""Parts by name: one registry a kind of part, and what a backbone has to offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from torch import nn

from hiercodec.errors import ConfigError

if TYPE_CHECKING:
    from hiercodec.models.channels.config import Preset

Part = TypeVar("Part")


class Registry(dict[str, Part]):
    """Parts of one kind by name; `ConfigError` lists the known names for an unknown one. `registry[name] = part` adds one.

    >>> Registry("fruit", {"apple": 1})["pear"]
    Traceback (most recent call last):
    hiercodec.errors.ConfigError: no fruit 'pear'; known: apple
    """

    def __init__(self, kind: str, parts: dict[str, Part]) -> None:
        super().__init__(parts)
        self.kind = kind

    def __missing__(self, name: str) -> Part:
        raise ConfigError(unknown(self.kind, name, self))


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The sentence that says so of an unknown name."""
    return f"no {kind} {name!r}; known: {', '.join(sorted(known))}"


@dataclass(frozen=True, slots=True)
class Backbone:
    """The learned transforms of one family and their hyper-networks, each made from a preset.

    f_a: x (B, 3, 16h, 16w) in 0…1 → (B, M, h, w), all of y or what is added to the linear path's y
    f_s: ŷ (B, M, h, w), and with a linear path its picture as a second input → (B, 3, 16h, 16w)
    h_a: y (B, M, h, w) → z (B, C_z, ⌈h/4⌉, ⌈w/4⌉)
    h_s: ẑ → features (B, C, 4⌈h/4⌉, 4⌈w/4⌉), where C is the preset's `width`
    """

    f_a: Callable[[Preset], nn.Module]
    f_s: Callable[[Preset], nn.Module]
    h_a: Callable[[Preset], nn.Module]
    h_s: Callable[[Preset], nn.Module]

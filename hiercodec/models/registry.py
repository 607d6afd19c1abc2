"""What a backbone has to offer, to be registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from hiercodec.models.channels.config import Preset


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

"""What both families' symbol searches share: how long to try, and what is to survive besides pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from hiercodec.arguments import shown
from hiercodec.errors import ImageTooLarge, InputError

HIGHEST = 9
"""The highest effort."""

MAX_PIXELS = 4 * 2**20
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
    if height * width > MAX_PIXELS:
        raise ImageTooLarge(f"an effort takes pictures of up to {MAX_PIXELS:,} pixels, this has {height * width:,}")

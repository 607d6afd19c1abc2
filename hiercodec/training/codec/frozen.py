"""Frozen classifiers as the loss uses them: batch norms folded in, in bfloat16 where that is fast, seen through views.

One network looked at one way has blind spots, and a codec trained against it learns to fill them (findings Q: what
convinced the network in the loss convinced no other). So a step draws a classifier and a `View` of the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = (1, 2, 3, 4)
"""Which of timm's feature maps are compared: strides 4, 8, 16 and 32."""


@dataclass(frozen=True, slots=True)
class View:
    """Which classifier looks, at what part of a picture, and how large.

    `window` is (top, left, side) as shares of the picture's sides; the part is resized to `side` pixels (0: left as it is).
    """

    classifier: int = 0
    window: tuple[float, float, float] = (0.0, 0.0, 1.0)
    side: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator, classifiers: int, side: int) -> View:
        """A random view of pictures `side` pixels wide: at 0.6 to 1.2 times that, of all or at least three quarters."""
        share = float(rng.uniform(0.75, 1.0)) if rng.random() < 0.5 else 1.0
        top, left = rng.uniform(0, 1 - share, 2).tolist()
        seen = max(32, 32 * round(side * float(rng.choice([0.6, 0.8, 1.0, 1.2])) / 32))
        return cls(int(rng.integers(classifiers)), (top, left, share), seen)

    def __call__(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 3, side, side)."""
        h, w = x.shape[-2:]
        top, left, share = self.window
        if share < 1:
            x = x[..., round(top * h) : round((top + share) * h), round(left * w) : round((left + share) * w)]
        if self.side and x.shape[-2:] != (self.side, self.side):
            x = F.interpolate(x, (self.side, self.side), mode="bilinear", align_corners=False)
        return x


class Frozen(nn.Module):
    """A classifier that is never trained: pictures in 0…1 → logits, feature maps.

    `module` is a timm network or anything with its `forward_intermediates` and `forward_head`; it is changed in place.
    """

    mean: Tensor
    std: Tensor
    module: Any

    def __init__(self, module: nn.Module, mean: Sequence[float], std: Sequence[float], *, bf16: bool = False) -> None:
        super().__init__()
        fold_norms(module.eval())
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        self.module = module.requires_grad_(False).to(dtype=self.dtype).to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32).view(1, 3, 1, 1))

    def train(self, mode: bool = True) -> Frozen:
        """Stays in evaluation mode."""
        return super().train(False)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) → logits (B, 1000) in float32, feature maps."""
        last, maps = self.last(x)
        return self.module.forward_head(last).float(), maps

    def last(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What is pooled before the last linear layer, and feature maps."""
        x = ((x.clamp(0, 1) - self.mean) / self.std).to(self.dtype, memory_format=torch.channels_last)
        return self.module.forward_intermediates(x, indices=list(FEATURES))


class _Strided(nn.Conv2d):
    """A strided depthwise convolution as a dense one that is thinned out: the same numbers on even sides.

    On a CPU the gradient of a strided depthwise convolution in bfloat16 is 20 times slower.
    """

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2, groups=self.groups)
        return y[:, :, 1::2, 1::2]


@torch.no_grad()
def fold_norms(parent: nn.Module) -> None:
    """Fold every batch norm into the convolution before it, in place; the norm's activation stays where it was.

    Works on timm's EfficientNet family, where both are named children of one parent, the convolution first.
    """
    name, convolution = "", None
    for own, child in parent.named_children():
        if isinstance(child, nn.Conv2d):
            name, convolution = own, child
        elif isinstance(child, nn.BatchNorm2d) and convolution is not None:
            mean, variance = child.running_mean, child.running_var
            if mean is None or variance is None:
                raise ValueError(f"{own}: a norm without statistics cannot be folded")
            scale = child.weight / torch.sqrt(variance + child.eps)
            old = convolution.bias if convolution.bias is not None else torch.zeros_like(mean)
            convolution.weight.mul_(scale.view(-1, 1, 1, 1))
            convolution.bias = nn.Parameter(child.bias + (old - mean) * scale)
            setattr(parent, own, getattr(child, "act", nn.Identity()))
            same = type(convolution).__name__ == "Conv2dSame"  # timm's TensorFlow padding: output i sees 2i … 2i+2
            if same and convolution.groups > 1 and convolution.stride == (2, 2):
                side = convolution.kernel_size[0]
                thinned = _Strided(convolution.in_channels, convolution.out_channels, side, groups=convolution.groups)
                thinned.weight, thinned.bias = convolution.weight, convolution.bias
                setattr(parent, name, thinned)
            convolution = None
        else:
            fold_norms(child)

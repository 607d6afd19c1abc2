"""The teacher of a distillation: what it says after every stage, as fast as it can be had on a CPU."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


class Teacher(nn.Module):
    """A timm MobileNetV2 (or alike: `conv_stem`, `blocks`, `conv_head`, `classifier`), frozen.

    `bf16` halves the time; the features then carry an error of about 1 % of their variance.
    """

    def __init__(self, module: nn.Module, bf16: bool) -> None:
        super().__init__()
        self.module, self.bf16 = fuse_batch_norms(module.eval()), bf16
        if bf16:
            self.module.to(torch.bfloat16)
        self.to(memory_format=torch.channels_last).requires_grad_(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Picture → (features after each group, logits at every position [n, h, w, classes])."""
        m: Any = self.module  # timm's attributes are not typed
        x = m.bn1(m.conv_stem(x.to(torch.bfloat16) if self.bf16 else x))
        features = []
        for i, block in enumerate(m.blocks):
            x = block(x)
            if i > 0:  # the first group works at stride 2, where the student has no interface
                features.append(x.float())
        x = m.bn2(m.conv_head(x))
        return features, m.classifier(x.permute(0, 2, 3, 1)).float()


def fuse_batch_norms(module: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution before it, in place; the activation timm keeps inside it stays."""
    for parent in module.modules():
        children = list(parent.named_children())
        for (_, conv), (name, bn) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
                assert bn.running_mean is not None
                assert bn.running_var is not None
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
                )
                setattr(parent, name, getattr(bn, "act", nn.Identity()))
    return module

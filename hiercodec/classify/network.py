"""The bundled classifier's network: a small convolutional net whose stages end where its teacher's do.

Pictures float [n, 3, H, W] in, logits [n, 1000] out. Each stage is a function of its own input, so that it can learn
from a teacher's features alone and in parallel with the others (`hiercodec.training.distill`):

    picture ─ stage 0 ─ ŷ0 ─ stage 1 ─ ŷ1 ─ … ─ ŷ5 ─ head ─ logits
              stride 4       stride 8       stride 32

ŷi stands for the teacher's features at the same place, standardised per channel. There is no batch norm: the scale of
every layer is set once from data (`init_scales`), which makes a stage the same function in training and in use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class StageConfig:
    """One stage: its output channels, stride, the hidden width of each block, and whether blocks are dense 3×3."""

    channels: int
    stride: int
    hidden: tuple[int, ...]
    dense: bool = False


@dataclass(frozen=True, slots=True)
class NetConfig:
    """The whole network; the default is what is shipped (3.9 million parameters)."""

    stem: int = 32
    stages: tuple[StageConfig, ...] = (
        StageConfig(24, 2, (96, 96), dense=True),
        StageConfig(32, 2, (128, 128), dense=True),
        StageConfig(64, 2, (256, 448, 448)),
        StageConfig(96, 1, (512, 640, 640)),
        StageConfig(160, 2, (768, 1120, 1120)),
        StageConfig(320, 1, (1280,)),
    )
    head: int = 1280
    classes: int = 1000

    @classmethod
    def from_dict(cls, data: dict) -> NetConfig:
        """The inverse of `to_dict`."""
        stages = tuple(StageConfig(**{**stage, "hidden": tuple(stage["hidden"])}) for stage in data["stages"])
        return cls(**{**data, "stages": stages})

    def to_dict(self) -> dict:
        """As plain JSON types."""
        return asdict(self)


class Conv(nn.Conv2d):
    """A convolution with "same" padding; at stride 2 output i looks at 2i … 2i+2, as TensorFlow (and the teacher) has it.

    Sizes must be even where the stride is 2.
    """

    def __init__(self, cin: int, cout: int, k: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(cin, cout, k, stride, padding=k // 2 if stride == 1 else 0, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] == 1:
            return super().forward(x)
        if self.groups > 1 and torch.is_grad_enabled():
            # The same numbers: on a CPU the gradient of a strided depthwise convolution in bfloat16 is 20 times slower.
            return F.conv2d(x, self.weight, self.bias, padding=1, groups=self.groups)[:, :, 1::2, 1::2]
        return super().forward(F.pad(x, (0, 1, 0, 1)))


class Block(nn.Module):
    """Expand, look around, project; a residual where shapes allow. `dense` fuses the first two into one 3×3."""

    def __init__(self, cin: int, hidden: int, cout: int, stride: int, dense: bool) -> None:
        super().__init__()
        self.residual = cin == cout and stride == 1
        self.expand = None if dense else Conv(cin, hidden, 1)
        self.spatial = Conv(cin, hidden, 3, stride) if dense else Conv(hidden, hidden, 3, stride, groups=hidden)
        self.project = Conv(hidden, cout, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else F.relu(self.expand(x))
        h = self.project(F.relu(self.spatial(h)))
        return x + h if self.residual else h


class Head(nn.Module):
    """Features [n, c, h, w] → logits at every position [n, h, w, classes]; their mean is the picture's."""

    def __init__(self, cin: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.hidden = Conv(cin, hidden, 1)
        self.logits = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the whole picture [n, classes]."""
        return self.logits(F.relu(self.hidden(x)).mean((2, 3)))

    def dense(self, x: Tensor) -> Tensor:
        """Logits at every position [n, h, w, classes]."""
        return self.logits(F.relu(self.hidden(x)).permute(0, 2, 3, 1))


class Net(nn.Module):
    """The classifier: `stages` then `head`."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetConfig()
        cin, stages = config.stem, []
        for i, stage in enumerate(config.stages):
            layers: list[nn.Module] = [Conv(3, config.stem, 3, 2), nn.ReLU()] if i == 0 else []
            for j, hidden in enumerate(stage.hidden):
                layers.append(Block(cin, hidden, stage.channels, stage.stride if j == 0 else 1, stage.dense))
                cin = stage.channels
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        self.head = Head(cin, config.head, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        return self.head(x)


@torch.no_grad()
def init_scales(net: Net, inputs: list[Tensor]) -> None:
    """Draw random weights and scale every layer so that its output has unit variance on `inputs[i]`, stage by stage.

    `inputs` holds the input of every stage and of the head. The last layer of a residual block starts small.
    """
    quiet = {block.project for block in net.modules() if isinstance(block, Block) and block.residual}

    def scale(layer: Any, _args: tuple, out: Tensor) -> Tensor:
        std = out.std() / (0.2 if layer in quiet else 1.0)
        layer.weight /= std
        return out / std

    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for module, x in zip([*net.stages, net.head], inputs, strict=True):
        hooks = [m.register_forward_hook(scale) for m in module.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        module(x)
        for hook in hooks:
            hook.remove()

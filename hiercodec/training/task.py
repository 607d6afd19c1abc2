"""What a purpose of training gives the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from hiercodec.training.config import RunConfig

Batch = Any


class Task(Protocol):
    """What is particular to one purpose. `batches[step]` depends on nothing but the config, the step and the process."""

    @property
    def config(self) -> RunConfig: ...

    @property
    def module(self) -> nn.Module:
        """What is trained, averaged and saved."""
        ...

    @property
    def batches(self) -> Dataset: ...

    def groups(self) -> list[dict[str, Any]]:
        """Adam's parameter groups; a group with `clip=False` stays out of the gradient's norm."""
        ...

    def initialise(self) -> None:
        """Give `module` its first weights; not called when a run is resumed."""
        ...

    def loss(self, model: nn.Module, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """(what to differentiate, figures for the log) of one step; `model` is `module`, ready for several processes."""
        ...

    def summary(self, figures: dict[str, float]) -> str:
        """The figures that the progress bar shows."""
        ...

    def export(self, module: nn.Module, path: Path, progress: dict[str, Any]) -> None:
        """Write the averaged `module` (on the CPU) as a shippable file, with `progress` in its card."""
        ...

    def validate(self, path: Path) -> dict[str, Any]:
        """Figures of an exported model on what is held out."""
        ...

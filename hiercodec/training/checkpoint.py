"""Checkpoints without pickles: model, EMA and Adam moments as safetensors, the step in the metadata."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def flatten(model: nn.Module, ema: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Everything a run needs to go on, by name."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.items()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
    return {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}


def write(path: Path, tensors: dict[str, Tensor], step: int) -> None:
    """Write a checkpoint, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"step": str(step)})
    partial.replace(path)


def read(path: Path, model: nn.Module, ema: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> int:
    """Restore a checkpoint in place and return its step."""
    with safe_open(str(path), framework="pt") as file:
        step = int((file.metadata() or {})["step"])
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (safe_open is no dict)
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    for name in ema:
        ema[name].copy_(tensors[f"ema.{name}"])
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, index, name = key.split(".")
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return step

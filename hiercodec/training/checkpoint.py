"""Checkpoints without pickles: model, averaged weights and Adam's moments as safetensors, progress in the metadata."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from hiercodec.errors import ConfigError
from hiercodec.fsio import write_bytes


def write(path: Path, model: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer, **progress: int) -> None:
    """Write everything a run needs to go on, whole or not at all; `OutputError` if the disk refuses."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items() if v.is_floating_point()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    write_bytes(path, save(plain, metadata={k: str(v) for k, v in progress.items()}))


def read(path: Path, model: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
    """Restore a checkpoint in place and return its progress; `ConfigError` if it is damaged or another model's."""
    try:
        with safe_open(str(path), framework="pt") as file:
            progress = {k: int(v) for k, v in (file.metadata() or {}).items()}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (safe_open is no dict)
        state = _under("model.", tensors)
        model.load_state_dict(state)
        ema.load_state_dict(state | _under("ema.", tensors))
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("adam.", tensors).items():
            number, name = key.split(".")
            parameter = parameters[int(number)]
            if value.shape == parameter.shape:  # laid out in memory as its parameter: the fused Adam walks both as one
                value = torch.empty_like(parameter, device=value.device).copy_(value)
            moments.setdefault(int(number), {})[name] = value
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
        return {"step": progress["step"], **progress}
    except (SafetensorError, OSError, RuntimeError, KeyError, ValueError) as error:
        raise ConfigError(
            f"{path} is no checkpoint of this run ({str(error).splitlines()[0]}); start again without --resume: "
            "what is there is kept"
        ) from None


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

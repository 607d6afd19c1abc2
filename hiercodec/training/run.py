"""The training loop, the same for every purpose: Lightning Fabric, averaged weights, log, checkpoint, exact resume.

    launch(config) → Fabric ─► a Task (data, loss, validation, export) ─► Trainer(task, fabric).run() → exported model

Every step's data and noise depend on the seed and the step alone, so a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from hiercodec import values
from hiercodec.device import resolve
from hiercodec.errors import ConfigError, OutputError
from hiercodec.fsio import write_bytes
from hiercodec.training.config import RunConfig

SKIPPED = 50
"""Steps in a row whose gradient may be no number before a run gives up: a spike takes one or two."""


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


def launch(config: RunConfig) -> Fabric:
    """Fabric as the config asks, with the other processes of a run on several devices started.

    `InputError` where there is no such device, or not as many.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    # Not Fabric's own bf16-mixed: it would round the pixels, the linear path and all rates to 8 bits as well. Tasks use
    # autocast around their learned paths instead.
    resolve(config.accelerator)
    try:
        fabric = Fabric(accelerator=config.accelerator, devices=config.devices, num_nodes=config.nodes,
                        strategy=config.strategy, precision="32-true")  # fmt: skip
    except (MisconfigurationException, ValueError) as error:  # more devices than there are, an unknown strategy
        raise ConfigError(f"{config.name}: {str(error).strip().splitlines()[0]}") from None
    fabric.launch()
    torch.manual_seed(config.seed)
    return fabric


class Trainer:
    """One run of one task. `run` trains until `steps` or for `minutes`, whichever comes first.

    Nothing is written before it. Without `resume` it moves aside what an earlier run left in the folder.
    """

    def __init__(self, task: Task, fabric: Fabric, *, resume: bool = False) -> None:
        self.task, self.fabric, self.config, self.raw = task, fabric, task.config, task.module
        self.step, self.crops, self.stopping, self.validation, self.skipped = 0, 0, False, None, 0
        folder = self.config.run_dir
        _check_folder(folder)  # before minutes go into what an unwritable one could not keep
        self.checkpoint_path, self.log_path = folder / "last.safetensors", folder / "log.jsonl"
        groups = [{"base": group["lr"], "clip": True, **group} for group in task.groups()]
        self.clipped = [p for group in groups if group["clip"] for p in group["params"]]
        optimizer = torch.optim.Adam(groups, fused=True)
        self.resumed = resume and self.checkpoint_path.is_file()
        if not self.resumed:
            task.initialise()
        self.ema = AveragedModel(self.raw, multi_avg_fn=self._average)
        self.ema.n_averaged.fill_(1)  # at 0 the first update would replace the first weights instead of averaging
        if self.resumed:
            progress = read_checkpoint(self.checkpoint_path, self.raw, self.ema.module, optimizer)
            self.step = progress["step"]
            self.crops = progress.get("crops", self.step * self._crops_per_step)
        self.model, self.optimizer = fabric.setup(self.raw, optimizer)
        self.ema.to(fabric.device)

    @property
    def _crops_per_step(self) -> int:
        return self.config.batch * self.fabric.world_size

    def stop(self) -> None:
        """Let `run` finish its step, save and return; safe to call from a signal handler."""
        self.stopping = True

    def run(self, minutes: float | None = None) -> Path:
        """Train; returns the exported model. Leaves a checkpoint to go on from, also when stopped."""
        config, deadline = self.config, math.inf if minutes is None else time.monotonic() + 60 * minutes
        if self.fabric.is_global_zero:
            _go_on(self.log_path, self.step) if self.resumed else _start_afresh(config.run_dir)
        self.fabric.barrier()
        window: dict[str, list[Tensor]] = defaultdict(list)
        since = time.monotonic()
        with tqdm(total=config.steps, initial=self.step, unit="step", dynamic_ncols=True,
                  disable=not self.fabric.is_global_zero) as bar:  # fmt: skip
            for batch in self._loader():
                if self._ending(deadline):
                    break
                for key, value in self._train_step(batch).items():
                    window[key].append(value)
                bar.update()
                if self.step % config.log_every == 0:
                    speed = config.log_every * self._crops_per_step / (time.monotonic() - since)
                    figures = self._means(window)
                    self._log({"crops_per_s": round(speed, 2), **figures})
                    bar.set_postfix_str(self.task.summary(figures))
                    since = time.monotonic()
                    window.clear()
                if self.step % config.save_every == 0:
                    self.save()
                if self.step % config.validate_every == 0 and self.step < config.steps:
                    self._validate()
        self.save()
        self._validate()
        return self.export(config.run_dir / f"{config.name}.safetensors")

    def _loader(self) -> Iterable[Batch]:
        """Batches from the next step on, on the device."""
        loader = DataLoader(self.task.batches, batch_size=None, sampler=range(self.step, self.config.steps),
                            num_workers=self.config.workers, pin_memory=self.fabric.device.type == "cuda")  # fmt: skip
        return self.fabric.setup_dataloaders(loader, use_distributed_sampler=False)

    def _ending(self, deadline: float) -> bool:
        """Whether any process was told to stop or is out of time: all must agree, or some would wait for ever."""
        return self.fabric.strategy.reduce_boolean_decision(self.stopping or time.monotonic() >= deadline, all=False)

    def _train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One step; its figures stay on the device, so that nothing waits for them."""
        seed = self.config.seed * 1_000_003 + self.step
        torch.manual_seed(seed * self.fabric.world_size + self.fabric.global_rank)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * schedule(self.step, self.config)
        loss, figures = self.task.loss(self.model, batch, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self.clipped, self.config.clip)
        finite = bool(norm.isfinite())
        if finite:
            self.optimizer.step()
        self._count(skipped=not finite)
        self.ema.update_parameters(self.raw)
        self.step += 1
        self.crops += self._crops_per_step
        return {**figures, "grad": norm, "skipped": norm.new_tensor(not finite)}

    def _count(self, *, skipped: bool) -> None:
        """Steps without a finite gradient in a row; `ConfigError` where they are too many to be a spike."""
        self.skipped = self.skipped + 1 if skipped else 0
        if self.skipped >= SKIPPED:
            raise ConfigError(
                f"the gradients of {SKIPPED} steps in a row, up to step {self.step}, were no finite numbers, so nothing was "
                "learned: go on from the last checkpoint with --resume and a lower lr or clip, or with precision 32-true"
            )

    @torch.no_grad()
    def _average(self, mean: Any, now: Any, _: Tensor | int) -> None:
        """Exponential moving average of the weights; young averages follow faster."""
        torch._foreach_lerp_(mean, now, 1 - min(self.config.ema, (1 + self.step) / (10 + self.step)))

    def _means(self, window: dict[str, list[Tensor]]) -> dict[str, float]:
        """Means over the window and over all processes."""
        means = self.fabric.all_reduce(torch.stack([torch.stack(values).mean() for values in window.values()]))
        assert isinstance(means, Tensor)
        return {key: round(value, 5) for key, value in sorted(zip(window, means.tolist(), strict=True))}

    def save(self) -> None:
        """Write the checkpoint that `--resume` goes on from."""
        if self.fabric.is_global_zero:
            write_checkpoint(
                self.checkpoint_path, self.raw, self.ema.module, self.optimizer, step=self.step, crops=self.crops
            )

    def export(self, path: Path) -> Path:
        """Write the averaged model as a shippable file with its card; returns the path."""
        if self.fabric.is_global_zero:
            module = copy.deepcopy(self.ema.module).cpu().eval()
            progress = {"steps": self.step, "crops": self.crops, "device": str(self.fabric.device),
                        "processes": self.fabric.world_size, "validation": self.validation}  # fmt: skip
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self.task.export(module, path, progress)
            except (OSError, SafetensorError) as error:
                raise OutputError(f"cannot write {path}: {error}") from None
        return path

    def _validate(self) -> None:
        """Figures of the exported weights on what is held out."""
        path = self.export(self.config.run_dir / "validation" / "validate.safetensors")
        if self.fabric.is_global_zero:
            with torch.random.fork_rng():
                self.validation = self.task.validate(path)
            self._log({"validation": self.validation})

    def _log(self, record: dict) -> None:
        if not self.fabric.is_global_zero:
            return
        try:
            with self.log_path.open("a", encoding="utf-8") as file:
                file.write(values.dumps({"step": self.step, "crops": self.crops, **record}) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {self.log_path}: {error.strerror}") from error


def schedule(step: int, config: RunConfig) -> float:
    """Share of the peak learning rate: a linear warm-up, the peak for `hold`, then a cosine down to `lr_end`."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    falls = config.warmup + config.hold * (config.steps - config.warmup)
    progress = min(1.0, max(0.0, step - falls) / max(1.0, config.steps - falls))
    return config.lr_end + (1 - config.lr_end) * 0.5 * (1 + math.cos(math.pi * progress))


def _check_folder(folder: Path) -> None:
    """Raise `OutputError` where a run's folder cannot be made or written."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"cannot write {folder}: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {folder}: {there} is not writable")


def _start_afresh(folder: Path) -> None:
    """An empty folder for the run; what was there is kept beside it."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            beside = (folder.with_name(f"{folder.name}.prev{n or ''}") for n in itertools.count())
            kept = folder.rename(next(path for path in beside if not path.exists()))
            print(f"{folder} held an earlier run, now in {kept}; --resume would have gone on with it", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from error


def _go_on(log: Path, step: int) -> None:
    """Drop what was logged after the last checkpoint, and lines that a crash left torn."""
    if log.is_file():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _logged_at(line) <= step]
        if kept != lines:
            write_bytes(log, "".join(f"{line}\n" for line in kept).encode())


def _logged_at(line: str) -> float:
    """The step of a line of the log; infinite where the line is torn."""
    try:
        return json.loads(line)["step"]
    except (ValueError, TypeError, KeyError):
        return math.inf


def write_checkpoint(
    path: Path, model: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer, **progress: int
) -> None:
    """Write everything a run needs to go on, whole or not at all; `OutputError` if the disk refuses.

    No pickle: model, averaged weights and Adam's moments as safetensors, progress in the metadata.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items() if v.is_floating_point()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    write_bytes(path, save(plain, metadata={k: str(v) for k, v in progress.items()}))


def read_checkpoint(path: Path, model: nn.Module, ema: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
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

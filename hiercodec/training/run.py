"""The training loop: Lightning Fabric for device and precision, exact resume, real coded bytes in validation.

Every step's data and noise depend on the seed and the step alone, so a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from tqdm import tqdm

from hiercodec.evaluation.dataset import Photos, load_photos
from hiercodec.evaluation.metrics import decibels
from hiercodec.models import PRESETS, store
from hiercodec.models.linear import LayeredKLT
from hiercodec.training import checkpoint
from hiercodec.training.codec.loss import SemanticLoss, bounded_pull, prefix_rates
from hiercodec.training.codec.model import TrainableCodec
from hiercodec.training.codec.validate import judge_of, validate
from hiercodec.training.config import TrainConfig
from hiercodec.training.data import Crops


class Trainer:
    """One run of one config. `run` trains until `steps` or for `minutes`, whichever comes first."""

    def __init__(self, config: TrainConfig, *, resume: bool = False, photos: Photos | None = None) -> None:
        self.config = config
        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = Fabric(accelerator="auto", devices=1)
        torch.manual_seed(config.seed)
        photos = photos or load_photos(list(config.photos), limit=config.limit or None)
        train, self.held_out = photos.split(config.holdout)
        self.crops = Crops(
            train,
            crop=config.crop,
            batch=config.batch,
            seed=config.seed,
            labelled_share=config.labelled_share,
            device=self.fabric.device,
        )
        model = TrainableCodec(PRESETS[config.preset].scaled(**config.changes), bf16=config.bf16)
        if config.init:
            model.start_from(config.init)
        else:
            starts = torch.cat([self.crops.batch(2**31 + i)[0].cpu() for i in range(4)])
            model.initialise(train.pixels[::4], starts)
        self.semantic = _semantic_loss(config) if config.classifier else None
        self.judging = judge_of(config) if config.classifier else None
        self.raw = model
        self.optimizer = torch.optim.Adam(_parameter_groups(model, config))
        # Not the prior's quantiles: their loss is their own, and its gradient, tens of times longer, hid a spike in all
        # others from the clipping (a run blew up at step 890).
        self.clipped = [p for name, p in model.named_parameters() if not name.endswith("quantiles")]
        self.ema = {k: v.detach().clone() for k, v in model.state_dict().items() if v.is_floating_point()}
        self.step = 0
        self.log_path = config.run_dir / "log.jsonl"
        last = config.run_dir / "last.safetensors"
        if resume and last.is_file():
            self.step = checkpoint.read(last, model, self.ema, self.optimizer)
            _truncate_log(self.log_path, self.step)
        elif self.log_path.exists():
            self.log_path.unlink()
        if config.compile:  # in place, so that the names of the weights stay; the entropy model is not worth it
            for part in (model.network.f_a, model.network.f_s, *([self.semantic.module] if self.semantic else [])):
                part.compile()
        self.model, self.optimizer = self.fabric.setup(model, self.optimizer)
        if self.semantic is not None:
            self.semantic = self.semantic.to(self.fabric.device, memory_format=torch.channels_last)
        self.stopping = False

    def stop(self) -> None:
        """Let `run` finish its step, save and return; safe to call from a signal handler."""
        self.stopping = True

    def run(self, minutes: float | None = None) -> Path:
        """Train; returns the exported model. Always leaves a usable checkpoint, also when stopped."""
        config, started = self.config, time.monotonic()
        window: list[dict] = []
        bar = tqdm(total=config.steps, initial=self.step, unit="step", dynamic_ncols=True)
        try:
            while self.step < config.steps and not self.stopping:
                if minutes is not None and time.monotonic() - started >= 60 * minutes:
                    break
                window.append(self._train_step())
                self.step += 1
                bar.update()
                if self.step % config.log_every == 0:
                    rates = self.step / max(1e-9, bar.format_dict["elapsed"])
                    record = {k: float(np.mean([w[k] for w in window if k in w])) for k in set().union(*window)}
                    self._log({"step": self.step, "steps_per_s": round(rates, 3), **dict(sorted(record.items()))})
                    bar.set_postfix_str(_summary(record, self.raw.plan.names))
                    window.clear()
                if self.step % config.save_every == 0:
                    self.save()
                if self.step % config.validate_every == 0:
                    self._validate()
        finally:
            bar.close()
            self.save()
        self._validate()
        return self.export(config.run_dir / f"{config.name}.safetensors")

    def _train_step(self) -> dict[str, float]:
        config, loss_weights = self.config, self.config.loss
        torch.manual_seed(config.seed * 1_000_003 + self.step)
        rng = np.random.default_rng((config.seed, self.step, 1))
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * _schedule(self.step, config)
        x, labels = self.crops.batch(self.step)
        x = x.contiguous(memory_format=torch.channels_last)
        n_levels = len(self.raw.plan)
        cut = (int(rng.integers(n_levels)), float(rng.random())) if rng.random() < config.cut_share else None
        levels = sorted(rng.choice(n_levels, min(n_levels, config.levels_per_step), replace=False).tolist())
        share = n_levels / len(levels)  # an unbiased estimate of the sum over all levels
        out = self.model(x, cut=cut, levels=tuple(levels))
        rates = prefix_rates(out["likelihoods"], x.shape[0] * x.shape[2] * x.shape[3])
        mse = (out["x_hat"] - x).pow(2).mean((1, 2, 3, 4)) * 255**2
        record = {f"bpp_{name}": r.item() for name, r in zip(self.raw.plan.names, rates, strict=True)}
        loss = (torch.tensor(loss_weights.rate, device=x.device) * rates).sum()
        for i, k in enumerate(levels):
            loss = loss + share * loss_weights.lmbda[k] * loss_weights.w[k] * mse[i]
            record[f"psnr_{self.raw.plan.names[k]}"] = decibels(mse[i].item())
        if cut is not None:
            k = max(0, cut[0] - 1) if cut[1] < 0.5 else cut[0]  # judged as the nearer level
            loss = loss + loss_weights.lmbda[k] * loss_weights.w[k] * mse[-1]
            record["psnr_cut"] = decibels(mse[-1].item())
        surrogate = torch.zeros((), device=x.device)
        if self.semantic is not None:
            ramp = min(1.0, (self.step + 1) / max(1, config.semantic_warmup))
            targets, references = self.semantic.originals(x, labels)
            for i, k in enumerate(levels):
                leaf = out["x_hat"][i].detach().requires_grad_()
                if loss_weights.features:
                    ce, hits, distance = self.semantic.with_features(leaf, targets[k], k, references)
                    term = ce + loss_weights.features * distance
                    record[f"features_{self.raw.plan.names[k]}"] = distance.item()
                else:
                    ce, hits = self.semantic(leaf, targets[k], k)
                    term = ce
                pull = loss_weights.lmbda[k] * loss_weights.w[k] * 2 * 255**2 * (leaf.detach() - x) / x.numel()
                gradient = bounded_pull(loss_weights.gamma[k] * term, leaf, pull, loss_weights.limit[k])
                # ⟨x̂, g⟩ has gradient g at x̂; its value means nothing, so what is logged is the cross-entropy itself.
                surrogate = surrogate + share * ramp * (out["x_hat"][i] * gradient).sum()
                loss = loss + share * ramp * loss_weights.gamma[k] * ce.detach()
                name = self.raw.plan.names[k]
                record[f"ce_{name}"], record[f"acc_{name}"] = ce.item(), hits.item()
        self.optimizer.zero_grad(set_to_none=True)
        aux = self.raw.aux_loss()  # fits the prior's quantiles; touches nothing else
        self.fabric.backward(loss + surrogate + aux)
        norm = torch.nn.utils.clip_grad_norm_(self.clipped, config.clip)
        record |= {"loss": loss.item(), "aux": aux.item(), "grad": norm.item()}
        if math.isfinite(record["grad"]):
            self.optimizer.step()
        self._average()
        return record

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of the weights; young averages follow faster."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.raw.state_dict().items():
            if name in self.ema:
                if self.ema[name].shape == value.shape:
                    self.ema[name].lerp_(value.to(self.ema[name].device), 1 - decay)
                else:
                    self.ema[name] = value.detach().clone()  # CompressAI resizes its table buffers

    def averaged(self) -> TrainableCodec:
        """A copy of the model with the averaged weights, on the CPU."""
        copy = TrainableCodec(self.raw.preset)
        copy.load_state_dict({k: self.ema.get(k, v).cpu() for k, v in self.raw.state_dict().items()})
        return copy.eval()

    def save(self) -> None:
        """Write the checkpoint that `--resume` goes on from."""
        tensors = checkpoint.flatten(self.raw, self.ema, self.optimizer)
        checkpoint.write(self.config.run_dir / "last.safetensors", tensors, self.step)

    def export(self, path: Path) -> Path:
        """Write the averaged model as a shippable file with its card; returns the path."""
        model = self.averaged()
        pmfs, medians = model.z_pmfs()
        extra = {
            f"bottleneck.{k}": v for k, v in model.entropy_bottleneck.state_dict().items() if not k.startswith("_")
        }
        records = (
            [json.loads(line) for line in self.log_path.read_text().splitlines()] if self.log_path.exists() else []
        )
        held = [r for r in records if "validation" in r]
        card = {
            "name": self.raw.preset.name,
            "steps": self.step,
            "training": self.config.to_dict(),
            "photos": len(self.crops),
            "device": str(self.fabric.device),
            "started_from": _origin(self.config.init),
            "validation": held[-1]["validation"] if held else None,
        }
        store.save(path, model.network, pmfs, medians, card, extra)
        return path

    def _validate(self) -> None:
        """Real coded bytes of held-out photographs, by the exported half-precision weights."""
        from hiercodec.models.store import load

        path = self.export(self.config.run_dir / "validate.safetensors")
        codec = load(path)
        with torch.random.fork_rng():
            measured = validate(codec, self.held_out, self.judging, limit=self.config.validate_photos)
        self._log({"step": self.step, "validation": measured})

    def _log(self, record: dict) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _parameter_groups(model: TrainableCodec, config: TrainConfig) -> list[dict]:
    """Adam groups: the KLT moves slowly, the prior's quantiles by their own loss, everything else at `lr`."""
    slow, quantiles, rest = [], [], []
    linear = model.network.linear
    own = {id(p) for p in (linear.analysis, linear.synthesis, linear.mean)} if isinstance(linear, LayeredKLT) else set()
    for name, parameter in model.named_parameters():
        if id(parameter) in own:
            slow.append(parameter)
        elif name.endswith("quantiles"):
            quantiles.append(parameter)
        else:
            rest.append(parameter)
    groups = [(rest, config.lr), (slow, config.lr_linear), (quantiles, 1e-2)]
    return [{"params": params, "lr": lr, "base": lr} for params, lr in groups if params]


def _schedule(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine down to `lr_end` of the peak."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    progress = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    return config.lr_end + (1 - config.lr_end) * 0.5 * (1 + math.cos(math.pi * progress))


def _origin(init: str) -> dict | None:
    """What the card of the model that training started from says of its own training."""
    if not init:
        return None
    card = json.loads(store.weights_path(init).with_suffix(".json").read_text(encoding="utf-8"))
    return {key: card.get(key) for key in ("name", "fingerprint", "steps", "training", "started_from")}


def _semantic_loss(config: TrainConfig) -> SemanticLoss:
    """The classifier's loss at the hierarchy's levels that the plan names."""
    plan = PRESETS[config.preset].scaled(**config.changes).plan
    from hiercodec.classify import load_classifier
    from hiercodec.taxonomy import load_hierarchy

    classifier = load_classifier(config.classifier)
    hierarchy = load_hierarchy(config.hierarchy)
    levels = [hierarchy.level(name) for name in plan.names]
    assignments = [(level.k, torch.tensor(level.assignment)) for level in levels]
    pre = classifier.preprocess
    return SemanticLoss(classifier.module, pre.mean, pre.std, assignments, config.loss.smoothing)


def _truncate_log(path: Path, step: int) -> None:
    """Drop what a crashed run logged after its last checkpoint."""
    if path.exists():
        lines = [line for line in path.read_text().splitlines() if json.loads(line)["step"] <= step]
        path.write_text("".join(line + "\n" for line in lines))


def _summary(record: dict[str, float], levels: tuple[str, ...]) -> str:
    """The progress bar's words: each figure at every level, coarse first; – where this window has none."""
    parts = [f"loss {record['loss']:.2f}"]
    for key in ("bpp", "psnr", "acc"):
        values = [record.get(f"{key}_{level}") for level in levels]
        if any(v is not None for v in values):
            parts.append(f"{key} " + "/".join("–" if v is None else f"{v:.2f}" for v in values))
    return "  ".join(parts)

"""Distil the bundled classifier from a larger one, by matching functions rather than labels.

    python -m hiercodec.training.distill --teacher SPEC --photos DIR… --out DIR --minutes M [--resume | --init MODEL]

A few thousand photographs are too few to learn 1000 classes from labels, but plenty to learn *functions* from: the
teacher says at every position of every stage what its features are. So each stage of the student
(`hiercodec.classify.network`) learns to make the teacher's features after that stage: at first from the teacher's
features before it, all stages at once, then from what the student's own stages before it make of the picture.

    loss = Σ_i |ŷ_i − y_i|² + |l̂ − l|² + w · T² · KL(softmax(l/T) ‖ softmax(l̂/T))

y_i: the teacher's features after stage i, standardised per channel; l: its logits, at first at every position (their
mean is its prediction, since pooling and the last layer commute). Gradients cross from a stage into the one before it
only shrunk (`couple`): whole, the noise of the late losses drowned what the early stages had learnt. No label is used.
The teacher sees the clean crop, the student part of the time a degraded one, as it will meet decoded pictures: with
`--codec` mostly crops decoded from `.hc` streams cut at a random byte.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from hiercodec.classify import Preprocess, load_classifier
from hiercodec.classify.network import Net, NetConfig, init_scales
from hiercodec.errors import ConfigError, HiercodecError
from hiercodec.models import Codec
from hiercodec.models import load as load_codec
from hiercodec.training.distill_optimiser import Muon
from hiercodec.training.distill_pictures import blend, degrade, random_crop, read_photos, to_input
from hiercodec.training.distill_teacher import Teacher


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """Everything that decides a run. Fractions are of the run's length, whether that is counted in steps or minutes."""

    batch: int = 48
    sizes: tuple[tuple[float, int], ...] = ((0.0, 128), (0.6, 160))  # from this fraction on, crops of this size
    forced_until: float = 0.2  # up to here every stage is given the teacher's features, then the student's own
    dense_until: float = 0.6  # up to here the head learns the teacher's logits at every position, then their mean
    shares: tuple[float, ...] = (0.25, 0.5, 1.0, 1.0, 1.0, 1.0)  # of a batch that each stage learns from
    couple: tuple[float, ...] = (0.0, 0.0, 0.0, 0.1, 0.5, 1.0)  # factor on gradients that cross back into each stage
    degrade_from: float = 0.3
    degrade: float = 0.2  # share of pictures the student sees damaged
    mix: float = 0.2  # share of pictures blended with another, or with a rectangle of it
    lr: float = 0.03
    lr_vectors: float = 2e-3
    lr_scales: tuple[float, ...] = (0.6, 0.8, 1.0, 0.8, 0.6, 0.6, 0.3)  # stages and head; few positions, more noise
    weight_decay: float = 0.002
    warmup: float = 0.01
    kl: float = 0.3
    temperature: float = 2.0
    ema: float = 0.998
    bf16: bool = True
    holdout: int = 21  # every 21st photo is never trained on, only tracked
    seed: int = 1


class Distiller:
    """Student, averaged student, optimiser and the pictures; `run` trains until the steps or minutes are used up."""

    def __init__(
        self,
        teacher: Callable[[Tensor], tuple[list[Tensor], Tensor]],
        photos: list[np.ndarray],
        cfg: DistillConfig,
        net: NetConfig,
        out: Path,
        preprocess: Preprocess | None = None,
        codec: Codec | None = None,
    ) -> None:
        torch.manual_seed(cfg.seed)
        self.codec = codec
        self.teacher, self.cfg, self.out, self.preprocess = teacher, cfg, out, preprocess or Preprocess()
        self.train = [p for i, p in enumerate(photos) if i % cfg.holdout]
        self.held = [p for i, p in enumerate(photos) if i % cfg.holdout == 0]
        self.net, self.ema = Net(net), Net(net)
        x = self.crops(0, 0.0, "calibrate")[0]
        features, _ = teacher(x)
        self.mean = [f.mean((0, 2, 3), keepdim=True) for f in features]
        self.std = [f.std((0, 2, 3), keepdim=True) + 1e-6 for f in features]
        init_scales(self.net, [x, *self.standardise(features)])
        self.ema.load_state_dict(self.net.state_dict())
        for model in (self.net, self.ema):
            model.to(memory_format=torch.channels_last)
        parts = list(zip([*self.net.stages, self.net.head], cfg.lr_scales, strict=True))
        self.opt = Muon(parts, lr=cfg.lr, lr_vectors=cfg.lr_vectors, weight_decay=cfg.weight_decay)
        self.step, self.seconds = 0, 0.0
        self.goals: dict[int, Tensor] = {}
        self.stopping = False  # set from outside (a signal): finish the step, write a checkpoint, return

    def standardise(self, features: list[Tensor]) -> list[Tensor]:
        """Zero mean and unit variance per channel, by the statistics of the first batch."""
        return [(f - m) / s for f, m, s in zip(features, self.mean, self.std, strict=True)]

    def crops(self, step: int, progress: float, salt: str = "train") -> tuple[Tensor, Tensor]:
        """The batch of a step: (clean, perhaps degraded). A function of seed and step alone, so resuming is exact."""
        cfg = self.cfg
        rng = np.random.default_rng([cfg.seed, step, len(salt)])
        size = [s for start, s in cfg.sizes if progress >= start][-1]
        n, first = len(self.train), step * cfg.batch
        epochs = {
            e: np.random.default_rng([cfg.seed, e]).permutation(n) for e in {first // n, (first + cfg.batch) // n}
        }
        picks = [epochs[k // n][k % n] for k in range(first, first + cfg.batch)] if cfg.batch < n else range(n)
        clean = [random_crop(self.train[i], size, rng) for i in picks]
        share = cfg.degrade if progress >= cfg.degrade_from else 0.0
        seen = [degrade(c, rng, self.codec) if rng.random() < share else c for c in clean]
        x = to_input(clean, self.preprocess)
        y = to_input(seen, self.preprocess) if share else x.clone()
        blend(x, y, rng, cfg.mix)
        return x, y

    def losses(self, x: Tensor, seen: Tensor, progress: float) -> dict[str, Tensor]:
        """All terms of the loss for one batch; `s0`… are the stages' errors in units of the teacher's variance."""
        cfg = self.cfg
        features, dense = self.teacher(x)
        targets = self.standardise(features)
        forced, at_positions = progress < cfg.forced_until, progress < cfg.dense_until
        terms: dict[str, Tensor] = {}
        h = seen
        with torch.autocast("cpu", torch.bfloat16, enabled=cfg.bf16):
            for i, (stage, target) in enumerate(zip(self.net.stages, targets, strict=True)):
                n = math.ceil(cfg.shares[i] * len(h))  # early stages are dear, and see many positions in each picture
                learning = stage(h[:n])
                terms[f"s{i}"] = F.mse_loss(learning.float(), target[:n])
                h = target if forced else self.rest(stage, h[n:], learning.detach().lerp(learning, cfg.couple[i]))
            logits = self.net.head.dense(h) if at_positions else self.net.head(h)[:, None, None]
        logits, dense = logits.float(), dense if at_positions else dense.mean((1, 2), keepdim=True)
        centred, goal = logits - logits.mean(-1, keepdim=True), dense - dense.mean(-1, keepdim=True)
        terms["logits"] = F.mse_loss(centred, goal) / goal.var().clamp_min(1e-6)
        t = cfg.temperature
        a, b = logits.mean((1, 2)) / t, dense.mean((1, 2)) / t
        terms["kl"] = t * t * F.kl_div(a.log_softmax(-1), b.log_softmax(-1), log_target=True, reduction="batchmean")
        return terms

    @staticmethod
    def rest(stage: nn.Module, h: Tensor, done: Tensor) -> Tensor:
        """`done` and behind it what the stage makes of `h`, without gradients."""
        if not len(h):
            return done
        with torch.no_grad():
            return torch.cat([done, stage(h)])

    def train_step(self, progress: float) -> dict[str, float]:
        """One update; returns the terms as numbers."""
        cfg = self.cfg
        x, seen = self.crops(self.step, progress)
        terms = self.losses(x, seen, progress)
        loss = torch.stack([v * (cfg.kl if k == "kl" else 1.0) for k, v in terms.items()]).sum()
        for p in self.net.parameters():
            p.grad = None
        loss.backward()
        factor = min(1.0, progress / cfg.warmup) if progress < cfg.warmup else 0.5 + 0.5 * math.cos(math.pi * progress)
        self.opt.step(max(factor, 0.01))
        self.step += 1
        decay = min(cfg.ema, self.step / (self.step + 20))
        with torch.no_grad():
            for a, b in zip(self.ema.parameters(), self.net.parameters(), strict=True):
                a.lerp_(b, 1 - decay)
        return {k: v.item() for k, v in terms.items()}

    @torch.inference_mode()
    def evaluate(self, size: int = 160) -> dict[str, float]:
        """Agreement with the teacher on the held-out photos, centre crops."""
        hits, kl = [], []
        view = replace(self.preprocess, size=size)
        for start in range(0, len(self.held), 32):
            x = to_input([view.crop_of(p) for p in self.held[start : start + 32]], self.preprocess)
            if start not in self.goals:
                self.goals[start] = self.teacher(x)[1].mean((1, 2))
            with torch.autocast("cpu", torch.bfloat16, enabled=self.cfg.bf16):
                goal, logits = self.goals[start], self.ema(x).float()
            hits += (logits.argmax(-1) == goal.argmax(-1)).tolist()
            p, q = goal.log_softmax(-1), logits.log_softmax(-1)
            kl += F.kl_div(q, p, log_target=True, reduction="none").sum(-1).tolist()
        return {"agreement": float(np.mean(hits)), "held_kl": float(np.mean(kl))}

    def run(self, *, steps: int | None = None, minutes: float | None = None, every: float = 420.0) -> None:
        """Train to `steps` or for `minutes` in all (over resumes), writing a log line often and a checkpoint at times."""
        start, base, saved = time.monotonic(), self.seconds, time.monotonic()
        self.out.mkdir(parents=True, exist_ok=True)
        sums: dict[str, float] = {}
        count = 0
        while True:
            self.seconds = base + time.monotonic() - start
            progress = self.step / steps if steps else self.seconds / (60 * (minutes or 1))
            done = progress >= 1 or self.stopping
            if progress < 1 and not self.stopping:
                for k, v in self.train_step(progress).items():
                    sums[k] = sums.get(k, 0.0) + v
                count += 1
            if count and (count == 20 or done):
                self.log({"progress": round(progress, 4), **{k: round(v / count, 5) for k, v in sums.items()}})
                sums, count = {}, 0
            if done or time.monotonic() - saved > every:
                saved = time.monotonic()
                self.save()
                self.log({"progress": round(progress, 4), **{k: round(v, 4) for k, v in self.evaluate().items()}})
            if done:
                return

    def log(self, row: dict) -> None:
        """One JSON line, to the log and to standard output."""
        line = {"step": self.step, "seconds": round(self.seconds, 1), **row}
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    # -- checkpoints

    def start_from(self, net: Net) -> None:
        """Take another student's weights, of the same architecture, before the first step."""
        for model in (self.net, self.ema):
            model.load_state_dict(net.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Every tensor that a resumed run needs."""
        named = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        named |= {f"ema.{k}": v for k, v in self.ema.state_dict().items()}
        for name, p in self.net.named_parameters():
            named |= {f"opt.{k}.{name}": v for k, v in self.opt.state[p].items()}
        named |= {f"mean.{i}": v for i, v in enumerate(self.mean)} | {f"std.{i}": v for i, v in enumerate(self.std)}
        return {k: v.detach().contiguous().clone() for k, v in named.items()}

    def save(self) -> None:
        """Write checkpoint.safetensors whole or not at all."""
        meta = {
            "step": self.step,
            "seconds": self.seconds,
            "config": asdict(self.cfg),
            "net": self.net.config.to_dict(),
        }
        path = self.out / "checkpoint.safetensors"
        save_file(self.state(), path.with_suffix(".tmp"), {"hiercodec": json.dumps(meta)})
        path.with_suffix(".tmp").replace(path)

    def resume(self) -> None:
        """Continue from the checkpoint in `out`."""
        meta, tensors = read_checkpoint(self.out / "checkpoint.safetensors")
        self.step, self.seconds = meta["step"], meta["seconds"]
        self.net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
        self.ema.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("ema.")})
        for name, p in self.net.named_parameters():
            self.opt.state[p] = {k: tensors[f"opt.{k}.{name}"] for k in "mvt" if f"opt.{k}.{name}" in tensors}
        self.mean = [tensors[f"mean.{i}"] for i in range(len(self.mean))]
        self.std = [tensors[f"std.{i}"] for i in range(len(self.std))]


def read_checkpoint(path: Path) -> tuple[dict, dict[str, Tensor]]:
    """What `Distiller.save` wrote: (step, seconds, config and net; tensors)."""
    if not path.is_file():
        raise ConfigError(f"no checkpoint at {path}")
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["hiercodec"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--teacher", required=True, help="classifier specification, as for --classifier")
    parser.add_argument("--photos", required=True, nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--init", metavar="MODEL", help="start from an exported student: bundled, or its .safetensors")
    parser.add_argument("--codec", metavar="MODEL", help="degrade by this codec too, at random byte budgets")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="override a field of DistillConfig")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if (args.minutes is None) == (args.steps is None):
        parser.error("give either --minutes or --steps")
    try:
        cfg = DistillConfig(**{k: json.loads(v) for k, v in (item.split("=", 1) for item in args.set)})
        classifier = load_classifier(args.teacher)
        photos = read_photos(args.photos)
    except (HiercodecError, TypeError, ValueError) as error:
        parser.error(str(error))
    teacher = Teacher(classifier.module, cfg.bf16)
    codec = load_codec(args.codec) if args.codec else None
    distiller = Distiller(teacher, photos, cfg, NetConfig(), args.out, classifier.preprocess, codec)
    if args.init:
        distiller.start_from(load_classifier(args.init).module)
    if args.resume:
        distiller.resume()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: setattr(distiller, "stopping", True))
    distiller.run(steps=args.steps, minutes=args.minutes)


if __name__ == "__main__":
    main()

"""Distil the bundled classifier from a larger one, by matching functions rather than labels.

    python -m hiercodec.training.distill --teacher SPEC --photos DIR… --out DIR --minutes M [--resume]

A few thousand photographs are too few to learn 1000 classes from labels, but plenty to learn *functions* from: the
teacher says at every position of every stage what its features are. So each stage of the student
(`hiercodec.classify.network`) learns to map the teacher's stage input to the teacher's stage output, all stages at
once; then, picture by picture, a stage is given the student's own features instead of the teacher's, until the whole
chain is the student's and the loss that counts is the divergence between the two predictions.

    loss = Σ_i |ŷ_i − y_i|² + |l̂ − l|² + w · T² · KL(softmax(l/T) ‖ softmax(l̂/T))

y_i: the teacher's features after stage i, standardised per channel; l: its logits at every position (the mean over
positions is its prediction, since pooling and the last layer commute). No label is ever used. The teacher sees the
clean crop, the student part of the time a degraded one, as it will meet decoded pictures.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from hiercodec.classify.network import Net, NetConfig, init_scales


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """Everything that decides a run. Fractions are of the run's length, whether that is counted in steps or minutes."""

    batch: int = 32
    sizes: tuple[tuple[float, int], ...] = ((0.0, 128), (0.5, 160), (0.85, 192))  # from this fraction on, crops of this size
    forced_until: float = 0.2  # up to here every stage is given the teacher's features …
    chained_from: float = 0.5  # … from here on only the student's own
    degrade_from: float = 0.35
    degrade: float = 0.25  # share of pictures the student sees damaged
    mix: float = 0.35  # share of pictures blended with another, or with a rectangle of it
    lr: float = 0.05
    lr_vectors: float = 3e-3
    weight_decay: float = 0.002
    warmup: float = 0.01
    kl: float = 2.0
    temperature: float = 2.0
    ema: float = 0.998
    bf16: bool = True
    holdout: int = 21  # every 21st photo is never trained on, only tracked
    seed: int = 1


# -- pictures ------------------------------------------------------------------------------------------------------


def read_photos(folders: list[Path]) -> list[np.ndarray]:
    """All pictures below `folders`, sorted by path, as uint8 [h, w, 3]; they stay in memory."""
    paths = sorted(p for d in folders for p in d.rglob("*") if p.suffix.lower() in {".webp", ".jpeg", ".jpg", ".png"})
    photos = []
    for path in paths:
        with Image.open(path) as image:
            photos.append(np.asarray(image.convert("RGB")))
    if not photos:
        raise FileNotFoundError(f"no pictures below {', '.join(map(str, folders))}")
    return photos


def random_crop(photo: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random rectangle of 25 to 100 % of the photo, resized to a square, mirrored half of the time."""
    h, w = photo.shape[:2]
    area, ratio = h * w * rng.uniform(0.25, 1.0), math.exp(rng.uniform(-0.29, 0.29))
    cw, ch = min(w, math.sqrt(area * ratio)), min(h, math.sqrt(area / ratio))
    x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
    crop = Image.fromarray(photo).resize((size, size), Image.Resampling.BILINEAR, (x, y, x + cw, y + ch))
    out = np.asarray(crop)
    return out[:, ::-1] if rng.random() < 0.5 else out


def degrade(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a low rate does to a picture: blocks, ringing or blur."""
    image, kind, buffer = Image.fromarray(np.ascontiguousarray(crop)), rng.random(), io.BytesIO()
    if kind < 0.35:
        image.save(buffer, "JPEG", quality=int(rng.integers(5, 40)))
    elif kind < 0.7:
        image.save(buffer, "WEBP", quality=int(rng.integers(0, 30)), method=0)
    else:
        return np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.0))))
    return np.asarray(Image.open(buffer).convert("RGB"))


def to_input(crops: list[np.ndarray]) -> Tensor:
    """uint8 crops → float [n, 3, h, w] in −1 … 1."""
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    return x.float().div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)


def blend(x: Tensor, other: Tensor, rng: np.random.Generator, share: float) -> None:
    """Mix pictures of `x` (and alike of `other`) with their neighbours in place: half by weight, half by rectangle."""
    n, _, h, w = x.shape
    partner = torch.roll(torch.arange(n), 1)
    source, source_other = x[partner].clone(), other[partner].clone()
    for i in np.flatnonzero(rng.random(n) < share):
        weight = rng.uniform(0.1, 0.9)
        if rng.random() < 0.5:
            x[i].lerp_(source[i], weight)
            other[i].lerp_(source_other[i], weight)
        else:
            ch, cw = int(h * math.sqrt(weight)), int(w * math.sqrt(weight))
            top, left = int(rng.integers(0, h - ch + 1)), int(rng.integers(0, w - cw + 1))
            box = (slice(None), slice(top, top + ch), slice(left, left + cw))
            x[i][box] = source[i][box]
            other[i][box] = source_other[i][box]


# -- teacher -------------------------------------------------------------------------------------------------------


class Teacher(nn.Module):
    """A timm MobileNet/EfficientNet with its features after each stride-4 … stride-32 group and its dense logits."""

    def __init__(self, module: nn.Module, bf16: bool) -> None:
        super().__init__()
        self.module, self.bf16 = fuse_batch_norms(module.eval()), bf16
        if bf16:
            self.module.to(torch.bfloat16)
        self.to(memory_format=torch.channels_last).requires_grad_(False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Picture → (features after each group, logits at every position [n, h, w, classes])."""
        m = self.module
        x = m.bn1(m.conv_stem(x.to(torch.bfloat16) if self.bf16 else x))
        features = []
        for i, block in enumerate(m.blocks):
            x = block(x)
            if i > 0:
                features.append(x.float())
        x = m.bn2(m.conv_head(x))
        return features, m.classifier(x.permute(0, 2, 3, 1)).float()


def fuse_batch_norms(module: nn.Module) -> nn.Module:
    """Fold every timm BatchNormAct2d into the convolution before it; the activation stays."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    for parent in module.modules():
        children = list(parent.named_children())
        for (name, conv), (bn_name, bn) in zip(children, children[1:], strict=False):
            if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
                )
                setattr(parent, bn_name, getattr(bn, "act", nn.Identity()))
                assert name
    return module


# -- optimiser -----------------------------------------------------------------------------------------------------


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix updates are orthogonalised (Jordan et al. 2024); vectors and depthwise filters take Adam."""

    def __init__(self, params: list[nn.Parameter], cfg: DistillConfig) -> None:
        matrices = [p for p in params if p.ndim > 1 and p[0].numel() > 9]
        known = {id(p) for p in matrices}
        groups = [
            {"params": matrices, "base": cfg.lr, "matrix": True},
            {"params": [p for p in params if id(p) not in known], "base": cfg.lr_vectors, "matrix": False},
        ]
        super().__init__(groups, {"decay": cfg.weight_decay})

    @torch.no_grad()
    def step(self, factor: float) -> None:  # type: ignore[override]
        """One update at `factor` times the base learning rates."""
        for group in self.param_groups:
            lr = group["base"] * factor
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(m=torch.zeros_like(p), v=torch.zeros_like(p), t=torch.zeros(()))
                state["t"] += 1
                t = int(state["t"])
                state["m"].lerp_(p.grad, 0.05 if group["matrix"] else 0.1)
                if group["matrix"]:
                    g = p.grad.lerp(state["m"], 0.95).flatten(1)
                    blocks = g.split(160) if min(g.shape) > 320 else (g,)  # large ones by rows: far cheaper
                    update = torch.cat([orthogonalise(b) for b in blocks]).view_as(p)
                    update = update * math.sqrt(max(1.0, p.shape[0] / p[0].numel()))
                else:
                    state["v"].lerp_(p.grad.square(), 0.01)
                    update = (state["m"] / (1 - 0.9**t)) / ((state["v"] / (1 - 0.99**t)).sqrt() + 1e-8)
                if p.ndim > 1:
                    p.mul_(1 - lr * group["decay"])
                p.sub_(update, alpha=lr)


def orthogonalise(g: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly, by five Newton–Schulz steps."""
    wide = g.shape[0] <= g.shape[1]
    x = (g if wide else g.T).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x if wide else x.T).float()


# -- the run -------------------------------------------------------------------------------------------------------


class Distiller:
    """Student, averaged student, optimiser and the pictures; `run` trains until the steps or minutes are used up."""

    def __init__(self, teacher: nn.Module, photos: list[np.ndarray], cfg: DistillConfig, net: NetConfig, out: Path):
        torch.manual_seed(cfg.seed)
        self.teacher, self.cfg, self.out = teacher, cfg, out
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
        self.opt = Muon(list(self.net.parameters()), cfg)
        self.step, self.seconds = 0, 0.0
        self.goals: dict[int, Tensor] = {}

    def standardise(self, features: list[Tensor]) -> list[Tensor]:
        return [(f - m) / s for f, m, s in zip(features, self.mean, self.std, strict=True)]

    def crops(self, step: int, progress: float, salt: str = "train") -> tuple[Tensor, Tensor]:
        """The batch of a step: (clean, perhaps degraded). A function of seed and step alone, so resuming is exact."""
        cfg = self.cfg
        rng = np.random.default_rng([cfg.seed, step, len(salt)])
        size = [s for start, s in cfg.sizes if progress >= start][-1]
        n, first = len(self.train), step * cfg.batch
        epochs = {e: np.random.default_rng([cfg.seed, e]).permutation(n) for e in {first // n, (first + cfg.batch) // n}}
        picks = [epochs[k // n][k % n] for k in range(first, first + cfg.batch)] if cfg.batch < n else range(n)
        clean = [random_crop(self.train[i], size, rng) for i in picks]
        share = cfg.degrade if progress >= cfg.degrade_from else 0.0
        seen = [degrade(c, rng) if rng.random() < share else c for c in clean]
        x = to_input(clean)
        y = to_input(seen) if share else x.clone()
        blend(x, y, rng, cfg.mix)
        return x, y

    def losses(self, x: Tensor, seen: Tensor, progress: float) -> dict[str, Tensor]:
        """All terms of the loss for one batch; `s0`… are the stages' errors in units of the teacher's variance."""
        cfg = self.cfg
        features, dense = self.teacher(x)
        targets = self.standardise(features)
        span = max(cfg.chained_from - cfg.forced_until, 1e-9)
        forced = min(max(1 - (progress - cfg.forced_until) / span, 0.0), 1.0)
        generator = torch.Generator().manual_seed(cfg.seed * 1_000_003 + self.step)
        terms, h = {}, seen
        with torch.autocast("cpu", torch.bfloat16, enabled=cfg.bf16):
            for i, stage in enumerate([*self.net.stages, self.net.head]):
                if i and 0 < forced < 1:
                    use = torch.rand(len(x), 1, 1, 1, generator=generator) < forced
                    h = torch.where(use, targets[i - 1], h.float())
                if i < len(targets):
                    some = slice(len(x) // 2 if i == 0 and forced == 1 else None)  # the dearest stage, and the easiest
                    h = stage(h[some])
                    terms[f"s{i}"] = F.mse_loss(h.float(), targets[i][some])
                    if forced == 1:
                        h = targets[i]
        logits = self.net.head.dense(h.float()) if not cfg.bf16 else self._dense(h)
        centred, goal = logits - logits.mean(-1, keepdim=True), dense - dense.mean(-1, keepdim=True)
        terms["logits"] = F.mse_loss(centred, goal) / goal.var().clamp_min(1e-6)
        t = cfg.temperature
        a, b = logits.mean((1, 2)) / t, dense.mean((1, 2)) / t
        terms["kl"] = t * t * F.kl_div(a.log_softmax(-1), b.log_softmax(-1), log_target=True, reduction="batchmean")
        return terms

    def _dense(self, h: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.net.head.dense(h).float()

    def train_step(self, progress: float) -> dict[str, float]:
        """One update; returns the terms as numbers."""
        cfg = self.cfg
        x, seen = self.crops(self.step, progress)
        terms = self.losses(x, seen, progress)
        loss = sum(v * (cfg.kl if k == "kl" else 1.0) for k, v in terms.items())
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
    def evaluate(self, size: int = 224) -> dict[str, float]:
        """Agreement with the teacher on the held-out photos, centre crops."""
        hits, kl = [], []
        for start in range(0, len(self.held), 32):
            x = to_input([centre(p, size) for p in self.held[start : start + 32]])
            if start not in self.goals:
                self.goals[start] = self.teacher(x)[1].mean((1, 2))
            goal, logits = self.goals[start], self.ema(x)
            hits += (logits.argmax(-1) == goal.argmax(-1)).tolist()
            kl += F.kl_div(logits.log_softmax(-1), goal.log_softmax(-1), log_target=True, reduction="none").sum(-1).tolist()
        return {"agreement": float(np.mean(hits)), "held_kl": float(np.mean(kl))}

    def run(self, *, steps: int | None = None, minutes: float | None = None, every: float = 300.0) -> None:
        """Train to `steps` or for `minutes` in all (over resumes), writing a log line often and a checkpoint at times."""
        start, base, saved = time.monotonic(), self.seconds, time.monotonic()
        self.out.mkdir(parents=True, exist_ok=True)
        sums: dict[str, float] = {}
        count = 0
        while True:
            self.seconds = base + time.monotonic() - start
            progress = self.step / steps if steps else self.seconds / (60 * (minutes or 1))
            done = progress >= 1
            if not done:
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
        line = {"step": self.step, "seconds": round(self.seconds, 1), **row}
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    # -- checkpoints

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
        meta = {"step": self.step, "seconds": self.seconds, "config": asdict(self.cfg), "net": self.net.config.to_dict()}
        path = self.out / "checkpoint.safetensors"
        save_file(self.state(), path.with_suffix(".tmp"), {"hiercodec": json.dumps(meta)})
        path.with_suffix(".tmp").replace(path)

    def resume(self) -> None:
        """Continue from the checkpoint in `out`."""
        from safetensors import safe_open

        path = self.out / "checkpoint.safetensors"
        with safe_open(path, "pt") as file:
            meta = json.loads(file.metadata()["hiercodec"])
        self.step, self.seconds = meta["step"], meta["seconds"]
        tensors = load_file(path)
        self.net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
        self.ema.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("ema.")})
        for name, p in self.net.named_parameters():
            self.opt.state[p] = {k: tensors[f"opt.{k}.{name}"] for k in "mvt" if f"opt.{k}.{name}" in tensors}
        self.mean = [tensors[f"mean.{i}"] for i in range(len(self.mean))]
        self.std = [tensors[f"std.{i}"] for i in range(len(self.std))]


def centre(photo: np.ndarray, size: int) -> np.ndarray:
    """The central 87.5 % square, resized."""
    h, w = photo.shape[:2]
    side = 0.875 * min(h, w)
    box = ((w - side) / 2, (h - side) / 2, (w + side) / 2, (h + side) / 2)
    return np.asarray(Image.fromarray(photo).resize((size, size), Image.Resampling.BICUBIC, box))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--teacher", required=True, help="classifier specification, as for --classifier")
    parser.add_argument("--photos", required=True, nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="override a field of DistillConfig")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    from hiercodec.classify import load_classifier

    overrides = {k: json.loads(v) for k, v in (item.split("=", 1) for item in args.set)}
    cfg = DistillConfig(**overrides)
    teacher = Teacher(load_classifier(args.teacher).module, cfg.bf16)
    distiller = Distiller(teacher, read_photos(args.photos), cfg, NetConfig(), args.out)
    if args.resume:
        distiller.resume()
    distiller.run(steps=args.steps, minutes=args.minutes)


if __name__ == "__main__":
    main()

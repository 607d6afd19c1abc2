"""Fitting what the ordering rivals need beside a codec's weights, on training photographs: `python -m tools.fit_rivals`.

photos ──► P, T ──► head (bits) ──► symbols ──► channel order, steps, context shifts (bits and error)
  └──► classifier ──► saliency of a place (distilled into P), weight of a channel (gradients)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hiercodec import stream
from hiercodec.classify.classifier import Classifier
from hiercodec.cli.base import MODEL, POSITIVE, Arguments, argument, command, command_line, note, option
from hiercodec.cli.main import main
from hiercodec.models.channels.codec import Codec
from hiercodec.stream.tables import SCALE_MIN
from hiercodec.training.codec.frozen import Frozen
from tools.orders import context
from tools.orders.backbone import Flat
from tools.orders.fitted import Fitted, Head
from tools.orders.intervals import Known, tree
from tools.orders.policies import Prior, trit

LAYERS = (0.08, 0.14, 0.22, 0.33, 0.47, 0.65, 0.85)
"""Shares of all bits at which the layers of `learned-step` end; the last layer is complete."""

WIDEST = 5
"""Bins of `learned-step` are at most 3^4 wide; 5 stands for "not sent yet"."""

CROP = 224
SHIFTS = np.arange(-12, 13)
FEWEST_BITS = 200
"""What a context class must have cost in all before its shift is believed."""

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One photograph: pixels x (1, 3, H, W), features P (C, h, w), T (C, h, w), all float32."""

    x: Tensor
    hyper: Tensor
    t: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Coded(Sample):
    """And under a head: μ float32, scale indexes uint8 and symbols int32, each (C, h, w)."""

    mu: Tensor
    scale: np.ndarray
    symbols: np.ndarray


def fit(
    codec: Codec,
    pictures: Sequence[np.ndarray],
    classifier: Classifier,
    *,
    steps: int = 1500,
    seed: int = 0,
    report: Report = lambda text: None,
) -> Fitted:
    """Everything `tools.orders` reads, from uint8 pictures (H, W, 3) of equal size, sides multiples of 16."""
    started, flat = time.monotonic(), Flat(codec.network)
    plain = [sample(codec, flat, rgb) for rgb in pictures]
    report(f"{len(plain)} photographs analysed")
    head = fit_head(codec.network.preset.width, len(flat.channels), plain, steps=steps, seed=seed, report=report)
    samples = [quantise(one, head, codec.network.preset.dead_zone[-1]) for one in plain]
    report("symbols counted")
    own = Frozen(classifier.module, classifier.preprocess.mean, classifier.preprocess.std)
    pixel = sensitivity(codec, flat, samples[:: max(1, len(samples) // 16)], None, seed)
    means = sensitivity(codec, flat, samples[:: max(1, len(samples) // 200)], own, seed)
    report("channels weighed")
    few = samples[:: max(1, len(samples) // 100)]
    bits, error = cost(few, pixel)
    bits_in_all = sum(float(stream.gaussian_tables().bits(s.symbols, s.scale).sum()) for s in samples)
    tensors = {
        **{f"head.{n}": v.half().numpy() for n, v in head.state_dict().items()},
        "saliency": fit_saliency(samples, own),
        "channel": order_of_channels(bits, error),
        "steps": layers(bits, error),
        "task": shifts_of_planes(means),
        "refine": fit_context(few),
    }
    card = {
        "fingerprint": codec.fingerprint.hex(),
        "photos": len(samples),
        "head_bits_per_symbol": round(bits_in_all / sum(s.t.numel() for s in samples), 4),
        "classifier": f"{classifier.name} {classifier.weights_id}",
        "steps": steps,
        "seed": seed,
        "seconds": round(time.monotonic() - started),
    }
    return Fitted(tensors, card)


@torch.inference_mode()
def sample(codec: Codec, flat: Flat, rgb: np.ndarray) -> Sample:
    """A photograph's features and latent, as coding makes them."""
    x = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255
    open_loop = codec.network.g_a(x).open_loop(codec.plan)
    z = codec.network.entropy.h_a(open_loop)
    symbols, _ = codec.coding.write_z(z)
    loop = codec.coding.start(symbols, (z.shape[-2], z.shape[-1]), (open_loop.shape[-2], open_loop.shape[-1]))
    return Sample(x, loop.hyper[0].float().clone(), flat.take(open_loop)[0].clone())


def fit_head(
    width: int, channels: int, samples: Sequence[Sample], *, steps: int, seed: int, report: Report, batch: int = 8
) -> Head:
    """Entropy parameters of T from P, by the bits of T with uniform noise (Ballé et al., 2018)."""
    torch.manual_seed(seed)
    rng, head = np.random.default_rng(seed), Head(width, channels)
    optimiser = torch.optim.Adam(head.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for step in range(steps):
        rows = rng.integers(0, len(samples), batch)
        hyper, t = (torch.stack([getattr(samples[i], name) for i in rows]) for name in ("hyper", "t"))
        scale, mean = head(hyper).chunk(2, 1)
        sigma = F.softplus(scale).clamp_min(SCALE_MIN) * 2**0.5
        offset = (t + torch.rand_like(t) - 0.5 - mean).abs()
        mass = 0.5 * (torch.erfc((offset - 0.5) / sigma) - torch.erfc((offset + 0.5) / sigma))
        loss = -mass.clamp_min(1e-6).log2().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            report(f"head: step {step + 1}, {loss.item():.4f} bits a symbol")
    halved = {name: value.half().float() for name, value in head.state_dict().items()}  # as it will be stored
    head.load_state_dict(halved)
    return head.eval().requires_grad_(False)


def quantise(one: Sample, head: Head, dead_zone: float) -> Coded:
    """Symbols and scale indexes of a sample under the head."""
    scale, mean = head(one.hyper[None])[0].chunk(2, 0)
    indexes = stream.scale_indexes(F.softplus(scale).double().numpy())
    offset = (one.t - mean).numpy()
    rounded = np.sign(offset) * np.floor(np.abs(offset) + 0.5 - dead_zone)
    return Coded(one.x, one.hyper, one.t, mean, indexes, stream.gaussian_tables().clamp(rounded, indexes))


def sensitivity(codec: Codec, flat: Flat, samples: Sequence[Coded], judge: Frozen | None, seed: int) -> np.ndarray:
    """Mean squared gradient per channel, at partly decoded latents: of random pixel sums, or of a classifier's answer.

    The first is, in the mean, the squared error of the picture for one squared step of error in the channel (Hutchinson's
    probe); the second the same for the classifier's log-loss against its answer on the original (Fisher information).
    """
    rng, total = np.random.default_rng(seed), 0.0
    for one in samples:
        part = one.scale >= rng.integers(0, 24)  # what `sigma` has sent at some cut
        t_hat = (one.mu + torch.from_numpy(one.symbols * part).float())[None].requires_grad_()
        picture = codec.network.g_s(flat.fill(t_hat))
        if judge is None:
            loss = (picture * torch.from_numpy(rng.choice([-255.0, 255.0], picture.shape)).float()).sum()
        else:
            with torch.no_grad():
                answer = judge(one.x)[0].argmax(1)
            loss = F.cross_entropy(judge(picture)[0], answer)
        (gradient,) = torch.autograd.grad(loss, t_hat)
        total = total + gradient[0].double().square().mean((1, 2)).numpy()
    return np.asarray(total) / len(samples)


def cost(samples: Sequence[Coded], weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(bits, weighted squared error), each (WIDEST + 1, C), of all samples where channels are known to bins 3^k wide."""
    bits, error = (np.zeros((WIDEST + 1, len(weight))) for _ in range(2))
    for one in samples:
        for k in range(WIDEST + 1):
            known, flat = Known(one.scale.ravel()), one.symbols.ravel().astype(np.int64)
            if k < WIDEST:
                known.centre = (flat + 3**k // 2) // 3**k * 3**k
                known.width[:] = k
                found = tree().bins(k).bits(known.centre // 3**k, known.scale)
                bits[k] += found.reshape(one.scale.shape).sum((1, 2))
            missing = (flat - known.values()).reshape(one.scale.shape)
            error[k] += weight * (missing**2).sum((1, 2))
    return bits, error


def order_of_channels(bits: np.ndarray, error: np.ndarray) -> np.ndarray:
    """int16 (C,): rank of each channel by error removed per bit."""
    gain = (error[WIDEST] - error[0]) / np.maximum(bits[0], 1)
    ranks = np.empty(len(gain), np.int16)
    ranks[np.argsort(-gain, kind="stable")] = np.arange(len(gain))
    return ranks


def layers(bits: np.ndarray, error: np.ndarray) -> np.ndarray:
    """int16 (layers, C): how wide each layer leaves each channel's bins, by least error + λ · bits; λ meets `LAYERS`."""
    rows = []
    for share in LAYERS:
        low, high = 1e-9, 1e9
        for _ in range(80):
            price = (low * high) ** 0.5
            widths = (error + price * bits).argmin(0)
            spent = np.take_along_axis(bits, widths[None], 0).sum()
            low, high = (price, high) if spent > share * bits[0].sum() else (low, price)
        rows.append((error + high * bits).argmin(0))
    rows = np.minimum.accumulate([*rows, np.zeros_like(rows[0])], 0)
    return np.where(rows == WIDEST, 9, rows).astype(np.int16)  # 9: wider than any tree


def shifts_of_planes(weight: np.ndarray) -> np.ndarray:
    """int16 (C,): by how many thirds of a trit-plane a channel goes ahead (> 0) of its scale, at most two planes.

    A plane is a factor of 9 in squared error, which is what a weight multiplies.
    """
    planes = np.log(np.maximum(weight, 1e-30)) / np.log(9)
    return np.clip(np.round(3 * (planes - np.median(planes))), -6, 6).astype(np.int16)


def fit_saliency(samples: Sequence[Sample], judge: Frozen, steps: int = 400) -> np.ndarray:
    """float32 (C + 1,): a logistic regression from P to the classifier's activation map of its own answer."""
    few = samples[:: max(1, len(samples) // 300)]
    none = torch.tensor([-1])
    maps = torch.stack([activation_map(judge, s.x, none, (s.t.shape[-2], s.t.shape[-1]))[0, 0] for s in few])
    hyper = torch.stack([s.hyper for s in few])  # (n, C, h, w)
    spread = hyper.std((0, 2, 3), keepdim=True).clamp_min(1e-6)
    weight = torch.zeros(hyper.shape[1] + 1, requires_grad=True)
    optimiser = torch.optim.Adam([weight], lr=0.05)
    for _ in range(steps):
        logit = torch.einsum("nchw,c->nhw", hyper / spread, weight[:-1]) + weight[-1]
        loss = F.binary_cross_entropy_with_logits(logit, maps.float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = weight.detach().clone()
    found[:-1] /= spread.flatten()
    return found.numpy()


def fit_context(samples: Sequence[Coded]) -> np.ndarray:
    """int16 (PLANES + 1, CLASSES²): the shift of the scale index that makes each plane's trits cheapest, by class."""
    spent = np.zeros((context.PLANES + 1, context.CLASSES**2, len(SHIFTS)))
    for one in samples:
        flat, shape = one.symbols.ravel().astype(np.int64), one.scale.shape
        known = Known(one.scale.ravel())
        own = known.scale.copy()
        for step in trit(known, Prior(one.scale, np.zeros(shape[1:], np.int64))):
            branches, plane = known.branches(step, flat[step.where]), int(known.width[step.where[0]])
            if plane <= context.PLANES:
                where = context.classes(own, known, shape)[step.where]
                for i, shift in enumerate(SHIFTS):
                    known.scale = context.moved(own, np.full_like(own, shift))
                    paid = tree().bits[known.numbers(step.where), branches + 1]
                    spent[plane, :, i] += np.bincount(where, paid, context.CLASSES**2)
                known.scale = own
            known.narrow(step, branches)
    zero = int(np.flatnonzero(SHIFTS == 0)[0])
    best = np.where(spent[..., zero] > FEWEST_BITS, spent.argmin(2), zero)
    return SHIFTS[best].astype(np.int16)


@torch.no_grad()
def activation_map(judge: Frozen, x: Tensor, labels: Tensor, grid: tuple[int, int]) -> Tensor:
    """Class-activation map of each picture's class (its own answer where the label is -1): (B, 1, *grid) in 0…1."""
    last, _ = judge.last(x)
    winners = torch.where(labels >= 0, labels, judge.module.forward_head(last).argmax(1))
    return weighted_map(last, judge.module.get_classifier().weight[winners], grid)


def weighted_map(features: Tensor, weights: Tensor, grid: tuple[int, int]) -> Tensor:
    """Class-activation maps (Zhou et al., arXiv 1512.04150) in 0…1: (B, 1, *grid), 1 at the peak.

    features (B, C, h, w) are what is pooled before the last linear layer, weights (B, C) that layer's row for each picture's
    class. A class that is seen nowhere prefers no place: 1 everywhere.
    """
    maps = torch.einsum("bchw,bc->bhw", features.float(), weights.float())[:, None].relu()
    maps = F.interpolate(maps, grid, mode="bilinear", align_corners=False)
    peak = maps.amax((2, 3), keepdim=True)
    return torch.where(peak > 0, maps / peak.clamp_min(1e-6), 1.0)


@command(
    "fit_rivals", "fit what the ordering rivals need to a model, on training photographs",
    argument("photos", many=True, metavar="PHOTOS…"), MODEL,
    option("--classifier", required=True, help="one that judges nothing later, such as the one in the loss"),
    option("--sample", type=POSITIVE, default=600, help="photographs, evenly spaced"),
    option("--steps", type=POSITIVE, default=1500, help="of the entropy model"),
    option("--seed", type=int, default=0, help="of batches and probes"),
)  # fmt: skip
def fit_rivals(args: Arguments) -> int:
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.photos.dataset import load_photos
    from hiercodec.images import centre_crop
    from tools.orders.backbone import load_channels
    from tools.orders.fitted import Fitted, path_of, save

    photos = load_photos(args.photos).spread(args.sample)
    pictures = [rgb for rgb in (centre_crop(rgb, CROP) for rgb in photos.pixels) if rgb.shape[:2] == (CROP, CROP)]
    classifier = load_classifier(args.classifier)
    found = fit(load_channels(args.model), pictures, classifier, steps=args.steps, seed=args.seed, report=note)
    path = path_of(args.model)
    save(path, Fitted(found.tensors, {**found.card, "crop": CROP, "command": command_line(args)}))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(commands=fit_rivals, program="python -m tools.fit_rivals"))

"""What training runs would cost, counted before they are started: `python -m tools.cost CONFIG …`.

Floating-point operations are counted in one real training step on one small crop (PyTorch's FLOP counter: matrix products,
convolutions and attention, forward and backward; a multiply-add is two) and scaled by area: all of them are local. Hours
follow from an assumed sustained speed and so are an estimate, not a measurement.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import parse_qsl

import timm
import torch
from torch.utils.flop_counter import FlopCounterMode

from hiercodec.classify.loading import OF_ARCHITECTURE, load
from hiercodec.cli.base import JSON, Arguments, argument, command, option, print_json
from hiercodec.cli.main import main
from hiercodec.errors import ClassifierNotFound
from hiercodec.training.codec.model import TrainableCodec
from hiercodec.training.config import TrainConfig, read_config

SUSTAINED_TFLOPS = 100.0
"""Assumed speed of a training run: about a tenth of what an H100 or H200 does at best in dense bfloat16 (989 TFLOP/s).
Window attention and the entropy model, which stays in float32, are bound by memory more than by arithmetic."""

COUNTED_SIDE = 128
"""Side of the crop that is counted: the smallest on which no window of `tic` is padded."""


def cost(config: TrainConfig, tflops: float) -> dict:
    """Parameters, GFLOP a crop (forward and backward, classifier included), EFLOP a run, and hours at `tflops`."""
    model = TrainableCodec(config.architecture())
    plain = _step_flop(model, config, None)
    cut = _step_flop(model, config, (1, 0.5)) if config.cut_share else plain
    side = min(config.crop, COUNTED_SIDE)
    per_crop = ((1 - config.cut_share) * plain + config.cut_share * cut) * (config.crop / side) ** 2
    total = per_crop * config.batch * config.steps
    return {
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "gflop_per_crop": per_crop / 1e9,
        "batch": config.batch,
        "steps": config.steps,
        "exaflop": total / 1e18,
        "hours": total / (tflops * 1e12) / 3600,
    }


def _step_flop(model: TrainableCodec, config: TrainConfig, cut: tuple[int, float] | None) -> int:
    """Operations of one training step on one crop of at most `COUNTED_SIDE`."""
    classifier = _classifier(config)
    x = torch.rand(1, 3, *2 * (min(config.crop, COUNTED_SIDE),))
    levels = tuple(range(min(config.levels_per_step, len(model.plan))))
    with FlopCounterMode(display=False) as count:
        out = model(x, levels=levels, cut=cut)
        loss = out["x_hat"].sum() + sum(p.sum() for p in out["likelihoods"]["y"]) + out["likelihoods"]["z"].sum()
        loss.backward()
        if classifier is not None:
            with torch.no_grad():
                classifier(x)  # the original, for targets and features
            for _ in levels:
                classifier(x.clone().requires_grad_()).sum().backward()
    return count.get_total_flops()


def _classifier(config: TrainConfig) -> torch.nn.Module | None:
    """A classifier like the frozen one of the loss, with any weights; None without semantic terms."""
    return architecture(config.classifiers[0]) if config.classifiers else None


def architecture(spec: str) -> torch.nn.Module:
    """The network of a specification without its weights, which need not be there: for counting operations."""
    if not spec.startswith("timm:"):
        return load(spec).module
    name, _, location = spec.removeprefix("timm:").partition("@")
    if not timm.is_model(name):
        raise ClassifierNotFound(f"timm has no model {name!r}")
    own: dict[str, Any] = {key: value for key, value in parse_qsl(location.partition("?")[2]) if key == OF_ARCHITECTURE}
    return timm.create_model(name, **own).eval()


@command(
    "cost", "what training runs would cost: operations counted, hours estimated",
    argument("configs", many=True, metavar="CONFIG…"),
    option("--tflops", type=float, default=SUSTAINED_TFLOPS, help="assumed sustained TFLOP/s"),
    JSON,
)  # fmt: skip
def costs(args: Arguments) -> int:
    rows = [{"config": path, **cost(read_config(path), args.tflops)} for path in args.configs]
    if args.json:
        print_json(rows)
        return 0
    for row in rows:
        print(
            f"{row['config']}: {row['parameters'] / 1e6:.1f} M parameters, {row['gflop_per_crop']:.0f} GFLOP a crop, "
            f"{row['steps']} steps of {row['batch']} crops = {row['exaflop']:.2f} EFLOP: about {row['hours']:.1f} h at an "
            f"assumed {args.tflops:g} TFLOP/s"
        )
    print(f"together about {sum(row['hours'] for row in rows):.1f} h (an estimate; validation and loading come on top)")
    return 0


if __name__ == "__main__":
    sys.exit(main(commands=costs, program="python -m tools.cost"))

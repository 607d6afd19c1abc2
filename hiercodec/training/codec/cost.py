"""What training runs would cost, counted before they are started (`hiercodec cost CONFIG …`).

Floating-point operations are counted in one real training step on one small crop (PyTorch's FLOP counter: matrix products,
convolutions and attention, forward and backward; a multiply-add is two) and scaled by area: all of them are local. Hours
follow from an assumed sustained speed and so are an estimate, not a measurement.
"""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from hiercodec.training.codec.model import TrainableCodec
from hiercodec.training.config import TrainConfig

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


def _classifier(config: TrainConfig):
    """A classifier like the frozen one of the loss, with any weights; None without semantic terms."""
    if not config.classifiers:
        return None
    from hiercodec.classify.loading import architecture

    return architecture(config.classifiers[0])

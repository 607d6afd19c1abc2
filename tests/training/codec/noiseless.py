"""`python -m tests.training.codec.noiseless NAME DEVICES BATCH OUT`: a tiny run whose prior draws no noise.

The noise is drawn by each process for itself, and so is the one thing in which two processes differ from one.
"""

from __future__ import annotations

import sys

import torch
from safetensors.torch import save_file

from hiercodec.training.codec.model import EntropyBottleneck
from hiercodec.training.codec.step import codec_trainer
from hiercodec.training.config import TrainConfig
from tests.models.tiny import TINY_LITE

CHANGES = {f: getattr(TINY_LITE, f) for f in ("n", "n_hyper", "width", "delta_width", "linear")}


def main(name: str, devices: str, batch: str, out: str) -> None:
    """Three steps on the sample photographs; leaves the run's folder and, once, the weights it started from."""
    EntropyBottleneck.quantize = lambda self, x, mode, means=None: x
    config = TrainConfig(
        name=name, photos=("samples:",), out=out, changes=CHANGES, crop=64, batch=int(batch), steps=3, warmup=0,
        accelerator="cpu", devices=int(devices), log_every=1, validate_photos=1, holdout=0.2,
    )  # fmt: skip
    trainer = codec_trainer(config)
    if devices == "1":
        start = {k: v.detach().contiguous().clone() for k, v in trainer.raw.named_parameters()}
        save_file(start, f"{out}/start.safetensors")
    trainer.run()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])

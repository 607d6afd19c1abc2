"""`python -m hiercodec train CONFIG [--photos DIR …] [--resume] [--minutes M] [--devices N]`."""

from __future__ import annotations

import argparse
import signal
import sys

from hiercodec.cli.base import positive
from hiercodec.errors import HiercodecError

OVERRIDES = ("photos", "classifier", "steps", "accelerator", "devices", "strategy", "precision")
"""Fields of the config that an option of the same name replaces."""


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="a TOML file, see configs/; options below replace its fields")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--minutes", type=float, help="stop after this long, with a checkpoint and a model")
    parser.add_argument("--photos", nargs="+", metavar="DIR", help="folders or .tar shards of your own photographs")
    parser.add_argument("--classifier", metavar="C", help="the frozen classifier in the loss, such as timm:resnet50")
    parser.add_argument("--steps", type=positive, metavar="N", help="how many steps")
    parser.add_argument("--accelerator", metavar="A", help="auto, cpu, cuda or mps")
    parser.add_argument("--devices", type=positive, metavar="N", help="how many devices, each with a batch of its own")
    parser.add_argument("--strategy", metavar="S", help="how several devices work together: auto or ddp")
    parser.add_argument("--precision", metavar="P", help="32-true or bf16-mixed")


def _train(args: argparse.Namespace) -> int:
    from hiercodec.training.codec.step import codec_trainer
    from hiercodec.training.config import read_config

    given = {name: value for name in OVERRIDES if (value := getattr(args, name)) is not None}
    trainer = codec_trainer(read_config(args.config, given), resume=args.resume)
    for name in (signal.SIGTERM, signal.SIGINT):  # the second one ends the process at once
        signal.signal(name, lambda number, _: (trainer.stop(), signal.signal(number, signal.SIG_DFL)))
    path = trainer.run(args.minutes)
    if trainer.fabric.is_global_zero:
        print(path)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Train what the TOML file describes; prints the exported model's path."""
    parser = argparse.ArgumentParser(prog="hiercodec train", description=main.__doc__)
    _train_arguments(parser)
    return _train(parser.parse_args(argv))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HiercodecError as error:
        sys.exit(f"hiercodec: {error}")

"""The commands around training: `train`, `cost`, `ablation`, `compare` and `curves`."""

from __future__ import annotations

import argparse
import dataclasses
import signal
from pathlib import Path

from hiercodec import fsio
from hiercodec.cli.base import Command, add_json, command_line, note, positive, print_json

SUSTAINED_TFLOPS = 100.0
"""Assumed speed of a training run: about a tenth of what an H100 or H200 does at best in dense bfloat16 (989 TFLOP/s).
Window attention and the entropy model, which stays in float32, are bound by memory more than by arithmetic."""


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
    from hiercodec.training.start import trainer_of

    given = {name: value for name in OVERRIDES if (value := getattr(args, name)) is not None}
    trainer = trainer_of(args.config, given, resume=args.resume)
    for name in (signal.SIGTERM, signal.SIGINT):  # the second one ends the process at once
        signal.signal(name, lambda number, _: (trainer.stop(), signal.signal(number, signal.SIG_DFL)))
    path = trainer.run(args.minutes)
    if trainer.fabric.is_global_zero:
        print(path)
    return 0


def _cost_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="TOML files, see configs/")
    parser.add_argument(
        "--tflops", type=float, default=SUSTAINED_TFLOPS, help="assumed sustained TFLOP/s (default %(default)g)"
    )
    add_json(parser)


def _cost(args: argparse.Namespace) -> int:
    from hiercodec.training.codec.cost import cost
    from hiercodec.training.config import read_config

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


def _ablation_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config", metavar="CONFIG", help="what all arms share: a training run as a TOML file, see configs/ablation.toml"
    )
    parser.add_argument(
        "--out", default="assets/results/ablation.json", help="results file, also read to go on (default %(default)s)"
    )
    parser.add_argument("--arms", nargs="+", metavar="ARM", help="only these (a wrong name lists all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default 0 1 2")
    parser.add_argument("--steps", type=positive, help="training steps a run (default: the config's)")
    parser.add_argument("--photos", type=positive, default=96, help="held-out photographs to measure on (default 96)")
    parser.add_argument("--minutes", type=float, help="start no further run after this long")


def _ablation(args: argparse.Namespace) -> int:
    from hiercodec.training.ablation.arms import chosen
    from hiercodec.training.ablation.run import run, table
    from hiercodec.training.config import read_config

    config = read_config(args.config)
    if args.steps:
        config = dataclasses.replace(config, steps=args.steps)
    results = run(
        config,
        chosen(args.arms),
        args.seeds,
        Path(args.out),
        photos=args.photos,
        minutes=args.minutes,
        command=command_line(args),
    )
    print(table(results))
    return 0


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", help="the run whose held-out photographs and classifier are used")
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="names or .safetensors files; the first is compared with"
    )
    parser.add_argument(
        "--classifier",
        action="append",
        default=[],
        help="who judges; may be repeated (default: those of the run's loss)",
    )
    parser.add_argument("--photos", type=positive, default=48, help="how many photographs (default 48)")
    parser.add_argument("--out", help="results file (JSON)")


def _compare(args: argparse.Namespace) -> int:
    from hiercodec.training.ablation.compare import compare, table
    from hiercodec.training.config import read_config

    results = compare(read_config(args.config), args.models, judges=args.classifier, photos=args.photos)
    results["command"] = command_line(args)
    if args.out:
        fsio.write_json(args.out, results)
    print(table(results))
    return 0


def _curves_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", metavar="LOG.jsonl", help="runs/NAME/log.jsonl, or one in assets/models/")
    parser.add_argument("output", metavar="OUT.html")
    parser.add_argument("--mode", choices=("light", "dark"), default="light")


def _curves(args: argparse.Namespace) -> int:
    from hiercodec.figures.training import learning_curves, levels_of, read_log

    fsio.check_writable(args.output)
    records = read_log(args.log)
    page = learning_curves(records, levels_of(records), mode=args.mode).to_html(include_plotlyjs=True)
    fsio.write_bytes(args.output, page.encode())
    note(f"{args.output}: {len(records)} log lines")
    return 0


COMMANDS = (
    Command("train", "train a model from a TOML file", _train_arguments, _train),
    Command("cost", "what training runs would cost: operations counted, hours estimated", _cost_arguments, _cost),
    Command("ablation", "train and measure the paper's ablations at equal budget", _ablation_arguments, _ablation),
    Command("compare", "models at equal bytes, on what a run held out", _compare_arguments, _compare),
    Command("curves", "learning curves of a training log, as a page", _curves_arguments, _curves),
)

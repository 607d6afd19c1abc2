"""The commands around training: `train` and `curves`."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hiercodec import fsio
from hiercodec.cli.base import (
    DEVICE,
    POSITIVE,
    Arguments,
    argument,
    command,
    flag,
    labels,
    note,
    option,
)

if TYPE_CHECKING:
    from hiercodec.training.run import Trainer

OVERRIDES = {"loss_classifier": "classifiers", "device": "accelerator"} | {
    name: name for name in ("photos", "labels", "hierarchy", "steps", "devices", "strategy", "precision")
}
"""Option → the field of the config that it replaces."""

PHOTOS = option("--photos", several=True, metavar="DIR…", help="folders or .tar shards of your own photographs")
IN_LOSS = option("--classifier", "loss_classifier", multiple=True, metavar="C",
                 help="a frozen classifier in the loss, such as timm:resnet50; may be repeated")  # fmt: skip


def given(args: Arguments) -> dict[str, Any]:
    """The fields of the config that a command's options replace."""
    options = {field: getattr(args, name, None) for name, field in OVERRIDES.items()}
    return {field: value for field, value in options.items() if value not in (None, ())}


def trainer_of(path: str | Path, overrides: Mapping[str, Any] | None = None, *, resume: bool = False) -> Trainer:
    """The trainer of a run: of a `wave` model where `preset = "wave"`, else of a model of channels. Raises `ConfigError`."""
    from hiercodec.training.config import WaveConfig, read_config, read_values

    if read_values(path).get("preset") == "wave":
        from hiercodec.training.wave.task import wave_trainer

        return wave_trainer(read_config(path, overrides, WaveConfig), resume=resume)
    from hiercodec.training.codec.step import codec_trainer

    return codec_trainer(read_config(path, overrides), resume=resume)


@command(
    "train", "train a model from a TOML file",
    argument("config", metavar="CONFIG"),
    flag("--resume", help="go on from the run's last checkpoint"),
    option("--minutes", type=float, help="stop after this long, with a checkpoint and a model"),
    PHOTOS,
    labels(None),
    IN_LOSS,
    option("--hierarchy", metavar="H", help="whose groups the loss asks for: a hierarchy's name or a JSON file"),
    option("--steps", type=POSITIVE, metavar="N", help="how many steps"),
    DEVICE,
    option("--devices", type=POSITIVE, metavar="N", help="how many devices, each with a batch of its own"),
    option("--strategy", metavar="S", help="how several devices work together: auto or ddp"),
    option("--precision", metavar="P", help="32-true or bf16-mixed"),
    details="CONFIG is a TOML file, see configs/; the options below replace its fields.",
)  # fmt: skip
def train(args: Arguments) -> int:
    trainer = trainer_of(args.config, given(args), resume=args.resume)
    for name in (signal.SIGTERM, signal.SIGINT):  # the second one ends the process at once
        signal.signal(name, lambda number, _: (trainer.stop(), signal.signal(number, signal.SIG_DFL)))
    path = trainer.run(args.minutes)
    if trainer.fabric.is_global_zero:
        print(path)
    return 0


@command(
    "curves", "learning curves of a training log, as a page",
    argument("log", metavar="LOG.jsonl"),
    argument("output", metavar="OUT.html"),
    option("--mode", type=click.Choice(["light", "dark"]), default="light", help="colours of the page"),
    details="LOG.jsonl is runs/NAME/log.jsonl, or one in assets/models/.",
)  # fmt: skip
def curves(args: Arguments) -> int:
    from hiercodec.figures.training import learning_curves, levels_of, read_log

    fsio.check_writable(args.output)
    records = read_log(args.log)
    page = learning_curves(records, levels_of(records), mode=args.mode).to_html(include_plotlyjs=True)
    fsio.write_bytes(args.output, page.encode())
    note(f"{args.output}: {len(records)} log lines")
    return 0

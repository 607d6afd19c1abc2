"""`hiercodec calibrate DATASET … --out FOLDER`: how sure a classifier is, fitted to how often it is right."""

from __future__ import annotations

import argparse
from pathlib import Path

from hiercodec.cli.base import Command, command_line, note
from hiercodec.errors import ConfigError
from hiercodec.fsio import write_json


def _calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", help="folders (wnid sub-folders give labels) or .tar shards")
    parser.add_argument("--out", required=True, help="folder for the cards; those in assets/classifiers are in use")
    parser.add_argument("--classifier", action="append", help="classifier spec (default lite0); may be repeated")
    parser.add_argument("--model", default="lite", help="the codec model, name or path (default lite)")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument("--cuts", type=int, default=3, metavar="N", help="cut streams at N shares too (default 3)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N photographs, evenly spaced over the data set")
    parser.add_argument("--seed", type=int, default=0, help="which photographs are held out (default 0)")
    parser.add_argument("--remark", help="a sentence for the cards, say on what the photographs are")


def _calibrate(args: argparse.Namespace) -> int:
    import numpy as np
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.calibrate import calibrated, gather
    from hiercodec.evaluation.dataset import load_photos

    classifiers = [load_classifier(spec) for spec in args.classifier or ["lite0"]]
    codec = models.load(args.model)
    photos = load_photos(args.dataset)
    photos = photos.take(np.flatnonzero(photos.labels >= 0))
    photos = photos.spread(args.sample) if args.sample else photos
    if len(photos) < 2:
        raise ConfigError("calibration needs at least two labelled photographs: wnid folders give labels")
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        settings, logits = gather(
            photos, codec, classifiers, crop=args.crop, cuts=args.cuts, progress=lambda done: bar.update(done - bar.n)
        )
    for classifier in classifiers:
        card = {
            "name": classifier.name,
            "sha256": classifier.sha256,
            "preprocess": classifier.preprocess.to_dict(),
            **calibrated(logits[classifier.name], photos.labels, settings, args.seed),
            "model": f"{codec.name} {codec.fingerprint.hex()}",
            "crop": args.crop,
            "command": command_line(args),
            **({"remark": args.remark} if args.remark else {}),
        }
        path = Path(args.out) / f"{classifier.name.replace(':', '-')}.json"
        write_json(path, card)
        held = card["held_out"]
        note(
            f"{path.name}: temperature {card['temperature']}, ECE {held['ece_before']:.3f} → {held['ece_after']:.3f}, "
            f"NLL {held['nll_before']:.3f} → {held['nll_after']:.3f} on {card['photos']['held_out']} held-out photographs"
        )
    return 0


COMMANDS = (
    Command(
        "calibrate",
        "fit how sure a classifier is to how often it is right",
        _calibrate_arguments,
        _calibrate,
        "Fit one temperature per classifier on prefixes of labelled photographs and write a card for each.",
    ),
)

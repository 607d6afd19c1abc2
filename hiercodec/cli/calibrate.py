"""`hiercodec calibrate DATASET … --out FOLDER`: how sure a classifier is, fitted to how often it is right."""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

from hiercodec import fsio
from hiercodec.cli.base import Command, command_line, note
from hiercodec.errors import ConfigError


def _calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", help="folders (wnid sub-folders give labels) or .tar shards")
    parser.add_argument("--out", required=True, help="folder for the cards; those in assets/classifiers are in use")
    parser.add_argument("--classifier", action="append", help="classifier spec (default lite0); may be repeated")
    parser.add_argument("--model", default="lite", help="the codec model, name or path (default lite)")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument("--cuts", type=int, default=3, metavar="N", help="cut streams at N shares too (default 3)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N photographs, evenly spaced over the data set")
    parser.add_argument(
        "--hierarchy", metavar="H", help="whose levels get a curve each (default: the default hierarchy)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which photographs are held out (default 0)")
    parser.add_argument(
        "--curves-only",
        action="store_true",
        help="keep the temperature of the cards in --out, on which published results stand, and fit the curves anew",
    )
    parser.add_argument("--remark", help="a sentence for the cards, say on what the photographs are")


def _calibrate(args: argparse.Namespace) -> int:
    import numpy as np
    from tqdm import tqdm

    from hiercodec import models, taxonomy
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.calibrate import calibrated, confident, gather
    from hiercodec.evaluation.photos.dataset import load_photos

    classifiers = [load_classifier(spec) for spec in args.classifier or ["lite0"]]
    codec = models.load(args.model)
    hierarchy = taxonomy.load_hierarchy(args.hierarchy) if args.hierarchy else taxonomy.load_hierarchy()
    photos = load_photos(args.dataset)
    photos = photos.take(np.flatnonzero(photos.labels >= 0))
    photos = photos.spread(args.sample) if args.sample else photos
    cards = [json.loads(fsio.read_bytes(_card_path(args, c.name))) for c in classifiers] if args.curves_only else []
    if len(photos) < 2:
        raise ConfigError("calibration needs at least two labelled photographs: wnid folders give labels")
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        settings, shares, logits = gather(
            photos, codec, classifiers, crop=args.crop, cuts=args.cuts, progress=lambda done: bar.update(done - bar.n)
        )
    for classifier, known in itertools.zip_longest(classifiers, cards):
        scores, path = logits[classifier.name], _card_path(args, classifier.name)
        found = known or calibrated(scores, photos.labels, settings, args.seed)
        curves = confident(scores, photos.labels, shares, settings, found["temperature"], hierarchy, args.seed)
        made = {"model": f"{codec.name} {codec.fingerprint.hex()}", "crop": args.crop, "command": command_line(args)}
        card = known or {
            "name": classifier.name,
            "sha256": classifier.sha256,
            "preprocess": classifier.preprocess.to_dict(),
            **found,
            **made,
            **({"remark": args.remark} if args.remark else {}),
        }
        fsio.write_json(path, card | {"confidence": {**curves, "photos": len(photos), **made}})
        note(f"{path.name}: temperature {card['temperature']}{_improved(card)}; {_improved_curves(curves)}")
    return 0


def _card_path(args: argparse.Namespace, name: str) -> Path:
    return Path(args.out) / f"{name.replace(':', '-')}.json"


def _improved(card: dict[str, Any]) -> str:
    held = card["held_out"]
    return (
        f", ECE {held['ece_before']:.3f} → {held['ece_after']:.3f}, NLL {held['nll_before']:.3f} → {held['nll_after']:.3f} "
        f"on {card['photos']['held_out']} held-out photographs"
    )


def _improved_curves(curves: dict[str, Any]) -> str:
    rows = {level: row["held_out"] for level, row in curves["levels"].items()}
    return "curves, ECE " + ", ".join(
        f"{level} {row['ece_before']:.3f} → {row['ece_after']:.3f}" for level, row in rows.items()
    )


COMMANDS = (
    Command(
        "calibrate",
        "fit how sure a classifier is to how often it is right",
        _calibrate_arguments,
        _calibrate,
        "Fit a temperature per classifier and a curve per level on prefixes of labelled photographs; write a card for each.",
    ),
)

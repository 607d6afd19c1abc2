"""`hiercodec calibrate DATASET … --out FOLDER`: how sure a classifier is, fitted to how often it is right."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from hiercodec import fsio
from hiercodec.cli.base import (
    CROP,
    DEVICE,
    MODEL,
    SAMPLE,
    Arguments,
    argument,
    classifiers,
    command,
    command_line,
    flag,
    labels,
    note,
    option,
)


@command(
    "calibrate", "fit how sure a classifier is to how often it is right",
    argument("dataset", many=True, metavar="DATASET…"),
    labels(),
    option("--out", required=True, metavar="DIR", help="folder for the cards; those in assets/classifiers are in use"),
    classifiers(), MODEL, DEVICE, CROP,
    option("--cuts", type=int, default=3, metavar="N", help="cut streams at N shares too"),
    SAMPLE,
    option("--hierarchy", metavar="H", help="whose levels get a curve each (default: the default hierarchy)"),
    option("--seed", type=int, default=0, help="which photographs are held out"),
    flag("--curves-only",
         help="keep the temperature of the cards in --out, on which published results stand, and fit the curves anew"),
    option("--remark", help="a sentence for the cards, say on what the photographs are"),
    details="Fits a temperature per classifier and a curve per level on prefixes of labelled photographs, folders (wnid "
    "sub-folders give labels) or .tar shards, and writes a card for each.",
)  # fmt: skip
def calibrate(args: Arguments) -> int:
    from tqdm import tqdm

    from hiercodec import models, taxonomy
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.calibrate import calibrated, confident, gather
    from hiercodec.evaluation.photos.dataset import labelled_photos

    classifiers = [load_classifier(spec) for spec in args.classifier or ["lite0"]]
    codec = models.load(args.model)
    hierarchy = taxonomy.load_hierarchy(args.hierarchy) if args.hierarchy else taxonomy.load_hierarchy()
    photos = labelled_photos(args.dataset, sample=args.sample, how=args.labels)
    cards = [json.loads(fsio.read_bytes(_card_path(args, c.name))) for c in classifiers] if args.curves_only else []
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


def _card_path(args: Arguments, name: str) -> Path:
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

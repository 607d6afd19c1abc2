"""`hiercodec fit-core PHOTOS …`: what a model takes from a core, fitted on training photographs to one model's weights."""

from __future__ import annotations

import argparse
import dataclasses

from hiercodec.cli.base import Command, command_line, note, positive, print_json

CROP = 224
HELD_OUT = 0.05


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", help="training photographs: folders or .tar shards")
    parser.add_argument("--model", default="lite", help="hiercodec model, name or path (default %(default)s)")
    parser.add_argument("--classifier", default="lite0", help="whose answers are told (default %(default)s)")
    parser.add_argument("--hierarchy", metavar="H", help="a shipped hierarchy or a JSON file")
    parser.add_argument(
        "--sample", type=positive, default=2400, help="photographs, evenly spaced (default %(default)s)"
    )
    parser.add_argument("--steps", type=positive, default=500, help="of Adam (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of batches (default %(default)s)")


def _fit(args: argparse.Namespace) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.evaluation.provenance import today
    from hiercodec.images import centre_crop
    from hiercodec.models.conditioner import path_of, save
    from hiercodec.taxonomy import load_hierarchy
    from hiercodec.training.conditioner import fit, samples

    photos = load_photos(args.photos).split(HELD_OUT)[0].spread(args.sample)
    pictures = (rgb for rgb in (centre_crop(rgb, CROP) for rgb in photos.pixels) if rgb.shape[:2] == (CROP, CROP))
    classifier, codec = load_classifier(args.classifier), models.load(args.model)
    hierarchy = load_hierarchy(args.hierarchy) if args.hierarchy else load_hierarchy()
    seen = samples(codec, pictures, classifier, hierarchy)
    note(f"{len(seen)} photographs analysed")
    found = fit(codec, seen, hierarchy, steps=args.steps, seed=args.seed, report=note)
    how = {"classifier": f"{classifier.name} {classifier.weights_id}", "crop": CROP, "date": today(),
           "command": command_line(args)}  # fmt: skip
    made = save(path_of(args.model), dataclasses.replace(found, card={**found.card, **how}))
    print(f"{path_of(args.model)}: conditioner {made.mark}")
    return 0


def _measure_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", help="photographs: folders or .tar shards")
    parser.add_argument(
        "--held-out", action="store_true", help="of those that fit-core was given, the share it left out"
    )
    parser.add_argument("--model", default="lite", help="hiercodec model, name or path (default %(default)s)")
    parser.add_argument("--classifier", default="lite0", help="whose answers are told (default %(default)s)")
    parser.add_argument("--hierarchy", metavar="H", help="a shipped hierarchy or a JSON file")
    parser.add_argument("--sample", type=positive, default=100, help="photographs, evenly spaced (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the wrong cores (default %(default)s)")


def _measure(args: argparse.Namespace) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation import cores
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.evaluation.peers import Teller
    from hiercodec.images import centre_crop
    from hiercodec.taxonomy import load_hierarchy

    codec, photos = models.load(args.model), load_photos(args.photos)
    photos = (photos.split(HELD_OUT)[1] if args.held_out else photos).spread(args.sample)
    hierarchy = load_hierarchy(args.hierarchy) if args.hierarchy else load_hierarchy()
    pictures = (centre_crop(rgb, CROP) for rgb in photos.pixels)
    found = cores.lengths(codec, pictures, Teller(load_classifier(args.classifier), hierarchy), args.seed)
    saved = cores.savings(found, codec.plan.names)
    print_json({"command": command_line(args), "conditioners": list(codec.conditioners), **saved})
    return 0


COMMANDS = (
    Command("fit-core", "fit what a model takes from a core, on training photographs", _fit_arguments, _fit),
    Command(
        "measure-core", "what knowing the core, or a wrong one, saves of every block", _measure_arguments, _measure
    ),
)

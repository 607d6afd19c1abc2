"""`hiercodec fit-rivals PHOTOS …`: what the ordering rivals take from training photographs, for one model's weights."""

from __future__ import annotations

import argparse

from hiercodec.cli.base import Command, command_line, note, positive

CROP = 224


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", help="training photographs: folders or .tar shards")
    parser.add_argument("--model", default="lite", help="hiercodec model, name or path (default %(default)s)")
    parser.add_argument(
        "--classifier", required=True, help="one that judges nothing later, such as the one in the loss"
    )
    parser.add_argument("--sample", type=positive, default=600, help="photographs, evenly spaced (default %(default)s)")
    parser.add_argument("--steps", type=positive, default=1500, help="of the entropy model (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of batches and probes (default %(default)s)")


def _fit(args: argparse.Namespace) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.photos.dataset import load_photos
    from hiercodec.evaluation.rivals.fitted import Fitted, path_of, save
    from hiercodec.images import centre_crop
    from hiercodec.training.rivals import fit

    photos = load_photos(args.photos).spread(args.sample)
    pictures = [rgb for rgb in (centre_crop(rgb, CROP) for rgb in photos.pixels) if rgb.shape[:2] == (CROP, CROP)]
    classifier = load_classifier(args.classifier)
    found = fit(models.load(args.model), pictures, classifier, steps=args.steps, seed=args.seed, report=note)
    path = path_of(args.model)
    save(path, Fitted(found.tensors, {**found.card, "crop": CROP, "command": command_line(args)}))
    print(path)
    return 0


COMMANDS = (
    Command(
        "fit-rivals", "fit what the ordering rivals need to a model, on training photographs", _fit_arguments, _fit
    ),
)

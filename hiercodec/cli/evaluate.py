"""`hiercodec evaluate DATASET --out RESULTS.json`: rate, distortion and accuracy over a data set."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hiercodec.cli.base import Command, command_line, note
from hiercodec.cli.codec import results_table
from hiercodec.fsio import write_json
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", help="folders (wnid sub-folders give labels) or .tar shards")
    parser.add_argument("--out", required=True, help="results file (JSON)")
    parser.add_argument(
        "--model", action="append", help="hiercodec model, name or path (default lite); may be repeated"
    )
    parser.add_argument(
        "--codec", action="append", default=[], help="another format beside it: jpeg webp avif jpeg2000"
    )
    parser.add_argument("--classifier", action="append", help="classifier spec (default lite0); 'none' for none")
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY, help="hierarchy name or file (default %(default)s)")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument(
        "--cuts", type=int, default=0, metavar="N", help="also cut every stream at N shares of its bytes"
    )
    parser.add_argument("--limit", type=int, help="only the first N photographs")
    parser.add_argument("--sample", type=int, metavar="N", help="only N photographs, evenly spaced over the data set")
    parser.add_argument("--card", metavar="NAME", help="also enter the figures into the first model's card, under NAME")


def _evaluate(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.evaluation.measure import Judging
    from hiercodec.evaluation.peers import HierPeer, rival, shares_and_ends
    from hiercodec.evaluation.results import evaluate
    from hiercodec.models import store
    from hiercodec.taxonomy import load_hierarchy

    names = args.model or ["lite"]
    peers = [HierPeer(models.load(name), shares_and_ends(args.cuts), name) for name in names]
    rivals = [rival(name) for name in args.codec]
    specs = [] if args.classifier == ["none"] else args.classifier or ["lite0"]
    judges = [Judging(load_classifier(spec), load_hierarchy(args.hierarchy)) for spec in specs]
    photos = load_photos(args.dataset, limit=args.limit)
    if args.sample:
        photos = photos.spread(args.sample)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        results = evaluate(
            photos, [*peers, *rivals], judges, crop=args.crop, progress=lambda done, _: bar.update(done - bar.n)
        )
    results["cuts"] = args.cuts
    results["command"] = command_line(args)
    write_json(Path(args.out), results)
    if args.card:
        path = store.weights_path(names[0]).with_suffix(".json")
        write_json(path, with_figures(json.loads(path.read_text(encoding="utf-8")), args.card, results))
    note(results_table(results))
    return 0


def with_figures(card: dict, name: str, results: dict) -> dict:
    """A model card with the summary of `results` under "measured" → `name`."""
    keep = ("command", "photos", "labelled", "crop", "provenance", "uncompressed", "points")
    return {**card, "measured": {**card.get("measured", {}), name: {key: results[key] for key in keep}}}


COMMANDS = (
    Command(
        "evaluate", "rate, distortion and accuracy over a data set, as one results file", _evaluate_arguments, _evaluate
    ),
)

"""`hiercodec assets fusion | limits`: what ships about cores, the labels that files may begin with."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hiercodec.cli.base import Command, command_line, note
from hiercodec.errors import ConfigError
from hiercodec.fsio import check_writable, locate, write_json
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from hiercodec.evaluation.photos.dataset import Photos

RATES = (0.02, 0.05, 0.1, 0.2, 0.4)
LIMIT_RATES = (0.1, 0.2, 0.4)


def _labelled(sources: list[str], sample: int | None) -> Photos:
    """The labelled photographs of data sets, or `sample` of them evenly spread."""
    import numpy as np

    from hiercodec.evaluation.photos.dataset import load_photos

    photos = load_photos(sources)
    photos = photos.take(np.flatnonzero(photos.labels >= 0))
    photos = photos.spread(sample) if sample else photos
    if len(photos) < 2:
        raise ConfigError("this needs at least two labelled photographs: wnid folders give labels")
    return photos


def _fusion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", help="labelled photographs to fit on: wnid folders or .tar shards")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--core", default="lite0", metavar="C", help="the classifier that writes cores (default lite0)")
    parser.add_argument("--classifier", action="append", help="who sees the pixels (default lite0); may be repeated")
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, metavar="BPP", help="where files are cut")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument("--sample", type=int, metavar="N", help="only N photographs, evenly spaced over the data set")
    parser.add_argument("--out", type=Path, default=locate("fusion.json"), metavar="FILE")


def _fusion(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation import Judging
    from hiercodec.evaluation.fusing import fitted
    from hiercodec.evaluation.peers import HierPeer, Teller, at_rates
    from hiercodec.taxonomy import load_hierarchy

    check_writable(args.out)
    tree, photos = load_hierarchy(args.hierarchy), _labelled(args.dataset, args.sample)
    codec, teller = models.load(args.model), Teller(load_classifier(args.core), tree)
    viewers = [Judging(load_classifier(spec), tree) for spec in args.classifier or ["lite0"]]
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        found = fitted(
            photos,
            HierPeer(codec, at_rates(args.rates), core=teller),
            viewers,
            crop=args.crop,
            progress=lambda done: bar.update(done - bar.n),
        )
    made = {"model": f"{codec.name} {codec.fingerprint.hex()}", "photos": len(photos), "rates": list(args.rates)}
    write_json(
        args.out, {"teller": args.core, "hierarchy": tree.name, **made, "command": command_line(args), "viewers": found}
    )
    for name, levels in found.items():
        told = ", ".join(
            f"{level} {row['held_out']['nll_seen']} → {row['held_out']['nll_fused']}" for level, row in levels.items()
        )
        note(f"{name}: NLL of held-out photographs, seen → fused: {told}")
    return 0


def _limits_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="+", help="labelled photographs to ask about: wnid folders or .tar shards")
    parser.add_argument(
        "--train", nargs="+", required=True, metavar="DATASET", help="what best guesses are learned from"
    )
    parser.add_argument("--model", default="lite")
    parser.add_argument("--core", default="lite0", metavar="C", help="the classifier that writes cores (default lite0)")
    parser.add_argument("--classifier", default="lite2", metavar="C", help="who sees the pixels (default lite2)")
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY)
    parser.add_argument("--other", default="wordnet", help="the hierarchy that nobody thought of (default wordnet)")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=LIMIT_RATES, metavar="BPP", help="where files are cut"
    )
    parser.add_argument("--crop", type=int, default=224, help="the central square of this side (default %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="ask only about N photographs, evenly spaced over all")
    parser.add_argument("--out", type=Path, default=locate("results", "core-limits.json"), metavar="FILE")


def _limits(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation import Judging, limits
    from hiercodec.evaluation.peers import HierPeer, Teller
    from hiercodec.evaluation.provenance import commit, provenance, today
    from hiercodec.taxonomy import load_hierarchy

    check_writable(args.out)
    tree, other = load_hierarchy(args.hierarchy), load_hierarchy(args.other)
    photos, train = (
        _labelled(args.dataset, args.sample).cropped(args.crop),
        _labelled(args.train, None).cropped(args.crop),
    )
    lab = limits.Lab(
        models.load(args.model),
        Teller(load_classifier(args.core), tree),
        Judging(load_classifier(args.classifier), tree),
        args.rates,
    )
    guesses = limits.learned(train, lab.teller)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        absent, asked = limits.one_object(photos, lab, other, guesses, lambda done: bar.update(done - bar.n))
    two = limits.pairs(photos, lab)
    made = {
        "command": command_line(args),
        "date": today(),
        "commit": commit(),
        "provenance": provenance([HierPeer(lab.codec, name=args.model, core=lab.teller)], [lab.viewer]),
        "teller": args.core,
        "viewer": lab.viewer.classifier.name,
        "rates": list(args.rates),
        "photos": len(photos),
        "training_photos": len(train),
    }
    found = {"absent": absent.shares(), "pairs": two.shares(), "questions": asked.shares()}
    write_json(args.out, made | found | {"strangers": limits.strangers(lab.teller)})
    for name, rows in found.items():
        for row in rows:
            note(
                f"{name}: {', '.join(row['name'])}: {row['share']:.1%} ({row['low']:.1%} to {row['high']:.1%}), n {row['n']}"
            )
    return 0


COMMANDS = (
    Command("fusion", "how much a core and a classifier weigh against each other", _fusion_arguments, _fusion),
    Command("limits", "what a core cannot answer and pixels can", _limits_arguments, _limits),
)
"""Commands of the group `assets`."""

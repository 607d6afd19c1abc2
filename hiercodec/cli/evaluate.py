"""`hiercodec evaluate`: rows of rate, distortion and accuracy over a data set."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hiercodec.cli.base import Command, command_line, cores, note, positive
from hiercodec.cli.codec import results_table
from hiercodec.errors import InputError
from hiercodec.fsio import write_json
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from hiercodec.evaluation.rows import Rows

NONE = "none"

MOST = 8
"""Photographs that are named of those that were skipped, and of those with a remark."""


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "dataset", nargs="+", help="folders, .tar or .zip files, lists (`path label`, .csv), torchvision:NAME, samples:"
    )
    parser.add_argument(
        "--labels",
        default="auto",
        metavar="HOW",
        help="auto: wnids on the path, and ImageNet's ground-truth files; index: folders called 0…999; none; or a file of "
        "labels (default %(default)s)",
    )
    parser.add_argument("--out", required=True, metavar="FILE.parquet", help="file of rows, one a photograph and point")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped, or killed")
    parser.add_argument("--strict", action="store_true", help="end at the first photograph that cannot be used")
    parser.add_argument("--force", action="store_true", help="throw away what --out has and measure anew")
    parser.add_argument(
        "--model", action="append", help="hiercodec model, name or path (default lite; 'none'); may be repeated"
    )
    parser.add_argument(
        "--codec",
        action="append",
        default=[],
        metavar="NAME",
        help="a rival beside it: jpeg webp avif jpeg2000 jxl jpeg-cut …, order:trit … (docs/rivals.md); may be repeated",
    )
    parser.add_argument(
        "--formats-for",
        choices=("machines", "people"),
        default="machines",
        help="what jpeg, webp, avif … are at their best for: a classifier at 224 pixels, or least squared error of whole "
        "photographs (default %(default)s)",
    )
    parser.add_argument(
        "--classifier", action="append", help="judge: lite0 lite2 timm:… (default lite0; 'none'); may be repeated"
    )
    parser.add_argument(
        "--steer",
        action="append",
        metavar="C",
        help="classifier that steers files for machines or for both (default lite0); may be repeated",
    )
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY, help="hierarchy name or file (default %(default)s)")
    parser.add_argument("--crop", type=positive, help="take the central square of this side first")
    parser.add_argument(
        "--cuts", type=int, default=0, metavar="N", help="also cut every stream at N shares of its bytes"
    )
    parser.add_argument(
        "--rates", type=float, nargs="+", default=(), metavar="BPP", help="cut at these rates in bits a pixel instead"
    )
    parser.add_argument(
        "--core",
        default="",
        metavar="C",
        help="measure files that begin with this classifier's answer, too: the core alone, the pixels, and both together",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N photographs")
    parser.add_argument(
        "--sample", type=positive, metavar="N", help="only N photographs, evenly spaced over the data set"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--workers",
        type=positive,
        default=cores(),
        metavar="N",
        help="processes (default: one a core, here %(default)s)",
    )
    how.add_argument(
        "--ray", nargs="?", const="", metavar="ADDRESS", help="measure on a Ray cluster (default: a local one)"
    )
    parser.add_argument("--card", metavar="NAME", help="also enter the figures into the first model's card, under NAME")


def _evaluate(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hiercodec.evaluation import rows, run
    from hiercodec.evaluation.parts import Parts, check_out
    from hiercodec.evaluation.purposes import STEERING
    from hiercodec.evaluation.results import read_summary

    check_out(args.out, resume=args.resume, force=args.force)
    setup = run.Setup(
        named(args.model, run.DEFAULT_MODEL),
        args.cuts,
        tuple(args.codec),
        named(args.classifier, "lite0"),
        args.hierarchy,
        args.crop,
        tuple(args.rates),
        args.core,
        args.formats_for,
        tuple(args.steer or [STEERING]),
        args.strict,
    )
    photos = run.photos_of(args.dataset, limit=args.limit, sample=args.sample, how=args.labels, tell=note)
    bench = setup.bench()
    meta = bench.meta(command_line(args), args.dataset, photos, limit=args.limit, sample=args.sample)
    parts = Parts(args.out, meta, photos)
    if args.ray is not None:
        from hiercodec.evaluation.cluster import on_ray

        way = on_ray(setup, args.ray or None)
    else:
        way = run.here(bench) if args.workers == 1 else run.in_processes(setup, args.workers)
    missing = parts.begin(resume=args.resume, tell=note)
    there = len(photos) - sum(map(len, missing))
    with tqdm(total=len(photos), initial=there, unit="photo", disable=None, smoothing=0.05) as bar:
        run.run(parts, way, missing, bar.update)
    found = rows.read(args.out, columns=["photo", "codec", "note"])
    for line in words_on(found):
        note(line)
    if not len(found):
        raise InputError("none of the photographs could be used")
    results = read_summary(args.out)
    if args.card:
        enter(args.card, results, setup.models[0])
    note(results_table(results))
    return 0


def words_on(found: Rows) -> Iterator[str]:
    """Lines about photographs that were skipped, or measured after something was mended, and why; at most a screen."""
    if found.skipped:
        yield f"photographs that were skipped: {len(found.skipped)}"
        yield from _each(found.skipped, MOST)
    if found.notes:
        yield f"photographs that were measured with a remark: {len(found.notes)}"
        yield from _each(found.notes, MOST)


def _each(words: Mapping[str, str], most: int) -> Iterator[str]:
    yield from (f"  {photo}: {why}" for photo, why in list(words.items())[:most])
    if len(words) > most:
        yield f"  … and {len(words) - most} more"


def named(given: list[str] | None, default: str) -> tuple[str, ...]:
    """What an option that may be repeated names: the default without it, nothing for "none"."""
    return () if given == [NONE] else tuple(given or [default])


def enter(name: str, results: dict, model: str) -> None:
    """Write the summary `results` into a model's card."""
    from hiercodec.models import store

    path = store.weights_path(model).with_suffix(".json")
    write_json(path, with_figures(json.loads(path.read_text(encoding="utf-8")), name, results))


def with_figures(card: dict, name: str, results: dict) -> dict:
    """A model card with the summary `results` under "measured" → `name`."""
    keep = ("command", "photos", "labelled", "crop", "provenance", "uncompressed", "points")
    return {**card, "measured": {**card.get("measured", {}), name: {key: results[key] for key in keep}}}


COMMANDS = (
    Command(
        "evaluate", "rate, distortion and accuracy over a data set, as one file of rows", _evaluate_arguments, _evaluate
    ),
)

"""`hiercodec evaluate`: rows of rate, distortion and accuracy over a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from hiercodec import device
from hiercodec.cli.base import (
    CROP,
    DEVICE,
    POSITIVE,
    SAMPLE,
    Arguments,
    argument,
    at_most_one,
    classifiers,
    command,
    command_line,
    cores,
    environment,
    flag,
    labels,
    note,
    option,
)
from hiercodec.cli.codec import results_table
from hiercodec.errors import InputError
from hiercodec.fsio import write_json
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from hiercodec.evaluation.results.rows import Rows

NONE = "none"

MOST = 8
"""Photographs that are named of those that were skipped, and of those with a remark."""


@command(
    "evaluate", "rate, distortion and accuracy over a data set, as one file of rows",
    argument("dataset", many=True, metavar="DATASET…"),
    labels(),
    option("--out", required=True, metavar="FILE.parquet", help="file of rows, one a photograph and point"),
    flag("--resume", help="go on with a run that was stopped, or killed"),
    flag("--strict", help="end at the first photograph that cannot be used"),
    flag("--force", help="throw away what --out has and measure anew"),
    option("--model", multiple=True, metavar="M",
           help=f"hiercodec model, name, path or NAME=PATH (default {DEFAULT_MODEL}; 'none'); may be repeated"),
    option("--codec", multiple=True, metavar="NAME",
           help="a rival beside it: jpeg webp avif jpeg2000 jxl jpeg-cut …, compressai:NAME:1-6, folder:PATH, "
           "MODULE:OBJECT (docs/rivals.md); may be repeated"),
    option("--formats-for", type=click.Choice(["machines", "people"]), default="machines",
           help="what jpeg, webp, avif … are at their best for: a classifier at 224 pixels, or least squared error of whole "
           "photographs"),
    classifiers("judge: lite0 lite2 timm:… (default lite0; 'none')"),
    option("--task", multiple=True, metavar="T",
           help="another question: clip:MODEL/TAG, detect:NAME, segment:NAME, lpips:alex, … (docs/evaluate.md); may be "
           "repeated"),
    option("--steer", multiple=True, metavar="C",
           help="classifier that steers files for machines or for both (default lite0); may be repeated"),
    option("--hierarchy", default=DEFAULT_HIERARCHY, metavar="H", help="hierarchy, name or file"),
    CROP,
    option("--cuts", type=int, default=0, metavar="N", help="also cut every stream at N shares of its bytes"),
    option("--rates", several=True, type=float, metavar="BPP…", help="cut at these rates in bits a pixel instead"),
    option("--label-by", default="", show_default=False, metavar="C",
           help="measure files that begin with this classifier's answer, too: the label, the pixels, and both together"),
    option("--limit", type=POSITIVE, metavar="N", help="only the first N photographs"),
    SAMPLE,
    option("--workers", type=POSITIVE, metavar="N", help="processes (default: one a core, or one a GPU)"),
    option("--ray", is_flag=False, flag_value="", metavar="[ADDRESS]",
           help="measure on a Ray cluster (default: a local one)"),
    DEVICE,
    option("--card", metavar="NAME", help="also enter the figures into the first model's card, under NAME"),
    details="DATASET is a folder, a .tar or .zip file, a list (lines of path and label, or .csv), torchvision:NAME or "
    "samples: (the shipped photographs).",
)  # fmt: skip
def evaluate(args: Arguments) -> int:
    at_most_one(args, "workers", "ray")
    from tqdm import tqdm

    from hiercodec.evaluation.codecs.purposes import STEERING
    from hiercodec.evaluation.results import rows, run
    from hiercodec.evaluation.results.parts import Parts, check_out
    from hiercodec.evaluation.results.summary import counted, read_summary

    check_out(args.out, resume=args.resume, force=args.force)
    setup = run.Setup(
        named(args.model, DEFAULT_MODEL),
        args.cuts,
        tuple(args.codec),
        named(args.classifier, "lite0"),
        args.hierarchy,
        args.crop,
        tuple(args.rates),
        args.label_by,
        args.formats_for,
        tuple(args.steer or [STEERING]),
        args.strict,
        tuple(args.task),
    )
    photos = run.photos_of(args.dataset, limit=args.limit, sample=args.sample, how=args.labels, tell=note)
    gpus = None if args.ray is not None else device.count()  # one that is not there shows here
    workers = 0 if args.ray is not None else args.workers or gpus or cores()
    with environment(device.DEVICE, device.chosen() if workers == 1 else "cpu"):
        bench = setup.bench()  # where others measure it only says what with
        bench.check(photos)
    meta = bench.meta(command_line(args), args.dataset, photos, limit=args.limit, sample=args.sample)
    parts = Parts(args.out, meta, photos)
    if args.ray is not None:
        from hiercodec.evaluation.results.cluster import on_ray

        way = on_ray(setup, args.ray or None)
    else:
        way = run.here(bench) if workers == 1 else run.in_processes(setup, workers)
    missing = parts.begin(resume=args.resume, tell=note)
    there = len(photos) - sum(map(len, missing))
    with tqdm(total=len(photos), initial=there, unit="photo", disable=None, smoothing=0.05) as bar:
        run.run(parts, way, missing, bar.update)
    measured = rows.read(args.out, columns=["photo", "codec", "note"])
    for line in words_on(measured):
        note(line)
    if not len(measured):
        raise InputError("none of the photographs could be used")
    results = read_summary(args.out)
    if args.card:
        enter(args.card, results, setup.models[0])
    note(results_table(results))
    note(counted(results))
    return 0


def words_on(rows: Rows) -> Iterator[str]:
    """Lines about photographs that were skipped, or measured after something was mended, and why; at most a screen."""
    if rows.skipped:
        yield f"photographs that were skipped: {len(rows.skipped)}"
        yield from _each(rows.skipped, MOST)
    if rows.notes:
        yield f"photographs that were measured with a remark: {len(rows.notes)}"
        yield from _each(rows.notes, MOST)


def _each(words: Mapping[str, str], most: int) -> Iterator[str]:
    yield from (f"  {photo}: {why}" for photo, why in list(words.items())[:most])
    if len(words) > most:
        yield f"  … and {len(words) - most} more"


def named(given: Sequence[str], default: str) -> tuple[str, ...]:
    """What an option that may be repeated names: the default without it, nothing for "none"."""
    return () if [*given] == [NONE] else tuple(given or [default])


def enter(name: str, results: dict, model: str) -> None:
    """Write the summary `results` into a model's card."""
    from hiercodec.models import store

    path = store.weights_path(model).with_suffix(".json")
    write_json(path, with_figures(json.loads(path.read_text(encoding="utf-8")), name, results))


def with_figures(card: dict, name: str, results: dict) -> dict:
    """A model card with the summary `results` under "measured" → `name`."""
    keep = ("command", "photos", "labelled", "crop", "provenance", "uncompressed", "points")
    return {**card, "measured": {**card.get("measured", {}), name: {key: results[key] for key in keep}}}

"""`hiercodec results`: what to do with files of rows: look, join, hand on, take in."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from hiercodec import values
from hiercodec.cli.base import JSON, POSITIVE, Arguments, argument, command, group, note, option, print_json
from hiercodec.cli.codec import results_table
from hiercodec.cli.evaluate import words_on
from hiercodec.fsio import read_bytes, write_bytes

ROWS = argument("rows", metavar="ROWS.parquet")


@command("show", "means and shares of a file of rows, also of a run that goes on", ROWS, JSON)
def show(args: Arguments) -> int:
    from hiercodec.evaluation.results import rows
    from hiercodec.evaluation.results.summary import counted, read_summary

    found = read_summary(args.rows)
    if args.json:
        print_json(found)
        return 0
    print(results_table(found))
    for line in words_on(rows.read(args.rows, columns=["photo", "codec", "note"])):
        note(line)
    note(f"{counted(found)}, {found['labelled']} labelled. Made by: {found['command']}")
    return 0


@command(
    "join", "rows of several runs over the same photographs as one file",
    argument("rows", many=True, metavar="ROWS.parquet…"),
    option("--out", required=True, metavar="FILE", help="file of rows"),
    option("--drop", multiple=True, metavar="CODEC", help="leave this codec of the first file out; may be repeated"),
    option("--slim", type=POSITIVE, metavar="N", help="keep N classes a row and round, to ship a small file"),
    option("--name", help="what pages call the data set"),
)  # fmt: skip
def join(args: Arguments) -> int:
    from hiercodec.evaluation.results import rows

    first, *others = (rows.read(path) for path in args.rows)
    joined = rows.join([functools.reduce(rows.without, args.drop, first), *others])
    if args.slim:
        joined = rows.slim(joined, args.slim)
    named = {"data": {**joined.meta["data"], "name": args.name}} if args.name else {}
    rows.write(args.out, joined.whole, {**joined.meta, **named})
    note(f"{args.out}: {len(joined)} rows, {', '.join(joined.codecs)}, {Path(args.out).stat().st_size / 1e6:.2f} MB")
    return 0


@command(
    "export", "a curve in CompressAI's format, or all rows as CSV", ROWS,
    option("--to", type=click.Choice(["compressai", "csv"]), default="compressai", help="format"),
    option("--codec", help="for compressai: the codec whose curve it is (default: the first)"),
    option("--out", required=True, metavar="FILE", help="file to write"),
)  # fmt: skip
def export(args: Arguments) -> int:
    from hiercodec.evaluation.results import exchange, rows

    found = rows.read(args.rows)
    if args.to == "csv":
        text = exchange.to_csv(found.of(codec=args.codec) if args.codec else found)
    else:
        text = values.dumps(exchange.to_compressai(found, args.codec or next(iter(found.codecs), "")), indent=1) + "\n"
    write_bytes(args.out, text.encode())
    return 0


@command(
    "import", "a curve in CompressAI's format as rows",
    argument("curve", metavar="CURVE.json"),
    option("--name", default="", show_default=False, help="what to call the codec (default: the name in the file)"),
    option("--out", required=True, metavar="FILE", help="file of rows, of averages"),
)  # fmt: skip
def import_(args: Arguments) -> int:
    from hiercodec.evaluation.results import exchange, rows

    found = exchange.from_compressai(read_bytes(args.curve), args.name)
    rows.write(args.out, found.frame, found.meta)
    return 0


results = group("results", "look at, join and hand on rows that evaluate wrote", show, join, export, import_)

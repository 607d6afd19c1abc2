"""`hiercodec results`: what to do with files of rows: look, join, hand on, take in."""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path

from hiercodec.cli.base import Command, Group, add_json, note, positive, print_json
from hiercodec.cli.codec import results_table
from hiercodec.cli.evaluate import words_on
from hiercodec.fsio import read_bytes, write_bytes


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", help="file of rows")
    add_json(parser)


def _show(args: argparse.Namespace) -> int:
    from hiercodec.evaluation import rows
    from hiercodec.evaluation.results import read_summary

    found = read_summary(args.rows)
    if args.json:
        print_json(found)
        return 0
    print(results_table(found))
    for line in words_on(rows.read(args.rows, columns=["photo", "codec", "note"])):
        note(line)
    note(f"{found['photos']} photographs, {found['labelled']} labelled. Made by: {found['command']}")
    return 0


def _join_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="+", help="files of rows over the same photographs")
    parser.add_argument("--out", required=True, help="file of rows")
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="CODEC",
        help="leave this codec of the first file out; repeatable",
    )
    parser.add_argument(
        "--slim", type=positive, metavar="N", help="keep N classes a row and round, to ship a small file"
    )
    parser.add_argument("--name", help="what pages call the data set")


def _join(args: argparse.Namespace) -> int:
    from hiercodec.evaluation import rows

    first, *others = (rows.read(path) for path in args.rows)
    joined = rows.join([functools.reduce(rows.without, args.drop, first), *others])
    if args.slim:
        joined = rows.slim(joined, args.slim)
    named = {"data": {**joined.meta["data"], "name": args.name}} if args.name else {}
    rows.write(args.out, joined.whole, {**joined.meta, **named})
    note(f"{args.out}: {len(joined)} rows, {', '.join(joined.codecs)}, {Path(args.out).stat().st_size / 1e6:.2f} MB")
    return 0


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", help="file of rows")
    parser.add_argument(
        "--to", choices=("compressai", "csv"), default="compressai", help="format (default %(default)s)"
    )
    parser.add_argument("--codec", help="for compressai: the codec whose curve it is (default: the first)")
    parser.add_argument("--out", required=True, help="file to write")


def _export(args: argparse.Namespace) -> int:
    from hiercodec.evaluation import exchange, rows

    found = rows.read(args.rows)
    if args.to == "csv":
        text = exchange.to_csv(found.of(codec=args.codec) if args.codec else found)
    else:
        text = json.dumps(exchange.to_compressai(found, args.codec or next(iter(found.codecs), "")), indent=1) + "\n"
    write_bytes(args.out, text.encode())
    return 0


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("curve", help="JSON file with a curve in CompressAI's format")
    parser.add_argument("--name", default="", help="what to call the codec (default: the name in the file)")
    parser.add_argument("--out", required=True, help="file of rows, of averages")


def _import(args: argparse.Namespace) -> int:
    from hiercodec.evaluation import exchange, rows

    found = exchange.from_compressai(read_bytes(args.curve), args.name)
    rows.write(args.out, found.frame, found.meta)
    return 0


COMMANDS = (
    Group(
        "results",
        "look at, join and hand on rows that evaluate wrote",
        (
            Command("show", "means and shares of a file of rows, also of a run that goes on", _show_arguments, _show),
            Command("join", "rows of several runs over the same photographs as one file", _join_arguments, _join),
            Command("export", "a curve in CompressAI's format, or all rows as CSV", _export_arguments, _export),
            Command("import", "a curve in CompressAI's format as rows", _import_arguments, _import),
        ),
    ),
)

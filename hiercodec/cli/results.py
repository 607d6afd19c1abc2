"""`hiercodec results`: what to do with files of rows: look, join, hand on, take in."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hiercodec import values
from hiercodec.cli.base import JSON, POSITIVE, Arguments, argument, command, group, note, option, print_json, table
from hiercodec.cli.codec import results_table
from hiercodec.cli.evaluate import NONE, words_on
from hiercodec.errors import InputError
from hiercodec.fsio import read_bytes, write_bytes

if TYPE_CHECKING:
    from hiercodec.evaluation.results.rows import Rows

ROWS = argument("rows", metavar="ROWS.parquet")


@command("show", "means and shares of a file of rows, also of a run that goes on", ROWS, JSON)
def show(args: Arguments) -> int:
    from hiercodec.evaluation.results import rows
    from hiercodec.evaluation.results.summary import counted, read_summary

    summed = read_summary(args.rows)
    if args.json:
        print_json(summed)
        return 0
    print(results_table(summed))
    for line in words_on(rows.read(args.rows, columns=["photo", "codec", "note"])):
        note(line)
    note(f"{counted(summed)}, {summed['labelled']} labelled. Made by: {summed['command']}")
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

    measured = rows.read(args.rows)
    if args.to == "csv":
        text = exchange.to_csv(measured.of(codec=args.codec) if args.codec else measured)
    else:
        text = (
            values.dumps(exchange.to_compressai(measured, args.codec or next(iter(measured.codecs), "")), indent=1)
            + "\n"
        )
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

    curve = exchange.from_compressai(read_bytes(args.curve), args.name)
    rows.write(args.out, curve.frame, curve.meta)
    return 0


@command(
    "bd", "Bjøntegaard: how many bytes more or fewer one codec needs than another, and what it gives at equal rates",
    argument("ours", metavar="A"), argument("rival", metavar="B"),
    option("--judge", metavar="C",
           help="whose answers count beside the picture (default: the first that judged both; 'none')"),
    option("--chart", metavar="OUT.html", help="draw at which rates A is ahead, level by level, as a page"),
    JSON,
    details="A and B are files of rows, FILE.parquet, or FILE.parquet:CODEC where a file holds several codecs. A is "
    "compared with B over the photographs that both have; an imported curve is a mean, and then there is no interval.",
)  # fmt: skip
def bd(args: Arguments) -> int:
    from hiercodec.evaluation.results import bjontegaard

    a, b = _codec_in(args.ours), _codec_in(args.rival)
    judge = args.judge or next((name for name in a[0].judges if name in b[0].judges), NONE)
    judge = "" if judge == NONE else judge
    differences = bjontegaard.between(a, b, judge)
    if args.chart:
        write_bytes(args.chart, _leads(a, b, judge).encode())
    if args.json:
        measures = {
            m.measure: {"rate_percent": m.rate.to_json(), "at_equal_rate": m.quality.to_json()} for m in differences
        }
        print_json({"a": [args.ours, a[1]], "b": [args.rival, b[1]], "judge": judge or NONE, "measures": measures})
        return 0
    lines, units = [], {"psnr": (" dB", 2, 1.0), "right": (" points", 1, 100.0)}
    for row in differences:
        unit, digits, scale = units.get(row.measure.partition(" ")[0], ("", 3, 1.0))
        needed = bjontegaard.words(row.rate.to_json(), " %", 1) if row.rate.value is not None else row.rate.why
        gained = bjontegaard.words(row.quality.to_json(), unit, digits, scale=scale)
        lines.append(
            (row.measure, needed, gained if row.quality.value is not None else row.quality.why, str(row.rate.n))
        )
    note(
        f"A: {a[1]} of {args.ours}. B: {b[1]} of {args.rival}. Answers by {judge or NONE}; 95 % intervals over n photos."
    )
    print(table(("measure", "A needs more bytes than B", "A has more at equal rate", "n"), lines, left=3))
    return 0


def _leads(a: tuple[Rows, str], b: tuple[Rows, str], judge: str) -> str:
    """The page of the chart "at which rates is A ahead of B?", by right answers where a judge saw both, else by PSNR."""
    from hiercodec.evaluation.codecs.peers import title
    from hiercodec.evaluation.results.bjontegaard import at_every_rate
    from hiercodec.evaluation.results.table import right, tables
    from hiercodec.figures.rates import lead
    from hiercodec.levels import spoken

    ours, theirs = (tables(rows.of(codec=codec), judge)[codec] for rows, codec in (a, b))
    measures = {spoken(level): right(level) for level in ours.levels} or {"PSNR": "psnr"}
    leads = {name: row for name, m in measures.items() if (row := at_every_rate(ours, theirs, m)) is not None}
    if not leads:
        raise InputError(f"{a[1]} and {b[1]} share no rates, no photographs, or no measure")
    fig = lead(leads, rival=title(b[1]), percent=bool(ours.levels))
    by = f", judged by {judge.removeprefix('timm:')}" if judge else ""
    n = next(iter(leads.values())).n
    fig.update_layout(title=f"{title(a[1])} against {title(b[1])}{by}, {n} photographs", margin={"t": 96}, height=440)
    return fig.to_html(include_plotlyjs=True)


def _codec_in(spec: str) -> tuple[Rows, str]:
    """The rows and the codec that FILE or FILE:CODEC names: without one the only one, or the only model of ours."""
    from hiercodec.evaluation.results import rows

    both = re.fullmatch(r"(.+?\.parquet):(.+)", spec)
    path, codec = both.groups() if both else (spec, "")
    measured = rows.read(path, columns=[name for name in rows.schema().names if name not in ("classes", "p")])
    models = [name for name in measured.codecs if name in (measured.meta["provenance"].get("models") or {})]
    only = next((names[0] for names in (measured.codecs, models) if len(names) == 1), "")
    if not (codec or only):
        raise InputError(f"{path} holds several codecs: {', '.join(measured.codecs)}; name one as {path}:CODEC")
    return measured, codec or only


results = group("results", "look at, join and hand on rows that evaluate wrote", show, bd, join, export, import_)

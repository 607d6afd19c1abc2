"""The file commands `truncate`, `info` and `verify`: they look at streams without decoding them and import no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hiercodec import fsio, installed, stream
from hiercodec.cli.base import (
    JSON,
    POSITIVE,
    Arguments,
    argument,
    at_most_one,
    command,
    note,
    option,
    percent,
    print_json,
    table,
)
from hiercodec.errors import CorruptStream, HierarchyError
from hiercodec.levels import spoken

if TYPE_CHECKING:
    from hiercodec.taxonomy import Hierarchy

SURE = ("below 50 % sure", "50 to 80 % sure", "80 to 95 % sure", "over 95 % sure")
"""A label's confidences in words; the numbers are those of `stream.label.EDGES`."""

VERIFY_EXIT = {"complete": 0, "truncated": 3, "damaged": 4}


STREAM = argument("input", metavar="IN.hc")
CUT = (
    option("--bytes", type=POSITIVE, metavar="N", help="the first N bytes"),
    option(
        "--level",
        metavar="L",
        help="up to the end of level L (kind, family or class, in the paper's words coarse, intermediate or fine, or one of "
        "the model's own), or of the label",
    ),
)


def read_cut(args: Arguments, *, required: bool) -> bytes:
    """The prefix of the stream in `args.input` that `--bytes` or `--level` asks for; all of it without either.

    A usage error without either where one is `required`.
    """
    at_most_one(args, "bytes", "level", required=required)
    data = fsio.read_bytes(args.input)
    if args.level is not None:
        return data[: stream.level_end(data, args.level, installed.plan_of)]
    return data if args.bytes is None else stream.truncate(data, args.bytes)


def reached(verified: dict) -> str:
    """Where a stream ends, in words; takes what `stream.verify` gives."""
    if verified["state"] == "complete":
        return f"complete, {verified['bytes']} bytes"
    if verified.get("total_bytes") is None:
        return f"truncated but sound: {verified['bytes']} bytes, cut inside the header"
    level = f"{spoken(verified['level'])} complete" if verified["level"] else "no level complete"
    return f"truncated but sound: {verified['bytes']} of {verified['total_bytes']} bytes, {level}"


def in_words(label: stream.Label, hierarchy: Hierarchy | None = None) -> str:
    """What a label tells; `hierarchy` is its own, where it is not a shipped one."""
    from hiercodec.classify import read_label

    try:
        reading = read_label(label, hierarchy)
    except HierarchyError as error:
        return f"{len(label.payload)} bytes that name groups of {error}"
    except CorruptStream as error:
        return str(error)
    answers = zip(reading.path, reading.path.winners, reading.confidences, strict=True)
    sure = [f"{spoken(level)} {label} ({SURE[confidence]})" for level, (_, label, _), confidence in answers]
    rest = "" if reading.complete else "; the rest is cut off"
    return f"{' › '.join(sure) or 'nothing yet'}{rest}; by {reading.classifier}, groups of {reading.hierarchy.name}"


@command("truncate", "cut a stream to a size or after a level", STREAM, argument("output", metavar="OUT.hc"), *CUT)
def truncate(args: Arguments) -> int:
    cut = read_cut(args, required=True)
    fsio.write_bytes(args.output, cut)
    note(f"{fsio.printable(args.output)}: {reached(stream.verify(cut, installed.plan_of))}")
    return 0


@command("info", "sizes of header, z and each block; level, completeness, model", STREAM, JSON)
def info(args: Arguments) -> int:
    parsed = stream.parse(fsio.read_bytes(args.input), installed.plan_of)
    facts = stream.info(parsed)
    if args.json:
        print_json({"file": fsio.printable(args.input), **facts})
        return 0
    state = "complete" if facts["complete"] else f"cut at {facts['bytes']} of {facts['total_bytes']} bytes"
    name, size = fsio.printable(args.input), f"{facts['width']}×{facts['height']}"
    print(f"{name}: {size}, {facts['bytes']} bytes, {facts['bpp']:.4f} bpp, {state}")
    print(f"model {facts['fingerprint']}, format version {facts['version']}, level plan {facts['plan']}")
    print(f"last complete level: {spoken(facts['level'] or 'none')}")
    pixels, so_far, rows = facts["width"] * facts["height"], 0, []
    for name, size in facts["parts"].items():
        so_far += size
        rows.append(
            (spoken(name), str(size), percent(size / facts["bytes"]), str(so_far), f"{8 * so_far / pixels:.4f}")
        )
    print(table(("part", "bytes", "share", "so far", "bpp so far"), rows))
    print(f"container: {facts['overhead_bytes']} of these bytes")
    if label := parsed.label:
        print(f"label: {in_words(label)}")
    return 0


@command(
    "verify", "check a stream without decoding it", STREAM, JSON,
    details="Exit code 0: complete; 3: truncated but sound; 4: damaged.",
)  # fmt: skip
def verify(args: Arguments) -> int:
    verified = stream.verify(fsio.read_bytes(args.input), installed.plan_of)
    if args.json:
        print_json({"file": fsio.printable(args.input), **verified})
    elif verified["state"] != "damaged":
        print(f"{fsio.printable(args.input)}: {reached(verified)}")
    if verified["state"] == "damaged":
        note(f"hiercodec: {fsio.printable(args.input)}: {verified['reason']}")
    return VERIFY_EXIT[verified["state"]]

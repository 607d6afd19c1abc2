"""The file commands `truncate`, `info` and `verify`: they look at streams without decoding them and import no torch."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hiercodec import fsio, stream
from hiercodec.cli.base import Command, add_json, note, percent, positive, print_json, table
from hiercodec.errors import CorruptStream, HierarchyError
from hiercodec.levels import spoken

if TYPE_CHECKING:
    from hiercodec.taxonomy import Hierarchy

SURE = ("below 50 % sure", "50 to 80 % sure", "80 to 95 % sure", "over 95 % sure")
"""A core's confidences in words; the numbers are those of `stream.core.EDGES`."""

VERIFY_EXIT = {"complete": 0, "truncated": 3, "damaged": 4}


def add_cut(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add `--bytes N | --level L`."""
    cut = parser.add_mutually_exclusive_group(required=required)
    cut.add_argument("--bytes", type=positive, metavar="N", help="the first N bytes")
    cut.add_argument(
        "--level", metavar="L", help="up to the end of level L (coarse, intermediate, fine), or of the core"
    )


def apply_cut(data: bytes, args: argparse.Namespace) -> bytes:
    """The prefix of a stream that `--bytes` or `--level` asks for; all of it without either."""
    if args.level is not None:
        return data[: stream.level_end(data, args.level)]
    return data if args.bytes is None else stream.truncate(data, args.bytes)


def reached(found: dict) -> str:
    """Where a stream ends, in words; takes what `stream.verify` gives."""
    if found["state"] == "complete":
        return f"complete, {found['bytes']} bytes"
    if found.get("total_bytes") is None:
        return f"truncated but sound: {found['bytes']} bytes, cut inside the header"
    level = f"level {found['level']} complete" if found["level"] else "no level complete"
    return f"truncated but sound: {found['bytes']} of {found['total_bytes']} bytes, {level}"


def in_words(core: stream.Core, hierarchy: Hierarchy | None = None) -> str:
    """What a core tells; `hierarchy` is its own, where it is not a shipped one."""
    from hiercodec.classify import told

    try:
        found = told(core, hierarchy)
    except HierarchyError as error:
        return f"{len(core.payload)} bytes that name groups of {error}"
    except CorruptStream as error:
        return str(error)
    answers = zip(found.path, found.path.winners, found.confidences, strict=True)
    sure = [f"{spoken(level)} {label} ({SURE[confidence]})" for level, (_, label, _), confidence in answers]
    rest = "" if found.complete else "; the rest is cut off"
    return f"{' › '.join(sure) or 'nothing yet'}{rest}; told by {found.classifier}, groups of {found.hierarchy.name}"


def _truncate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN.hc")
    parser.add_argument("output", metavar="OUT.hc")
    add_cut(parser, required=True)


def _truncate(args: argparse.Namespace) -> int:
    data = fsio.read_bytes(args.input)
    cut = apply_cut(data, args)
    fsio.write_bytes(args.output, cut)
    note(f"{args.output}: {reached(stream.verify(cut))}")
    return 0


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN.hc")
    add_json(parser)


def _info(args: argparse.Namespace) -> int:
    data = fsio.read_bytes(args.input)
    info = stream.info(data)
    if args.json:
        print_json({"file": args.input, **info})
        return 0
    state = "complete" if info["complete"] else f"cut at {info['bytes']} of {info['total_bytes']} bytes"
    print(f"{args.input}: {info['width']}×{info['height']}, {info['bytes']} bytes, {info['bpp']:.4f} bpp, {state}")
    print(f"model {info['fingerprint']}, format version {info['version']}, level plan {info['plan']}")
    print(f"last complete level: {info['level'] or 'none'}")
    pixels, so_far, rows = info["width"] * info["height"], 0, []
    for name, size in info["parts"].items():
        so_far += size
        rows.append((name, str(size), percent(size / info["bytes"]), str(so_far), f"{8 * so_far / pixels:.4f}"))
    print(table(("part", "bytes", "share", "so far", "bpp so far"), rows))
    print(f"container: {info['overhead_bytes']} of these bytes")
    if core := stream.parse(data).told:
        print(f"core: {in_words(core)}")
    return 0


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN.hc")
    add_json(parser)


def _verify(args: argparse.Namespace) -> int:
    found = stream.verify(fsio.read_bytes(args.input))
    if args.json:
        print_json({"file": args.input, **found})
    elif found["state"] != "damaged":
        print(f"{args.input}: {reached(found)}")
    if found["state"] == "damaged":
        note(f"hiercodec: {args.input}: {found['reason']}")
    return VERIFY_EXIT[found["state"]]


COMMANDS = (
    Command("truncate", "cut a stream to a size or after a level", _truncate_arguments, _truncate),
    Command("info", "sizes of header, z and each block; level, completeness, model", _info_arguments, _info),
    Command(
        "verify",
        "check a stream without decoding it",
        _verify_arguments,
        _verify,
        "Check a stream without decoding it. Exit code 0: complete; 3: truncated but sound; 4: damaged.",
    ),
)

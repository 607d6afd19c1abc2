"""The commands that need a model: `encode`, `decode`, `trace` and `models`. torch loads when one of them runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from hiercodec import fsio, installed, stream, values
from hiercodec.cli.base import (
    DEVICE,
    HIERARCHY,
    JSON,
    MODEL,
    POSITIVE,
    Arguments,
    argument,
    command,
    note,
    option,
    percent,
    print_json,
    table,
)
from hiercodec.cli.files import CUT, STREAM, in_words, read_cut
from hiercodec.errors import ImageTooLarge, InputError, OutputError
from hiercodec.levels import spoken

LABEL_WIDTH = 24
PAGE_SIDE = 384
"""Pixels a side of a page's pictures: what the app shrinks photographs to."""
PHOTO = argument("photo", metavar="PHOTO")
PURPOSES, EFFORT = ("people", "machines", "both"), 5
"""What `codecs.purposes` knows; to import that would cost `info` more than it does."""


@command(
    "encode", "photograph → stream", PHOTO, argument("output", metavar="OUT.hc"), MODEL,
    option("--effort", type=click.IntRange(0, 9), metavar="0…9",
           help=f"search so long for a better file (default 0: not at all; {EFFORT} with --for)"),
    option("--for", "purpose", type=click.Choice(PURPOSES),
           help="what that search keeps: what people see (the default), what a classifier sees, or both"),
    option("--label-by", metavar="C", help="say first, in 8 bytes, what classifier C (lite0, …) takes the photograph for"),
    option("--hierarchy", metavar="H", help="of --label-by: a shipped hierarchy or a JSON file"),
    DEVICE,
)  # fmt: skip
def encode(args: Arguments) -> int:
    fsio.check_writable(args.output)
    if args.effort == 0 and args.purpose:
        raise InputError("--for says what an effort is for: give --effort 1 to 9 with it")
    rgb = _photo(args.photo)
    from hiercodec import models
    from hiercodec.evaluation.codecs import purposes

    options = purposes.options(args.effort, args.purpose)
    codec = models.load(args.model)
    label, hierarchy = _label(rgb, args)
    data = codec.encode(rgb, label=label, **options)
    fsio.write_bytes(args.output, data)
    height, width = rgb.shape[:2]
    bpp = 8 * len(data) / (height * width)
    note(f"{fsio.printable(args.output)}: {width}×{height}, {len(data)} bytes, {bpp:.4f} bpp, model {codec.name}")
    if label:
        note(f"label: {in_words(label, hierarchy)}")
    return 0


def _label(rgb: Any, args: Arguments) -> tuple[stream.Label | None, Any]:
    """The label that `--label-by` asks for, and the hierarchy it is of; neither without it."""
    if args.label_by is None:
        if args.hierarchy:
            raise InputError("--hierarchy says what groups the label tells: give --label-by too")
        return None, None
    from hiercodec import api

    hierarchy = api.hierarchy(args.hierarchy) if args.hierarchy else api.hierarchy()
    return api.label(rgb, args.label_by, hierarchy), hierarchy


@command(
    "decode", "stream, or any prefix of it → PNG", STREAM, argument("output", metavar="OUT.png"),
    option("--model", metavar="NAME|PATH", help="instead of the model that the stream's fingerprint names"),
    option("--max-pixels", type=POSITIVE, metavar="N",
           help="decode pictures of up to N pixels (default 20 million, as many as encode reads)"),
    DEVICE, *CUT,
)  # fmt: skip
def decode(args: Arguments) -> int:
    if Path(args.output).suffix.lower() not in ("", ".png"):
        raise OutputError(f"cannot write {args.output}: decode writes PNG, so that every pixel stays as decoded")
    fsio.check_writable(args.output)
    data = read_cut(args, required=False)
    parsed = stream.parse(data)  # damage shows here, before seconds go into loading torch
    from hiercodec import images, models

    header, limit = parsed.header, args.max_pixels or images.MAX_PIXELS
    if header.pixels > limit:  # a header is free to claim any size, and a cut stream need not hold more
        raise ImageTooLarge(
            f"{args.input} holds a picture of {header.width}×{header.height}, {header.pixels:,} pixels; at most {limit:,} "
            f"are decoded: where time and memory allow more, say so with --max-pixels {header.pixels}"
        )
    codec = models.load(args.model) if args.model else models.find(header.fingerprint)
    decoded = codec.decode(parsed)
    fsio.write_bytes(args.output, images.encode_png(decoded.image))
    bpp = 8 * len(data) / header.pixels
    note(f"{fsio.printable(args.output)}: {len(data)} of {parsed.total_bytes} bytes, {bpp:.4f} bpp, {_where(decoded)}")
    if parsed.label:
        note(f"label: {in_words(parsed.label)}")
    return 0


def _where(decoded: Any) -> str:
    """How far a decoded prefix got, in words."""
    if decoded.complete:
        return "complete"
    level = f"{spoken(decoded.level)} complete" if decoded.level else "no level complete"
    return f"{level}, {percent(decoded.fraction)} of the next"


@command(
    "trace", "what every prefix looks like and is taken for", PHOTO, MODEL,
    option("--steps", type=POSITIVE, default=24, metavar="N", help="about how many prefixes"),
    option("--classifier", default="lite0", metavar="C",
           help="lite0, lite2, timm:NAME, timm:NAME@WEIGHTS.safetensors, or none"),
    HIERARCHY,
    option("--html", metavar="OUT.html",
           help="write one page that shows the trace without server or network, and prints as one sheet; the photograph "
           f"is shrunk to {PAGE_SIDE} pixels a side, or as --side says"),
    option("--side", type=POSITIVE, metavar="N", help="shrink the photograph to at most N pixels a side"),
    option("--until", metavar="LEVEL:CONFIDENCE",
           help="also say where to stop: at the first prefix whose answer at LEVEL is so sure, as kind:0.9"),
    DEVICE, JSON,
)  # fmt: skip
def trace(args: Arguments) -> int:
    from hiercodec.evaluation.traces.trace import parse_until

    until = parse_until(args.until) if args.until else None
    if until and args.classifier == "none":
        raise InputError("--until asks how sure a classifier is: leave out --classifier none")
    if args.html:
        fsio.check_writable(args.html)
    rgb = _photo(args.photo)
    if side := args.side or (PAGE_SIDE if args.html else None):
        from hiercodec.images import resize_to

        rgb = resize_to(rgb, side)
    from hiercodec import models, taxonomy
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.traces.tracing import trace as traced

    codec = models.load(args.model)
    steps = max(args.steps, len(codec.plan) + 1)
    evaluator = None
    if args.classifier != "none":
        from hiercodec.classify import load_classifier

        hierarchy = taxonomy.load_hierarchy(args.hierarchy) if args.hierarchy else taxonomy.load_hierarchy()
        evaluator = Evaluator(load_classifier(args.classifier), hierarchy)
        if until:
            until = until._replace(level=hierarchy.level(until.level).name)  # before the work: it may lack it
    data = codec.encode(rgb)
    made, decoded = traced(codec, rgb, evaluator, data=data, steps=steps, progress=_tell)
    stop = _stop(made, until, evaluator) if until else None
    if args.html:
        from hiercodec.evaluation.traces import bundle
        from hiercodec.report.takeaway import page

        written = page(bundle.make(made, data, rgb, decoded), fsio.printable(Path(args.photo).stem)).encode()
        fsio.write_bytes(args.html, written)
        size = f"{made.width}×{made.height} pixels"
        note(f"{fsio.printable(args.html)}: {len(written):,} bytes, {size}, {len(made.steps)} steps")
    if args.json:
        print_json(made.to_json() | ({"until": stop} if stop else {}))
        return 0
    levels = evaluator.hierarchy.names if evaluator else ()
    rows = [
        (
            str(step.bytes),
            f"{step.bpp:.4f}",
            f"{step.psnr:.2f}",
            spoken(step.level or "-"),
            percent(step.fraction),
            *(_winner(step.top.get(level, ())) for level in levels),
        )
        for step in made.steps
    ]
    print(f"{fsio.printable(args.photo)}: {made.width}×{made.height}, {made.file_bytes} bytes, model {codec.name}")
    titles = ("bytes", "bpp", "PSNR", "complete", "of next")
    print(table(titles + tuple(f"{spoken(level)}: likeliest" for level in levels), rows, left=0))
    if stop:
        print(_stop_in_words(stop))
    return 0


def _stop(trace: Any, until: Any, evaluator: Any) -> dict[str, Any]:
    """Where a trace may stop, ready for JSON: the rule, bytes, share of the file, and the answer there."""
    from hiercodec.classify import card_of, confidence_of
    from hiercodec.evaluation.traces.trace import confidences, stop_step

    confidence = confidence_of(card_of(evaluator.classifier.name), evaluator.hierarchy.name)
    index = stop_step(trace, until, confidence)
    last = len(trace.steps) - 1 if index is None else index
    step = trace.steps[last]
    return {
        "level": until.level,
        "threshold": until.threshold,
        "reached": index is not None,
        "bytes": step.bytes,
        "share": round(step.bytes / trace.file_bytes, 4),
        "answer": step.top[until.level][0][1],
        "confidence": round(confidences(trace, until.level, confidence)[last], 4),
        "calibrated": until.level in confidence.curves,
    }


def _stop_in_words(stop: dict[str, Any]) -> str:
    answer = f"{spoken(stop['level'])} {stop['answer']!r}, {percent(stop['confidence'])} sure"
    if not stop["reached"]:
        return f"no prefix is {percent(stop['threshold'])} sure; the whole file: {answer}"
    where = f"stop at {stop['bytes']} bytes, {percent(stop['share'])} of the file"
    return f"{where}: {answer}{'' if stop['calibrated'] else ' (by its probability: not calibrated here)'}"


def _winner(top: Any) -> str:
    """The first of a level's ranked (index, label, probability)."""
    if not top:
        return "-"
    _, label, probability = top[0]
    short = label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 1] + "…"
    return f"{short} {100 * probability:.0f} %"


def _tell(done: int, total: int, what: str) -> None:
    """A progress line on stderr where somebody watches."""
    if sys.stderr.isatty():
        end = "\r\033[K" if done >= total else ""
        print(f"\r\033[K{what} {done}/{total}", end=end, file=sys.stderr, flush=True)


@command("models", "what is installed and what it measured", JSON)
def models(args: Arguments) -> int:
    cards = installed.models()
    for line in installed.MODELS.own().wrong:
        note(line)
    if args.json:
        print_json(cards)
        return 0
    if not cards:
        note("no models are shipped with this installation")
        return 0
    rows = []
    for name, card in cards.items():
        levels = (card.get("validation") or {}).get("levels") or {"-": {}}
        identity = (name, card.get("fingerprint", "-"), str(card.get("steps", "-")))
        for level, row in levels.items():
            rows.append((*identity, spoken(level), *_measured(row)))
            identity = ("", "", "")
    print(table(("model", "fingerprint", "steps", "level", "bpp", "PSNR", "agreement"), rows, left=4))
    print("photographs held out from training, file bytes; agreement: the level's winner stays that of the original")
    for name, card in cards.items():
        for title, measured in (card.get("measured") or {}).items():
            print(f"\n{name} on {title}: {measured['photos']} photographs, file bytes, top-1 kind / family / class")
            print(results_table(measured))
    return 0


def results_table(measured: dict) -> str:
    """What a card says of one data set: a line a codec and setting, accuracies in per cent, a column a classifier."""
    original = measured.get("uncompressed") or {}
    points = [{"codec": "uncompressed", "setting": "", **original}] if original.get("accuracy") else []
    points += measured["points"]
    classifiers = list(dict.fromkeys(name for point in points for name in point.get("accuracy") or {}))
    tasks = list(dict.fromkeys(name for point in points for name in point.get("scores", ())))
    rows = []
    for point in points:
        shares_of = point.get("accuracy") or {}
        shares = [[next(iter(level.values())) for level in shares_of.get(name, {}).values()] for name in classifiers]
        accuracies = [" / ".join(f"{100 * share:.1f}" for share in row) or "-" for row in shares]
        scored = [values.shown(point.get("scores", {}).get(task)) for task in tasks]
        rows.append((point["codec"], str(point["setting"]), *_measured(point)[:2], *accuracies, *scored))
    return table(("codec", "setting", "bpp", "PSNR", *classifiers, *tasks), rows, left=2)


def _measured(row: dict[str, float]) -> tuple[str, str, str]:
    bpp, psnr, agreement = row.get("bpp"), row.get("psnr"), row.get("agreement")
    return (
        "-" if bpp is None else f"{bpp:.3f}",
        values.shown(psnr),
        "-" if agreement is None else percent(agreement),
    )


def _photo(path: str) -> Any:
    """The photograph at `path`, uint8[H, W, 3], before torch is loaded: bad input fails fast."""
    from hiercodec import images

    return images.load_rgb(path, note=lambda words: note(f"{path}: {words}"))

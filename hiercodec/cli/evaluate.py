"""`python -m hiercodec evaluate DATASET --out RESULTS.json`: rate, distortion and accuracy over a data set."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from hiercodec.errors import OutputError
from hiercodec.fsio import write_bytes


def main(argv: list[str] | None = None) -> int:
    """Measure codecs on photographs and write one results file."""
    parser = argparse.ArgumentParser(prog="hiercodec evaluate", description=main.__doc__)
    parser.add_argument("dataset", nargs="+", help="folders (wnid sub-folders give labels) or .tar shards")
    parser.add_argument("--out", required=True, help="results file (JSON)")
    parser.add_argument(
        "--model", action="append", help="hiercodec model, name or path (default lite); may be repeated"
    )
    parser.add_argument(
        "--codec", action="append", default=[], help="classical codec beside it: jpeg webp avif jpeg2000"
    )
    parser.add_argument("--classifier", action="append", help="classifier spec (default lite0); 'none' for none")
    parser.add_argument("--hierarchy", default="consensus", help="hierarchy name or file (default consensus)")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument(
        "--cuts", type=int, default=0, metavar="N", help="also cut every stream at N shares of its bytes"
    )
    parser.add_argument("--limit", type=int, help="only the first N photographs")
    parser.add_argument("--sample", type=int, metavar="N", help="only N photographs, evenly spaced over the data set")
    parser.add_argument("--card", metavar="NAME", help="also enter the figures into the first model's card, under NAME")
    args = parser.parse_args(argv)

    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.baselines.classical import classical
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.evaluation.runner import evaluate
    from hiercodec.models import store
    from hiercodec.taxonomy import load_hierarchy

    codecs: dict = {name: models.load(name) for name in args.model or ["lite"]}
    codecs |= {classical(name).name: None for name in args.codec}
    specs = [] if args.classifier == ["none"] else args.classifier or ["lite0"]
    classifiers = [load_classifier(spec) for spec in specs]
    hierarchy = load_hierarchy(args.hierarchy) if classifiers else None
    photos = load_photos(args.dataset, limit=args.limit)
    if args.sample:
        photos = photos.spread(args.sample)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        results = evaluate(
            photos,
            codecs,
            classifiers,
            hierarchy,
            crop=args.crop,
            cuts=args.cuts,
            progress=lambda done, _: bar.update(done - bar.n),
        )
    results["command"] = "python -m hiercodec evaluate " + shlex.join(sys.argv[2:] if argv is None else argv)
    _write_json(Path(args.out), results)
    if args.card:
        _enter_into_card(store.weights_path((args.model or ["lite"])[0]).with_suffix(".json"), args.card, results)
    print(table(results), file=sys.stderr)
    return 0


def _write_json(path: Path, value: dict) -> None:
    """Write a file of results, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def _enter_into_card(path: Path, name: str, results: dict) -> None:
    """Put the summary of `results` into a model card, under "measured" → `name`."""
    card = json.loads(path.read_text(encoding="utf-8"))
    keep = ("command", "photos", "labelled", "crop", "provenance", "uncompressed", "points")
    card.setdefault("measured", {})[name] = {key: results[key] for key in keep}
    _write_json(path, card)


def table(results: dict) -> str:
    """The results as aligned text: a line a codec and setting."""
    lines = [f"{'codec':10} {'setting':13} {'bpp':>7} {'PSNR':>7}  top-1 % by classifier (coarse … fine)"]
    rows = [
        {"codec": "original", "setting": "", "bpp": None, "psnr": None, **results["uncompressed"]},
        *results["points"],
    ]
    for row in rows:
        parts = []
        for name, levels in row.get("accuracy", {}).items():
            shares = " / ".join(f"{100 * next(iter(v.values())):.1f}" for v in levels.values())
            parts.append(f"{name}: {shares}")
        rate = " " * 15 if row["bpp"] is None else f"{row['bpp']:7.4f} {row['psnr']:7.2f}"
        lines.append(f"{row['codec']:10} {row['setting']:13} {rate}  {'   '.join(parts)}")
    return "\n".join(lines)

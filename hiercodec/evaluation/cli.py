"""`python -m hiercodec evaluate DATASET --out RESULTS.json`: rate, distortion and accuracy over a data set."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hiercodec.errors import OutputError


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
    parser.add_argument("--classifier", action="append", help="classifier spec (default bundled); 'none' for none")
    parser.add_argument("--hierarchy", default="consensus", help="hierarchy name or file (default consensus)")
    parser.add_argument("--crop", type=int, help="take the central square of this side first")
    parser.add_argument("--limit", type=int, help="only the first N photographs")
    args = parser.parse_args(argv)

    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.baselines.classical import classical
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.evaluation.runner import evaluate
    from hiercodec.taxonomy import load_hierarchy

    codecs: dict = {name: models.load(name) for name in args.model or ["lite"]}
    codecs |= {classical(name).name: None for name in args.codec}
    specs = [] if args.classifier == ["none"] else args.classifier or ["bundled"]
    classifiers = [load_classifier(spec) for spec in specs]
    hierarchy = load_hierarchy(args.hierarchy) if classifiers else None
    photos = load_photos(args.dataset, limit=args.limit)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        results = evaluate(
            photos, codecs, classifiers, hierarchy, crop=args.crop, progress=lambda done, _: bar.update(done - bar.n)
        )
    out = Path(args.out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = out.with_name(out.name + ".partial")
        partial.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}") from error
    print(table(results), file=sys.stderr)
    return 0


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

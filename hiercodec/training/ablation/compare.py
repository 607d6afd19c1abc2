"""`python -m hiercodec.training.ablation.compare CONFIG MODEL MODEL …`: models at equal bytes,
on what a training run held out.

Every model codes the photographs that CONFIG's split keeps from training (never those of a test set); its curve has two
points a block. Differences are to the first model, averaged over the log-rates that both cover (Bjøntegaard deltas).
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hiercodec.errors import ConfigError, HiercodecError
from hiercodec.fsio import write_json
from hiercodec.training.config import TrainConfig, read_config


def main(argv: list[str] | None = None) -> int:
    """Compare models at equal bytes on held-out photographs."""
    parser = argparse.ArgumentParser(prog="hiercodec.training.ablation.compare", description=main.__doc__)
    parser.add_argument("config", help="the run whose held-out photographs and classifier are used")
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="names or .safetensors files; the first is compared with"
    )
    parser.add_argument("--photos", type=int, default=48, help="how many photographs (default 48)")
    parser.add_argument("--out", help="results file (JSON)")
    args = parser.parse_args(argv)
    results = compare(read_config(args.config), args.models, photos=args.photos)
    results["command"] = f"python -m {__spec__.name} {shlex.join(sys.argv[1:] if argv is None else argv)}"
    if args.out:
        write_json(Path(args.out), results)
    print(table(results))
    return 0


def compare(config: TrainConfig, names: list[str], *, photos: int = 48) -> dict[str, Any]:
    """Every model's curve and its deltas to the first one's, as plain data."""
    from hiercodec import models
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.training.ablation.measure import measure
    from hiercodec.training.codec.validate import judge_of

    if not config.classifier:
        raise ConfigError(f"{config.name}: a comparison needs a classifier")
    codecs = [models.load(name) for name in names]
    judging = judge_of(config)
    held_out = load_photos(config.photos, limit=config.limit).split(config.holdout)[1].spread(photos)
    rows = []
    for name, codec in zip(names, codecs, strict=True):
        points = measure(codec, held_out, judging)
        mark = {"model": Path(name).stem, "fingerprint": codec.fingerprint.hex(), "steps": codec.card.get("steps")}
        rows.append({**mark, "points": points, "deltas": deltas(rows[0]["points"], points) if rows else None})
    return {
        "photos": len(held_out),
        "labelled": int((held_out.labels >= 0).sum()),
        "classifier": f"{judging.classifier.name} {judging.classifier.weights_id}",
        "models": rows,
    }


def deltas(reference: list[dict], points: list[dict]) -> dict[str, float]:
    """What `points` have more than `reference` at equal rate: PSNR (dB), top-1 at every level (share), WUP."""
    from hiercodec.evaluation.metrics import bd_quality

    def gap(quality) -> float:
        curves = [([p["bpp"] for p in row], [quality(p) for p in row]) for row in (reference, points)]
        return round(bd_quality(*curves[0], *curves[1]), 5)

    out = {"psnr": gap(lambda p: p["psnr"]), "wup": gap(lambda p: p["wup"])}
    return out | {level: gap(lambda p, k=level: p["agreement"][k]) for level in points[0]["agreement"]}


def table(results: dict[str, Any]) -> str:
    """The curves as aligned text, and what every model has more than the first at equal bytes."""
    lines = [f"{'model':20} {'prefix':18} {'bpp':>7} {'PSNR':>7}  top-1 % (coarse … fine)  {'WUP':>6}"]
    for row in results["models"]:
        for point in row["points"]:
            shares = " / ".join(f"{100 * share:.1f}" for share in point["agreement"].values())
            prefix = f"{point['level']} {100 * point['share']:.0f} %"
            lines.append(
                f"{row['model']:20} {prefix:18} {point['bpp']:7.4f} {point['psnr']:7.2f}  {shares:23}  {point['wup']:6.3f}"
            )
    for row in results["models"][1:]:
        gaps = ", ".join(
            f"{name} {100 * gap:+.1f} points" if name not in ("psnr", "wup") else f"{name} {gap:+.3f}"
            for name, gap in row["deltas"].items()
        )
        lines.append(f"{row['model']} against {results['models'][0]['model']} at equal bytes: {gaps}")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HiercodecError as error:
        sys.exit(f"hiercodec: {error}")

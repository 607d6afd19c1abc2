"""Models at equal bytes, on what a training run held out (`hiercodec compare CONFIG MODEL MODEL …`).

Every model codes the photographs that CONFIG's split keeps from training (never those of a test set); its curve has two
points a block. Differences are to the first model, averaged over the log-rates that both cover (Bjøntegaard deltas).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hiercodec.errors import ConfigError
from hiercodec.training.config import TrainConfig


def compare(config: TrainConfig, names: list[str], *, photos: int = 48) -> dict[str, Any]:
    """Every model's curve and its deltas to the first one's, as plain data."""
    from hiercodec import models
    from hiercodec.evaluation.dataset import load_photos
    from hiercodec.training.ablation.measure import measure
    from hiercodec.training.codec.validate import judge_of

    if not config.classifiers:
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

"""The paper's ablations (§5.3), trained and measured at equal budget (`hiercodec ablation CONFIG`).

Every arm is trained from the same config for the same steps, once a seed, and measured on the same held-out photographs by
real bytes. Results are written after every run, so that a stopped command goes on where it was: finished runs are
skipped, an unfinished one resumes from its checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiercodec.errors import ConfigError
from hiercodec.evaluation.provenance import environment
from hiercodec.fsio import write_json
from hiercodec.training.ablation.arms import Arm
from hiercodec.training.ablation.stats import summary
from hiercodec.training.config import TrainConfig, checked

if TYPE_CHECKING:
    from hiercodec.evaluation.measure import Judging
    from hiercodec.evaluation.photos.dataset import Photos

SCHEMA = 1


def run(config: TrainConfig, arms: Sequence[Arm], seeds: Sequence[int], out: Path, *, photos: int = 96,
        minutes: float | None = None, command: str = "") -> dict[str, Any]:  # fmt: skip
    """Train and measure what `out` does not hold yet, seed by seed; returns the results, which also stand in `out`.

    Raises `ConfigError` if `out` holds results of another setting: arms are only compared at equal budget.
    """
    from hiercodec.evaluation.photos.dataset import load_photos
    from hiercodec.training.codec.validate import judge_of

    if not config.classifiers:
        raise ConfigError(f"{config.name}: an ablation needs a classifier")
    results = _begin(out, config, photos, command)
    judging = judge_of(config)
    results["environment"] |= {"classifier": f"{judging.classifier.name} {judging.classifier.weights_id}"}
    data = load_photos(config.photos, limit=config.limit)
    held_out = data.split(config.holdout)[1].spread(photos)
    results["held_out"] = {"photos": len(held_out), "labelled": int((held_out.labels >= 0).sum())}
    started = time.monotonic()
    for seed in seeds:
        for arm in arms:
            if any(row["arm"] == arm.name and row["seed"] == seed for row in results["runs"]):
                continue
            if minutes is not None and time.monotonic() - started > 60 * minutes:
                return results
            print(f"{arm.name}, seed {seed}", file=sys.stderr)
            results["runs"].append(_one(config, arm, seed, data, held_out, judging))
            results["summary"] = summary(results["runs"])
            write_json(out, results)
    return results


def _one(config: TrainConfig, arm: Arm, seed: int, data: Photos, held_out: Photos, judging: Judging) -> dict[str, Any]:
    """Train one arm with one seed and measure it."""
    from hiercodec import models
    from hiercodec.training.ablation.measure import measure
    from hiercodec.training.codec.step import codec_trainer

    own = dataclasses.replace(config, name=f"{arm.slug}-seed{seed}", out=str(Path(config.out) / config.name), seed=seed,
                              changes=arm.changes(config.changes))  # fmt: skip
    started = time.monotonic()
    path = codec_trainer(own, resume=True, photos=data).run()
    codec = models.load(path)
    return {
        "arm": arm.name,
        "seed": seed,
        "parameters": sum(p.numel() for p in codec.network.parameters()),
        "seconds": round(time.monotonic() - started),
        "points": measure(codec, held_out, judging),
    }


def _begin(out: Path, config: TrainConfig, photos: int, command: str) -> dict[str, Any]:
    """The results so far; a fresh dictionary if there are none."""
    setting = {"training": config.to_dict(), "photos": photos}
    if out.is_file():
        results = json.loads(out.read_text(encoding="utf-8"))
        before = results["setting"]
        if (checked(before["training"], TrainConfig, out), before["photos"]) != (config, photos):
            raise ConfigError(f"{out} holds results of another setting; give another --out, or remove it")
        return results
    return {
        "schema": SCHEMA,
        "command": command,
        "setting": setting,
        "environment": environment("timm", "scipy"),
        "runs": [],
        "summary": {},
    }


def table(results: dict[str, Any]) -> str:
    """The comparison as aligned text: means over seeds, and differences to the arm compared with."""
    lines = [f"{'arm':20} {'seeds':>5} {'bpp':>7} {'PSNR':>7} {'fine %':>7} {'WUP':>7}  at the full rate"]
    for row in results["summary"].get("arms", []):
        whole = list(row["levels"].values())[-1]
        lines.append(
            f"{row['arm']:20} {row['seeds']:5} {whole['bpp']['mean']:7.3f} {whole['psnr']['mean']:7.2f} "
            f"{100 * whole['agreement']['mean']:7.1f} {whole['wup']['mean']:7.4f}"
        )
    for row in results["summary"].get("comparisons", []):
        rate = row["bd_rate_percent"]
        span = "" if rate["low"] is None else f", 95 % interval {rate['low']:+.2f} to {rate['high']:+.2f}"
        lines.append(
            f"{row['arm']} against {row['against']}: BD-rate {rate['mean']:+.2f} %{span} over {rate['seeds']} seeds"
        )
    return "\n".join(lines)

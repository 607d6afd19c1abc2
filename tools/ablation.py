"""The paper's ablations (§5.3), trained and measured at equal budget: `python -m tools.assets ablation CONFIG`.

Δ-networks or none, and how the latent channels are shared out. Arms are compared on a reduced backbone (their base is
`configs/ablation.toml`) and differ in nothing else; a split moves channels between blocks, so the linear path moves with it
(`layout`). Every arm is trained from the same config for the same steps, once a seed, and measured on the same held-out
photographs by real bytes. Results are written after every run, so that a stopped command goes on where it was: finished
runs are skipped, an unfinished one resumes from its checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from hiercodec.errors import ConfigError
from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.metrics import bd_quality, bd_rate
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.provenance import environment
from hiercodec.evaluation.results.records import gather
from hiercodec.evaluation.results.table import right, tables
from hiercodec.fsio import write_json
from hiercodec.levels import PLANS, LevelPlan
from hiercodec.models import LinearBlock, LinearPath
from hiercodec.models.common import EmbeddedCodec
from hiercodec.training.config import TrainConfig, checked
from tools.common import halved_blocks

SCHEMA, SIDE = 1, 224

COMPONENTS = 192
"""KLT components of every arm."""

STEPS = (0.69, 0.23, 0.23)
"""Quantisation step of each block of every arm; a ratio of 3 makes the bins nest."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its name in results, the level plan's id, and whether later blocks have Δ-networks."""

    name: str
    plan: int
    delta: bool = True

    @property
    def slug(self) -> str:
        """The name for a folder."""
        return self.name.replace("/", "-").replace(" ", "-").replace("Δ", "delta")

    def changes(self, base: dict) -> dict:
        """`base`, the preset's changes common to all arms, with this arm's own."""
        own = {"plan": self.plan, "linear": layout(PLANS[self.plan])}
        return {**base, **own, **({} if self.delta else {"delta_width": 0})}


BASE = Arm("128/96/96", 1)
"""The paper's choice; the other splits are compared with it."""

WITHOUT_DELTA = Arm("128/96/96 without Δ", 1, delta=False)
"""What the Δ-networks are compared with."""

ARMS = (BASE, WITHOUT_DELTA, Arm("96/128/96", 2), Arm("96/96/128", 3), Arm("107/107/106", 4))


def chosen(names: Sequence[str] | None) -> tuple[Arm, ...]:
    """The arms with these names or slugs; all if none are given; `ConfigError` lists those there are."""
    if names is None:
        return ARMS
    known = {arm.name: arm for arm in ARMS} | {arm.slug: arm for arm in ARMS}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"no arm {', '.join(unknown)}; there are {', '.join(arm.slug for arm in ARMS)}")
    return tuple(known[name] for name in names)


def layout(plan: LevelPlan) -> LinearPath:
    """The layered KLT of a three-level plan: the same 192 components at the same steps, whatever the widths.

    The first ¾ of the coarse block's channels hold that many components coarsely. The intermediate block refines the first
    5/12 of its width and fills the rest with the last components, which cost least. The fine block takes those between. For
    128/96/96 this is `lite`'s own layout. `ValueError` if a component would have no place.

    >>> [block.spans for block in layout(PLANS[1]).blocks]
    [((0, 96),), ((0, 40), (136, 192)), ((40, 136),)]
    """
    coarse, intermediate, fine = (level.width for level in plan)
    first = 5 * intermediate // 12
    last = COMPONENTS - (intermediate - first)
    if last - first > fine or 3 * coarse // 4 > COMPONENTS:
        raise ValueError(f"{COMPONENTS} components do not fit blocks of {coarse}, {intermediate} and {fine} channels")
    spans = (((0, 3 * coarse // 4),), ((0, first), (last, COMPONENTS)), ((first, last),))
    return LinearPath(tuple(LinearBlock(span, step) for span, step in zip(spans, STEPS, strict=True)))


def run(config: TrainConfig, arms: Sequence[Arm], seeds: Sequence[int], out: Path, *, photos: int = 96,
        minutes: float | None = None, command: str = "") -> dict[str, Any]:  # fmt: skip
    """Train and measure what `out` does not hold yet, seed by seed; returns the results, which also stand in `out`.

    Raises `ConfigError` if `out` holds results of another setting: arms are only compared at equal budget.
    """
    from hiercodec.evaluation.photos.dataset import load_photos
    from hiercodec.training.codec.task import judge_of

    if not config.classifiers:
        raise ConfigError(f"{config.name}: an ablation needs a classifier")
    results = _begin(out, config, photos, command)
    evaluator = judge_of(config, config.accelerator)
    results["environment"] |= {"classifier": f"{evaluator.classifier.name} {evaluator.classifier.weights_id}"}
    data = load_photos(config.photos, limit=config.limit, how=config.labels)
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
            results["runs"].append(_one(config, arm, seed, data, held_out, evaluator))
            results["summary"] = summary(results["runs"])
            write_json(out, results)
    return results


def _one(
    config: TrainConfig, arm: Arm, seed: int, data: Photos, held_out: Photos, evaluator: Evaluator
) -> dict[str, Any]:
    """Train one arm with one seed and measure it."""
    from hiercodec import models
    from hiercodec.training.codec.step import codec_trainer

    own = dataclasses.replace(config, name=f"{arm.slug}-seed{seed}", out=str(Path(config.out) / config.name), seed=seed,
                              changes=arm.changes(config.changes))  # fmt: skip
    started = time.monotonic()
    path = codec_trainer(own, resume=True, photos=data).run()
    codec = models.load(path, device=own.accelerator)
    return {
        "arm": arm.name,
        "seed": seed,
        "parameters": sum(p.numel() for p in codec.network.parameters()),
        "seconds": round(time.monotonic() - started),
        "points": measure(codec, held_out, evaluator),
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


def measure(codec: EmbeddedCodec, photos: Photos, evaluator: Evaluator) -> list[dict[str, Any]]:
    """Points of the codec's curve, two a block (half of its bytes, all of them): plain data, shortest prefix first.

    Each has `level`, `share` of the level's block, `bpp` (file bytes, header and z included) and `psnr` (dB), means over
    the photographs; `agreement`, one a level: how often the likeliest group is right; and `wup`, the mean Wu-Palmer
    similarity (NLTK's) of the likeliest class and the right one. Right is the label, where there is none the
    classifier's own answer on the original.
    """
    peer = HierPeer(codec, halved_blocks)
    table = tables(gather(photos, [peer], [evaluator], crop=SIDE), evaluator.classifier.name)[peer.name]
    points = []
    for level in codec.plan.names:
        for share in (0.5, 1.0):
            at = table.settings.index(f"{level} {100 * share:.0f} %")
            hits = {name: table.measure(right(name))[:, at] for name in table.levels}
            points.append(
                {
                    "level": level,
                    "share": share,
                    "bpp": round(float(table.bpp[:, at].mean()), 5),
                    "psnr": round(float(table.psnr[:, at].mean()), 4),
                    "agreement": {name: round(float(row.mean()), 5) for name, row in hits.items()},
                    "wup": round(float(table.wup[:, at].mean()), 5),
                }
            )
    return points


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its 95 % Student t-interval; `low` and `high` are None for a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to what they are good for."""
        return {
            "mean": round(self.mean, 5),
            "low": None if self.low is None else round(self.low, 5),
            "high": None if self.high is None else round(self.high, 5),
            "seeds": self.n,
        }


def over_seeds(values: Sequence[float], *, share: bool = False) -> Estimate:
    """The mean of one value a seed, with its 95 % Student t-interval; that of a `share` stays within 0…1.

    >>> over_seeds([1.0, 2.0, 3.0]).to_json()
    {'mean': 2.0, 'low': -0.48414, 'high': 4.48414, 'seeds': 3}
    """
    x = np.asarray(values, float)
    if not len(x):
        raise ValueError("no values")
    if len(x) == 1:
        return Estimate(float(x[0]), None, None, 1)
    half = student.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    low, high = np.clip([x.mean() - half, x.mean() + half], *((0, 1) if share else (-np.inf, np.inf))).tolist()
    return Estimate(float(x.mean()), low, high, len(x))


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What `runs` (rows with arm, seed, points) say together, as plain data.

    `arms`: figures at the end of every level, means over seeds with intervals. `comparisons`: Bjøntegaard deltas of the
    Δ-networks against none and of every split against the paper's, paired by seed (same photographs in the same order);
    BD-rate is of PSNR, `fine_agreement` and `wup` are mean differences at equal rate.
    """
    by_arm: dict[str, dict[int, list[dict]]] = {}
    for row in runs:
        by_arm.setdefault(row["arm"], {})[row["seed"]] = row["points"]
    arms = [{"arm": arm, "seeds": len(seeds), "levels": _levels(list(seeds.values()))} for arm, seeds in by_arm.items()]
    pairs = [(BASE.name, WITHOUT_DELTA.name)]
    pairs += [(arm, BASE.name) for arm in by_arm if arm not in (BASE.name, WITHOUT_DELTA.name)]
    comparisons = []
    for arm, against in pairs:
        ours, theirs = by_arm.get(arm, {}), by_arm.get(against, {})
        if common := sorted(set(ours) & set(theirs)):
            comparisons.append({"arm": arm, "against": against, **_compare([(theirs[s], ours[s]) for s in common])})
    return {"interval": "95 % Student t over seeds", "arms": arms, "comparisons": comparisons}


def _levels(curves: list[list[dict]]) -> dict[str, Any]:
    """Per level: bpp, PSNR, agreement at that level and WUP where its block ends."""
    out = {}
    for at, point in enumerate(curves[0]):
        if point["share"] == 1.0:
            rows = [curve[at] for curve in curves]
            level = point["level"]
            figures = {key: over_seeds([row[key] for row in rows]).to_json() for key in ("bpp", "psnr")}
            figures["wup"] = over_seeds([row["wup"] for row in rows], share=True).to_json()
            figures["agreement"] = over_seeds([row["agreement"][level] for row in rows], share=True).to_json()
            out[level] = figures
    return out


def _compare(pairs: list[tuple[list[dict], list[dict]]]) -> dict[str, Any]:
    """Deltas from the first to the second curve of every pair, over seeds."""
    fine = list(pairs[0][0][0]["agreement"])[-1]

    def delta(kind, quality) -> dict[str, Any]:
        rows = [
            kind([p["bpp"] for p in a], [quality(p) for p in a], [p["bpp"] for p in b], [quality(p) for p in b])
            for a, b in pairs
        ]
        return over_seeds(rows).to_json()

    return {
        "bd_rate_percent": delta(bd_rate, lambda p: p["psnr"]),
        "bd_psnr": delta(bd_quality, lambda p: p["psnr"]),
        "fine_agreement": delta(bd_quality, lambda p: p["agreement"][fine]),
        "wup": delta(bd_quality, lambda p: p["wup"]),
    }

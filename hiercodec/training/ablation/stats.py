"""Statistics of ablations: Bjøntegaard deltas paired by seed, and intervals over seeds. Pure functions of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from hiercodec.evaluation.metrics import bd_quality, bd_rate
from hiercodec.training.ablation.arms import BASE, WITHOUT_DELTA


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

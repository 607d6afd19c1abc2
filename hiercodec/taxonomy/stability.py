"""How stable hierarchies are: do groups survive another seed or another CLIP model, and what does the consensus gain?

Three disjoint sets of k-means seeds keep the question honest: *voters* form the consensus, *judges* are runs that neither
the consensus nor the shipped hierarchies have seen; all agreement is measured on judges.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiercodec.taxonomy.cluster import kmeans
from hiercodec.taxonomy.consensus import consensus
from hiercodec.taxonomy.embeddings import Embedding
from hiercodec.taxonomy.measures import ami, ari, company_kept
from hiercodec.taxonomy.paths import ASSETS, read_asset

STABILITY_FILE = ASSETS / "taxonomy" / "stability.json"
STABILITY_COMMAND = "python -m tools.assets taxonomy stability --embeddings DIR"
KS = (10, 100)
VOTER_SEEDS, JUDGE_SEEDS = tuple(range(1000, 1020)), tuple(range(2000, 2008))
VOTER_STARTS, JUDGE_STARTS = 3, 10
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One k-means run of one embedding."""

    model: str
    seed: int
    groups: np.ndarray


Runs = dict[int, list[Run]]  # K → runs


def single_runs(
    embeddings: Mapping[str, Embedding], ks: Sequence[int], seeds: Sequence[int], *, n_init: int, jobs: int = 1
) -> Runs:
    """Independent k-means runs: every embedding with every seed at every K, on `jobs` cores (the result is the same)."""
    from joblib import Parallel, delayed

    plan = [(k, model, seed) for k in ks for model in embeddings for seed in seeds]
    work = (delayed(kmeans)(embeddings[model].vectors, k, seed=seed, n_init=n_init) for k, model, seed in plan)
    runs: Runs = {k: [] for k in ks}
    made: Any = Parallel(n_jobs=jobs)(work)
    for (k, model, seed), groups in zip(plan, made, strict=True):
        runs[k].append(Run(model, seed, groups))
    return runs


def consensus_of(
    voters: Runs, *, models: Sequence[str] | None = None, seeds: Sequence[int] | None = None
) -> list[np.ndarray]:
    """The consensus tree of the voters, or of those of some models or seeds; coarse first."""
    chosen = {
        k: [r.groups for r in runs if (models is None or r.model in models) and (seeds is None or r.seed in seeds)]
        for k, runs in voters.items()
    }
    return consensus(chosen)


def report(
    voters: Runs,
    judges: Runs,
    tree: Sequence[np.ndarray],
    *,
    references: Mapping[str, Sequence[np.ndarray]] | None = None,
) -> dict[str, Any]:
    """Everything the stability page and command show, as plain JSON values; `tree` is the consensus, coarse first.

    `references` are other hierarchies (name → one grouping a K, coarse first) to compare the judges and the tree with.
    """
    ks = sorted(judges)
    models = list(dict.fromkeys(run.model for run in judges[ks[0]]))
    others = {
        model: consensus_of(voters, models=[m for m in models if m != model]) for model in models if len(models) > 2
    }
    seeds = sorted({run.seed for run in voters[ks[0]]})
    thirds = [consensus_of(voters, seeds=seeds[part::3]) for part in range(3)] if len(seeds) >= 6 else []
    levels = {}
    for i, k in enumerate(ks):
        named = {name: groupings[i] for name, groupings in (references or {}).items() if i < len(groupings)}
        levels[str(k)] = {
            **_level(judges[k], tree[i], models, named),
            "left_out": _left_out({m: trees[i] for m, trees in others.items()}, judges[k]),
            "repeat": _repeat([trees[i] for trees in thirds]),
        }
    return {
        "models": models,
        "voters": _spec(voters, VOTER_STARTS),
        "judges": _spec(judges, JUDGE_STARTS),
        "resamples": RESAMPLES,
        "levels": levels,
    }


def load_stability() -> dict[str, Any]:
    """The shipped report."""
    return read_asset(STABILITY_FILE, "the stability report", STABILITY_COMMAND)


def interval(values: np.ndarray) -> list[float]:
    """2.5th and 97.5th percentile of bootstrap values, rounded."""
    return [round(float(v), 4) for v in np.percentile(values, (2.5, 97.5))]


def _spec(runs: Runs, n_init: int) -> dict[str, Any]:
    seeds = sorted({run.seed for run in next(iter(runs.values()))})
    return {"seeds": seeds, "n_init": n_init}


def _level(
    judges: Sequence[Run], tree: np.ndarray, models: Sequence[str], references: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    groups = [run.groups for run in judges]
    among, information = np.eye(len(groups)), np.eye(len(groups))
    for i, j in itertools.combinations(range(len(groups)), 2):
        among[i, j] = among[j, i] = ari(groups[i], groups[j])
        information[i, j] = information[j, i] = ami(groups[i], groups[j])
    with_tree = np.array([ari(tree, g) for g in groups])
    of_model = np.array([models.index(run.model) for run in judges])
    return {
        "runs": [[run.model, run.seed] for run in judges],
        "ari": _rounded(among),
        "ami": _rounded(information),
        "consensus": _rounded(with_tree),
        "consensus_ami": _rounded(np.array([ami(tree, g) for g in groups])),
        "summary": _summary(among, with_tree, of_model),
        "references": {
            name: {"judges": _rounded(np.array([ari(ref, g) for g in groups])), "consensus": round(ari(ref, tree), 4)}
            for name, ref in references.items()
        },
        "stability": {
            "all": _rounded(company_kept(groups), 3),
            **{m: _rounded(company_kept([r.groups for r in judges if r.model == m]), 3) for m in models},
        },
        "chance": round(float(np.mean([_chance(g) for g in groups])), 4),
    }


def _summary(among: np.ndarray, with_tree: np.ndarray, of_model: np.ndarray) -> dict[str, Any]:
    """Mean ARI and 95 % bootstrap intervals over seeds, resampled inside each model; a run never meets itself."""
    rng = np.random.default_rng(0)
    plain = _means(among, with_tree, of_model, np.arange(len(of_model)))
    positions = [np.flatnonzero(of_model == m) for m in range(of_model.max() + 1)]
    drawn = [
        _means(among, with_tree, of_model, np.concatenate([rng.choice(p, len(p)) for p in positions]))
        for _ in range(RESAMPLES)
    ]
    return {
        key: {"mean": round(value, 4), "interval": interval(np.array([d[key] for d in drawn]))}
        for key, value in plain.items()
    }


def _means(among: np.ndarray, with_tree: np.ndarray, of_model: np.ndarray, draw: np.ndarray) -> dict[str, float]:
    pair = among[np.ix_(draw, draw)]
    different = draw[:, None] != draw[None, :]
    same_model = of_model[draw][:, None] == of_model[draw][None, :]
    singles = float(pair[different].mean())
    tree = float(with_tree[draw].mean())
    return {
        "same model, other seed": float(pair[different & same_model].mean()),
        "other model": float(pair[~same_model].mean()) if (~same_model).any() else float("nan"),
        "all single runs": singles,
        "consensus": tree,
        "gain": tree - singles,
    }


def _left_out(trees: Mapping[str, np.ndarray], judges: Sequence[Run]) -> dict[str, Any]:
    """For each model: runs of it against the consensus that never saw it, and against single runs of other models."""
    found = {}
    for model, tree in trees.items():
        mine = [r.groups for r in judges if r.model == model]
        theirs = [r.groups for r in judges if r.model != model]
        found[model] = {
            "consensus": round(float(np.mean([ari(tree, g) for g in mine])), 4),
            "singles": round(float(np.mean([ari(a, b) for a in mine for b in theirs])), 4),
        }
    return found


def _repeat(trees: Sequence[np.ndarray]) -> dict[str, Any]:
    """Agreement among consensus trees made from disjoint thirds of the voters' seeds."""
    if len(trees) < 2:
        return {}
    values = np.array([ari(a, b) for a, b in itertools.combinations(trees, 2)])
    return {"mean": round(float(values.mean()), 4), "values": _rounded(values)}


def _chance(groups: np.ndarray) -> float:
    """Mean chance that a companion is met again when the other run is random with these sizes."""
    sizes = np.bincount(groups)
    return float((sizes * (sizes - 1)).sum() / (len(groups) * (len(groups) - 1)))


def _rounded(values: np.ndarray, digits: int = 4) -> list[Any]:
    """JSON numbers; NaN becomes null."""
    if values.ndim > 1:
        return [_rounded(row, digits) for row in values]
    return [None if np.isnan(v) else round(float(v), digits) for v in values]


def fragile(level: dict[str, Any], count: int, model: str = "all") -> list[tuple[int, float]]:
    """The classes that keep their company least, as (index, stability), most fragile first; ties by index."""
    values = level["stability"][model]
    return sorted(((i, v) for i, v in enumerate(values) if v is not None), key=lambda row: (row[1], row[0]))[:count]


def dump(result: dict[str, Any]) -> str:
    """The report's JSON text, one entry of a level a line."""
    parts = []
    for k, level in result["levels"].items():
        rows = ",\n    ".join(f"{json.dumps(n)}: {json.dumps(v, sort_keys=True)}" for n, v in level.items())
        parts.append(f'  "{k}": {{\n    {rows}\n  }}')
    head = {key: value for key, value in result.items() if key != "levels"}
    return (
        f'{json.dumps(head, sort_keys=True, ensure_ascii=False)[:-1]},\n"levels": {{\n' + ",\n".join(parts) + "\n}}\n"
    )

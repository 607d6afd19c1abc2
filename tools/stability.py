"""The consensus of many clusterings as a hierarchy, and how stable it is beside single runs.

    embeddings ──► k-means voters ──► consensus ──(WordNet's vote)──► consensus-mended
               └─► k-means judges + consensus ──► stability.json

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

from hiercodec.taxonomy import build
from hiercodec.taxonomy.cluster import kmeans
from hiercodec.taxonomy.embeddings import Embedding
from hiercodec.taxonomy.hierarchy import Hierarchy
from hiercodec.taxonomy.measures import ami, ari
from hiercodec.taxonomy.shipped import RESAMPLES, interval
from hiercodec.taxonomy.similarity import wup_matrix
from tools.consensus import Kinship, coassociation, consensus, mend

KS = (10, 100)
VOTER_SEEDS, JUDGE_SEEDS = tuple(range(1000, 1020)), tuple(range(2000, 2008))
VOTER_STARTS, JUDGE_STARTS = 3, 10
MENDING = 3.0
"""Weight of WUP in the mended consensus: the smallest whole one at which under 2 % of the classes are odd at K = 10.

At 0, 1, 2, 3, 5, 8: odd 5.4, 4.7, 3.0, 1.7, 1.1, 0.9 % at K = 10 and 19.2, 17.0, 12.9, 7.0, 4.8, 2.2 % at K = 100; mean ARI
to the judges of `stability` .567, .598, .591, .583, .575, .562 and .414, .415, .414, .394, .384, .358 (single runs among
themselves: .496, .334).
"""


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


def consensus_hierarchy(
    voters: Runs,
    embeddings: Mapping[str, Embedding],
    *,
    name: str = "consensus",
    kinship: float = 0.0,
) -> Hierarchy:
    """The tree that agrees best with all voters; with `kinship` > 0, mended by WUP at that weight (see `MENDING`)."""
    seeds = sorted({run.seed for run in next(iter(voters.values()))})
    count = len(next(iter(voters.values())))
    tree = consensus_of(voters)
    description = f"A tree that agrees best with {count} k-means runs of {len(embeddings)} CLIP text embeddings"
    method = "co-association, Ward tree, moves that raise the mean ARI to the runs; finer levels inside coarser"
    if kinship:
        tree = mended(tree, voters, kinship)
        description += ", mended where WordNet disagrees and the embeddings hardly care"
        method += f"; then moves that raise the mean ARI plus {kinship:g} / n x the mean WUP to the group"
    return build.named_hierarchy(
        name,
        tree,
        similarity=np.mean([e.similarity for e in embeddings.values()], 0),
        description=f"{description}.",
        provenance={
            "method": method,
            "k": sorted(voters),
            "voters": {"seeds": seeds, "n_init": VOTER_STARTS, "embeddings": list(embeddings)},
            "embeddings": {n: e.provenance for n, e in embeddings.items()},
            "tools": build.tools(),
        },
    )


def mended(tree: Sequence[np.ndarray], voters: Runs, weight: float = MENDING) -> list[np.ndarray]:
    """A consensus tree of the 1000 classes after `consensus.mend` with Wu-Palmer similarity (mean of both directions)."""
    wup = wup_matrix()
    runs = {k: [run.groups for run in voters[k]] for k in voters}
    return mend(tree, runs, Kinship((wup + wup.T) / 2, weight))


def measured(
    found: Mapping[str, Embedding], voters: Runs, references: Mapping[str, Any], *, jobs: int
) -> dict[str, Any]:
    """The stability report of embeddings (name → embedding); `voters` are single runs of them."""
    judges = single_runs(found, KS, JUDGE_SEEDS, n_init=JUDGE_STARTS, jobs=jobs)
    tree = consensus_of(voters)
    others = {**references, "consensus-mended": mended(tree, voters)}
    result = report(voters, judges, tree, references=others)
    return {**result, "provenance": {"embeddings": {n: e.provenance for n, e in found.items()}, "tools": build.tools()}}


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


def company_kept(runs: Sequence[np.ndarray]) -> np.ndarray:
    """Stability of every class, float64[n] in 0…1: take a companion of the class in one run; how likely is it still its
    companion in another run? NaN for a class that is alone in every run. Needs two runs or more."""
    count = len(runs)
    together = coassociation(runs)
    np.fill_diagonal(together, 0)
    both = (together * (count * together - 1)).sum(1) / (count - 1)  # ordered pairs of different runs
    once = together.sum(1)
    return np.divide(both, once, out=np.full(len(once), np.nan), where=once > 0)


def _chance(groups: np.ndarray) -> float:
    """Mean chance that a companion is met again when the other run is random with these sizes."""
    sizes = np.bincount(groups)
    return float((sizes * (sizes - 1)).sum() / (len(groups) * (len(groups) - 1)))


def _rounded(values: np.ndarray, digits: int = 4) -> list[Any]:
    """JSON numbers; NaN becomes null."""
    if values.ndim > 1:
        return [_rounded(row, digits) for row in values]
    return [None if np.isnan(v) else round(float(v), digits) for v in values]


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

"""Rows and sentences of the Robustness page, from the stability report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hiercodec import taxonomy
from hiercodec.taxonomy.layouts import Layout
from hiercodec.taxonomy.stability import RESAMPLES, interval
from hiercodec.ui.taxonomy import honest, shared

ORDER = {
    "other model": "two runs of different models",
    "same model, other seed": "two runs of one model",
    "all single runs": "two runs, any models",
    "consensus": "the consensus and a run",
}
MENDED_ROW = "the mended consensus and a run"


def gain_rows(level: dict[str, Any]) -> list[tuple[str, float, float, float]]:
    """(what is compared, mean ARI, low, high)."""
    found = level["summary"]
    rows = [(text, found[key]["mean"], *found[key]["interval"]) for key, text in ORDER.items() if key in found]
    mended = level["references"].get(honest.MENDED)
    return rows + ([(MENDED_ROW, *over_seeds(mended["judges"], level["runs"]))] if mended else [])


def over_seeds(values: Sequence[float], runs: Sequence[Sequence[Any]]) -> tuple[float, float, float]:
    """Mean of one value a run and its 95 % bootstrap interval over seeds, drawn inside each model, as in `stability`."""
    rng = np.random.default_rng(0)
    models = np.array([model for model, _ in runs])
    strata = [np.array(values)[models == model] for model in dict.fromkeys(models)]
    drawn = np.concatenate([rng.choice(rows, (RESAMPLES, len(rows))) for rows in strata], 1).mean(1)
    low, high = interval(drawn)
    return float(np.mean(values)), low, high


def interval_table(rows: Sequence[tuple[str, float, float, float]]) -> list[dict[str, Any]]:
    """The same as rows of a table."""
    return [{"between": name, "mean ARI": mean, "low": low, "high": high} for name, mean, low, high in rows]


def left_out_rows(level: dict[str, Any]) -> list[tuple[str, float, float]]:
    """(model, mean ARI of the others' single runs with its runs, of the others' consensus with its runs)."""
    return [(shared.model_title(m), v["singles"], v["consensus"]) for m, v in level["left_out"].items()]


def left_out_table(rows: Sequence[tuple[str, float, float]], names: tuple[str, str]) -> list[dict[str, Any]]:
    """The same as rows of a table."""
    return [{"model left out": model, names[0]: a, names[1]: b} for model, a, b in rows]


def conclusion(level: dict[str, Any], report: dict[str, Any]) -> str:
    """What the reader may conclude, with the figures."""
    s = level["summary"]
    single, tree, gain = (s[key]["mean"] for key in ("all single runs", "consensus", "gain"))
    low, high = s["gain"]["interval"]
    seeds, models = len(report["judges"]["seeds"]), len(report["models"])
    text = (
        f"**What you may conclude.** Two k-means runs at K = {level['k']} agree only "
        f"{'moderately' if single > 0.4 else 'weakly'} (ARI **{single:.2f}**; 1 is the same, 0 is chance), so no single run "
        f"is *the* hierarchy. "
    )
    if low > 0:
        text += (
            f"The consensus agrees with runs it has never seen better than they do with each other: **{tree:.2f}**, "
            f"a gain of {gain:.2f} (95 % interval {low:.2f} to {high:.2f}, over {models} embeddings × {seeds} seeds). "
        )
    else:
        text += f"The consensus ({tree:.2f}) does not agree with unseen runs better than they do with each other. "
    same = s.get("same model, other seed", {}).get("mean")
    if same is not None:
        low, high = s["consensus"]["interval"]
        nearer = "nearer than" if low > same else "less near than" if high < same else "about as near as"
        text += f"That is {nearer} two runs of one and the same model ({same:.2f}). "
    return text + "What stays the same from run to run are the large kinds; at the borders classes change sides."


def repeat_sentence(level: dict[str, Any]) -> str:
    """How well the consensus reproduces itself."""
    if not level["repeat"]:
        return ""
    return (
        f"Made three times from disjoint thirds of the seeds, the consensus agrees with itself at ARI "
        f"**{level['repeat']['mean']:.2f}**; two single runs do at {level['summary']['all single runs']['mean']:.2f}."
    )


def matrix_of(level: dict[str, Any], models: Sequence[str], score: str, *, every: bool) -> tuple[np.ndarray, list[str]]:
    """Agreement of every run, or means over pairs of models (different runs only), with the consensus trees last.

    The report has the ARI of the mended tree only, so AMI shows the plain one alone.
    """
    values = np.array(level[score])
    trees = {honest.PLAIN: np.array(level["consensus" if score == "ari" else "consensus_ami"])}
    if score == "ari" and honest.MENDED in level["references"]:
        trees[honest.MENDED] = np.array(level["references"][honest.MENDED]["judges"])
    between = np.eye(len(trees))
    if len(trees) == 2:
        between[0, 1] = between[1, 0] = level["references"][honest.MENDED]["consensus"]
    columns, titles = np.stack(list(trees.values()), 1), [shared.title(name) for name in trees]
    if every:
        names = [f"{shared.model_title(m)}, seed {seed}" for m, seed in level["runs"]]
        return np.block([[values, columns], [columns.T, between]]), [*names, *titles]
    of = np.array([models.index(m) for m, _ in level["runs"]])
    different = ~np.eye(len(of), dtype=bool)
    size = len(models)
    means = np.full((size + len(trees), size + len(trees)), np.nan)
    means[size:, size:] = np.where(np.eye(len(trees), dtype=bool), np.nan, between)
    for i in range(size):
        means[i, size:] = means[size:, i] = columns[of == i].mean(0)
        for j in range(size):
            means[i, j] = values[(of == i)[:, None] & (of == j)[None, :] & different].mean()
    return means, [*map(shared.model_title, models), *titles]


def matrix_table(values: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """The matrix as rows."""
    return [
        {"": name, **{other: None if np.isnan(v) else round(float(v), 3) for other, v in zip(names, row, strict=True)}}
        for name, row in zip(names, values, strict=True)
    ]


def paper_sentence(level: dict[str, Any]) -> str | None:
    """How near the authors' published clusters are, where they were compared."""
    paper = level["references"].get("paper")
    if paper is None:
        return None
    return (
        f"The authors' published clusters agree with these runs at ARI **{np.mean(paper['judges']):.2f}** and with the "
        f"consensus at **{paper['consensus']:.2f}**."
    )


def histogram_of(values: Sequence[float | None], chance: float) -> tuple[np.ndarray, dict[str, float]]:
    """Known values, and the lines to draw."""
    known = np.array([v for v in values if v is not None])
    return known, {"chance": chance, "median": float(np.median(known))}


def quartiles(known: np.ndarray) -> str:
    """ "0.45 and 0.70"."""
    low, high = np.percentile(known, (25, 75))
    return f"{low:.2f} and {high:.2f}"


def class_rows(values: Sequence[float | None], k: int, find: str | None) -> list[dict[str, Any]]:
    """Classes with their stability and where the consensus puts them, the most fragile first."""
    trees = {shared.title(name): shared.shipped(name) for name in (honest.PLAIN, honest.MENDED)}
    levels = {name: next((lv for lv in tree.levels if lv.k == k), tree.levels[0]) for name, tree in trees.items()}
    chosen = [c.index for c in taxonomy.search(find, limit=100)] if find else range(len(values))
    rows = [
        {
            "class": taxonomy.classes()[i].name,
            "company kept": values[i],
            **{f"in {name}": level.labels[level.assignment[i]] for name, level in levels.items()},
            "wnid": taxonomy.classes()[i].wnid,
        }
        for i in chosen
        if values[i] is not None
    ]
    return sorted(rows, key=lambda row: (row["company kept"], row["wnid"]))


def hover(values: Sequence[float | None], places: Layout) -> list[str]:
    """Name, stability and nearest classes of every class."""
    classes = taxonomy.classes()
    return [
        f"<b>{c.name}</b><br>company kept {'unknown' if v is None else f'{v:.2f}'}<br>"
        f"nearest: {', '.join(classes[j].name for j in places.nearest[c.index])}"
        for c, v in zip(classes, values, strict=True)
    ]


def provenance(report: dict[str, Any]) -> dict[str, Any]:
    """What the footer says."""
    tools = report.get("provenance", {}).get("tools", {})
    return {
        "judges": f"{len(report['models'])} embeddings × {len(report['judges']['seeds'])} seeds, "
        f"{report['judges']['n_init']} starts",
        "consensus": f"from {len(report['voters']['seeds'])} other seeds of each",
        "bootstrap": f"{report['resamples']} resamples of the seeds",
        "scikit-learn": tools.get("scikit-learn"),
    }

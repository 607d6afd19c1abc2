"""Do the groups survive another CLIP model or another seed, and what does the consensus gain? From the stability report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from hiercodec import taxonomy
from hiercodec.figures import agreement as figures
from hiercodec.taxonomy.hierarchy_file import DEFAULT
from hiercodec.taxonomy.shipped import RESAMPLES, interval
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared

ORDER = {
    "other model": "two runs of different models",
    "same model, other seed": "two runs of one model",
    "all single runs": "two runs, any models",
    "consensus": "the consensus and a run",
}
MENDED_ROW = "the mended consensus and a run"
BETWEEN = ("between", "mean ARI", "low", "high")


def draw() -> None:
    """What may be concluded, agreement of runs and of the consensus with them, and the classes that change company."""
    report = shared.stability()
    chosen = st.segmented_control(
        "Groups (K)", list(report["levels"]), default="10", required=True, key="groups", bind="query-params"
    )
    level = {**report["levels"][chosen], "k": int(chosen)}
    st.markdown(
        "k-means starts from random points, and every CLIP model reads a name in its own way. If the groups were an "
        "accident of either, another seed or model would give others."
    )
    st.markdown(f"{conclusion(level, report)} {repeat_sentence(level)}")
    left, right = st.columns(2, gap="large")
    with left:
        rows = gain_rows(level)
        fig = figures.intervals(rows, x="ARI: mean, 95 % interval", mode=chrome.mode())
        alt = ", ".join(f"{name} {mean:.3f}" for name, mean, _, _ in rows)
        chrome.chart(fig, key="gains", alt=alt, table=lambda: pd.DataFrame(rows, columns=BETWEEN))
        st.markdown(left_out_sentence(level))
    with right:
        values, names = matrix_of(level, report["models"])
        fig = figures.agreement_map(values, names, title="ARI", mode=chrome.mode())
        alt = "Mean ARI between models; the diagonal compares seeds of one model"
        chrome.chart(
            fig, key="matrix", alt=alt, table=lambda: pd.DataFrame(values.round(3), names, names).reset_index(names="")
        )
        st.caption(
            "The diagonal between models compares different seeds of one model; the consensus is made from other seeds "
            f"than those shown. {paper_sentence(level)}"
        )
    st.markdown(
        f"**Plain or mended?** {shared.title(shared.MENDED)} moves a class where WordNet disagrees and the embeddings "
        "hardly care: how stable it is stands above, how many odd members it has in “CLIP against WordNet”. How far to "
        "mend was chosen by odd members too, and nobody was asked what the groups mean to them. The app opens with "
        f"{shared.title(DEFAULT)}."
    )
    st.header("Classes that change company, the most fragile first", anchor=False)
    st.caption(
        "Take a companion of a class in one run: how likely is it still its companion in another run? 1 is always, "
        f"{level['chance']:.2f} is what random groups of these sizes give."
    )
    st.dataframe(class_rows(level["stability"]["all"], level["k"]), hide_index=True, width="stretch", height=380)
    chrome.footer(provenance(report))


def gain_rows(level: dict[str, Any]) -> list[tuple[str, float, float, float]]:
    """(what is compared, mean ARI, low, high)."""
    found = level["summary"]
    rows = [(text, found[key]["mean"], *found[key]["interval"]) for key, text in ORDER.items() if key in found]
    mended = level["references"].get(shared.MENDED)
    return rows + ([(MENDED_ROW, *over_seeds(mended["judges"], level["runs"]))] if mended else [])


def over_seeds(values: Sequence[float], runs: Sequence[Sequence[Any]]) -> tuple[float, float, float]:
    """Mean of one value a run and its 95 % bootstrap interval over seeds, drawn inside each model, as in `stability`."""
    rng = np.random.default_rng(0)
    models = np.array([model for model, _ in runs])
    strata = [np.array(values)[models == model] for model in dict.fromkeys(models)]
    drawn = np.concatenate([rng.choice(rows, (RESAMPLES, len(rows))) for rows in strata], 1).mean(1)
    low, high = interval(drawn)
    return float(np.mean(values)), low, high


def left_out_sentence(level: dict[str, Any]) -> str:
    """Whether a consensus of the other models is nearer to a model it never saw than their single runs are."""
    found = level["left_out"]
    if not found:
        return ""
    better = sum(row["consensus"] > row["singles"] for row in found.values())
    single, tree = (np.mean([row[key] for row in found.values()]) for key in ("singles", "consensus"))
    return (
        f"**A model the consensus never saw.** Each of {len(found)} models in turn is left out. The consensus of the others "
        f"agrees with its runs better than their single runs do for **{better}** of them: on average ARI {tree:.2f} against "
        f"{single:.2f}."
    )


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


def matrix_of(level: dict[str, Any], models: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Mean ARI over pairs of different runs of two models, with the consensus trees last."""
    values = np.array(level["ari"])
    trees = {shared.PLAIN: np.array(level["consensus"])}
    if shared.MENDED in level["references"]:
        trees[shared.MENDED] = np.array(level["references"][shared.MENDED]["judges"])
    of = np.array([models.index(m) for m, _ in level["runs"]])
    different = ~np.eye(len(of), dtype=bool)
    size = len(models)
    means = np.full((size + len(trees), size + len(trees)), np.nan)
    if len(trees) == 2:
        means[-1, -2] = means[-2, -1] = level["references"][shared.MENDED]["consensus"]
    for i in range(size):
        for at, column in enumerate(trees.values(), start=size):
            means[i, at] = means[at, i] = column[of == i].mean()
        for j in range(size):
            means[i, j] = values[(of == i)[:, None] & (of == j)[None, :] & different].mean()
    return means, [*map(shared.model_title, models), *map(shared.title, trees)]


def paper_sentence(level: dict[str, Any]) -> str:
    """How near the authors' published clusters are; empty where they were not compared."""
    paper = level["references"].get("paper")
    if paper is None:
        return ""
    return (
        f"The authors' published clusters agree with these runs at ARI **{np.mean(paper['judges']):.2f}** and with the "
        f"consensus at **{paper['consensus']:.2f}**."
    )


def class_rows(values: Sequence[float | None], k: int) -> list[dict[str, Any]]:
    """Classes with their stability and where the consensus puts them, the most fragile first."""
    trees = {shared.title(name): shared.get(name) for name in (shared.PLAIN, shared.MENDED)}
    levels = {name: next((lv for lv in tree.levels if lv.k == k), tree.levels[0]) for name, tree in trees.items()}
    rows = [
        {
            "class": c.name,
            "company kept": value,
            **{f"in {name}": level.labels[level.assignment[c.index]] for name, level in levels.items()},
            "wnid": c.wnid,
        }
        for c, value in zip(taxonomy.classes(), values, strict=True)
        if value is not None
    ]
    return sorted(rows, key=lambda row: (row["company kept"], row["wnid"]))


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

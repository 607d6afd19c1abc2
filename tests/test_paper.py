"""docs/paper.md says what cards, shipped rows, reports and the code say: its tables are made anew here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.bjontegaard import at_equal_rate
from hiercodec.evaluation.results.table import right, tables
from hiercodec.fsio import CONFIGS, locate
from hiercodec.levels import PAPER_PLAN
from hiercodec.models import PRESETS
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.shipped import load_stability
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.taxonomy.table import PUBLISHED, golden_rows, groupings_of, level_rows
from hiercodec.training.codec.loss import LossWeights
from hiercodec.training.config import read_values

PAGE = Path(__file__).resolve().parents[1] / "docs" / "paper.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


def said(words: str) -> bool:
    """Whether the page says this, wherever its lines break."""
    return " ".join(words.split()) in TEXT


def listed(values) -> str:
    return ", ".join(f"{value:g}" for value in values)


def signed(values, digits: int, scale: float = 1.0) -> str:
    """A mean and its interval as the page writes them."""
    mean, low, high = (f"{scale * value:+.{digits}f}".replace("-", "−") for value in values)
    return f"{mean} [{low}, {high}]"


def card() -> dict:
    return json.loads(locate("models", "lite.json").read_text(encoding="utf-8"))


def test_the_architecture_is_the_one_that_the_page_names():
    widths = [level.width for level in PAPER_PLAN]
    assert said(f"{widths[0]}, {widths[1]} and {widths[2]} of M = {PAPER_PLAN.channels}")
    assert said(f"TIC, N = {PRESETS['tic'].n}, M = {PRESETS['tic'].plan.channels}")
    assert said(f"{card()['photos']:,} photographs, MobileNetV2 and V1 in the loss")
    assert [spec.partition("@")[0] for spec in card()["training"]["classifiers"]] == [
        "timm:mobilenetv2_100", "timm:mobilenetv1_100",
    ]  # fmt: skip
    assert card()["training"]["hierarchy"] == "consensus"
    assert said("the shipped `lite`, trained on `consensus`")


def test_the_weights_of_the_loss():
    paper, tic = LossWeights(), read_values(CONFIGS / "tic.toml")["loss"]
    lite = card()["training"]["loss"]
    plain = " | ".join(map(listed, (paper.lmbda, paper.w, paper.gamma, paper.rate)))
    assert said(f"| paper and its code | {plain} | no | no | no |")
    for name, loss in (("`lite`, last stage", lite), ("`tic`, second stage", tic)):
        terms = [listed(loss[key]) for key in ("lmbda", "w", "gamma", "rate")]
        more = [f"{loss['features']:g}", listed(loss["limit"]), "yes" if loss.get("ladder") else "no"]
        assert said(f"| {name} | {' | '.join([*terms, *more])} |")


def test_the_ablations():
    found = json.loads(locate("results", "ablation.json").read_text(encoding="utf-8"))
    theirs = "Δ-networks: −1.401 %"
    for row in found["summary"]["comparisons"]:
        gaps = {key: [row[key][end] for end in ("mean", "low", "high")] for key in row if key not in ("arm", "against")}
        rate, share, wup = (
            signed(gaps["bd_rate_percent"], 2),
            signed(gaps["fine_agreement"], 2, 100),
            signed(gaps["wup"], 3),
        )
        assert said(f"| {row['arm']} | {row['against']} | {rate} | {share} | {wup} | {theirs} |")
        theirs = "128/96/96 is best"
    assert said(
        f"{found['setting']['training']['steps']} steps a run, {found['held_out']['photos']} held-out photographs"
    )
    assert {arm["seeds"] for arm in found["summary"]["arms"]} == {5}


def test_the_groupings_and_their_similarity():
    for name, row in PUBLISHED.items():
        assert said(f"| paper, {name} | {row['k']} | {row['intra']:.3f} | {row['inter']:.3f} | |")
    names = ("clip-b16-flat", "consensus", "consensus-mended", "wordnet")
    for row in level_rows(groupings_of(map(load_hierarchy, names))):
        if row["level"] == "coarse":
            words = {
                "clip-b16-flat": "as the paper makes them", "consensus": "a tree", "consensus-mended": "the default",
                "wordnet": "cut at depth 3",
            }[row["hierarchy"]]  # fmt: skip
            figures = f"{row['k']} | {row['intra']:.3f} | {row['inter']:.3f} | {row['largest']}"
            assert said(f"| `{row['hierarchy']}`, {words} | {figures} |")
    assert said("0.320, 0.769, 0.880")
    assert [round(row["wup"], 3) for row in golden_rows()] == [row["paper"] for row in golden_rows()]
    nltk, eq1 = wup_matrix("nltk"), wup_matrix("eq1")
    pairs = np.triu_indices(len(nltk), 1)
    share = (np.abs(nltk[pairs] - eq1[pairs]) > 1e-6).mean()
    assert said(f"of all pairs of classes {100 * share:.0f} % differ")
    assert said(f"{(np.diag(nltk) < 1 - 1e-6).sum()} classes are less than 1 like themselves")


def test_how_stable_the_clusters_are():
    levels = load_stability()["levels"]
    keys = ("same model, other seed", "other model", "consensus")
    few = [levels["10"]["summary"][key] for key in keys]
    shown = [f"{row['mean']:.3f} [{row['interval'][0]:.3f}, {row['interval'][1]:.3f}]" for row in few]
    assert said(f"same model, other seed {shown[0]}; other model {shown[1]}; each with the consensus {shown[2]}.")
    many = [f"{levels['100']['summary'][key]['mean']:.3f}" for key in keys]
    assert said(f"At 100 groups {many[0]}, {many[1]} and {many[2]}.")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["consensus", "consensus-mended", "clip-b16-flat", "wordnet"])
def test_the_shipped_answers_read_in_other_clusters(name):
    found = rows.read(locate("results", "imagenet-val.parquet")).of(codec=["original", "lite", "avif"], judge="lite0")
    tree = load_hierarchy(name)
    read = tables(found, "lite0", tree)
    levels = [right(level) for level in tree.names[:2]]
    gaps = [signed((d.value, d.low, d.high), 1, 100) for d in at_equal_rate(read["lite"], read["avif"], levels)]
    trained = ", trained on" if name == "consensus" else ""
    assert said(f"| `{name}`{trained} | {gaps[0]} | {gaps[1]} |")
    assert len(read["lite"]) == 1000

"""What a label cannot do: shares with intervals, best guesses, and the experiments on small pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec.classify import label_of_path, read_label
from hiercodec.evaluation.codecs.peers import Labeller
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.fsio import locate
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tools import limits
from tools.limits import Guesses, Lab, Tally, colour, lighter

TREE = load_hierarchy("consensus-mended")


def told_class(index: int):
    return read_label(label_of_path([(int(level.assignment[index]), 1) for level in TREE.levels], TREE, "0" * 64), TREE)


@pytest.fixture(scope="module")
def lab():
    return Lab(FakeCodec(), Labeller(FakeClassifier(), TREE), Evaluator(FakeClassifier(), TREE), (2.0, 6.0))


@pytest.fixture(scope="module")
def photos():
    """Flat pictures of which the fake classifier says class 4 × brightness: a tench, then things of other kinds."""
    shades, labels = (1, 20, 150, 240), (4, 80, 600, 960)
    pixels = [np.full((32, 32, 3), shade, np.uint8) for shade in shades]
    return Photos(pixels, np.array(labels), [f"{i}.png" for i in range(4)])


def test_a_share_has_wilsons_interval_within_0_and_1():
    tally = Tally()
    for right in (True, True, False, True):
        tally.add("who", "what", right=right)
    tally.add("never", right=False)
    rows = tally.shares()
    low, high = wilson(3, 4)
    assert rows[0] == {"name": ["who", "what"], "share": 0.75, "low": round(low, 4), "high": round(high, 4), "n": 4}
    assert (rows[1]["share"], rows[1]["low"]) == (0.0, 0.0)


def test_questions_to_pixels_have_their_answers():
    left = np.hstack([np.full((4, 4, 3), 200, np.uint8), np.full((4, 5, 3), 30, np.uint8)])
    assert (lighter(left), lighter(left[:, ::-1])) == ("left", "right")
    assert colour(np.full((3, 3, 3), (90, 130, 60), np.uint8)) == "green"
    for name, value in limits.COLOURS.items():
        assert colour(np.full((2, 2, 3), value, np.uint8)) == name


def test_the_best_guess_is_the_familys_majority_where_there_are_enough():
    tabby, other_cat, goldfish = told_class(281), told_class(282), told_class(1)
    labels = [tabby] * 5 + [goldfish] * 3
    guesses = Guesses.learn(labels, ["brown"] * 4 + ["grey"] + ["blue"] * 3)
    assert guesses.of(other_cat) == "brown", "of the same family"
    assert guesses.of(goldfish) == "brown", "three are too few, so all count"
    assert Guesses.learn([goldfish] * 5, ["red"] * 5).of(tabby) == "red"


def test_a_label_of_a_list_without_the_family_is_wrong_and_pixels_are_not(lab, photos):
    guesses = limits.learned(photos, lab.labeller)
    absent, asked = limits.one_object(photos, lab, load_hierarchy("wordnet"), guesses)
    rows = {tuple(row["name"]): row for row in absent.shares()}
    assert rows["label", "intermediate"]["share"] == rows["label", "fine"]["share"] == 0.0
    assert rows["6 bpp", "fine"] == {**rows["6 bpp", "fine"], "share": 1.0, "n": 4}
    answers = {tuple(row["name"]): row["share"] for row in asked.shares()}
    assert answers["Which colour fills most of the picture?", "6 bpp"] == 1.0
    groups = load_hierarchy("wordnet").levels[0].assignment
    classes = [read_label(lab.labeller(rgb), TREE).path.winners[-1][0] for rgb in photos.pixels]
    assert answers["Which of 12 groups of wordnet?", "label"] == (groups[classes] == groups[photos.labels]).mean()
    assert answers["Which half is lighter, left or right?", "2 bpp"] == 1.0


class Lossless(Lab):
    """A lab whose pictures arrive as they are."""

    def cuts(self, rgb, label):
        yield "all", rgb


def test_of_two_things_a_label_names_one_and_crops_show_both(lab, photos):
    lossless = Lossless(lab.codec, lab.labeller, lab.viewer, lab.rates)
    rows = {tuple(row["name"]): row for row in limits.pairs(photos, lossless).shares()}
    assert rows["label", "coarse", "both"]["share"] == 0.0
    assert rows["all", "fine", "both"]["share"] == rows["all", "fine", "one of the two"]["share"] == 1.0
    kinds = TREE.levels[0].assignment[photos.labels]
    assert rows["label", "coarse", "both"]["n"] == (kinds[:2] != kinds[2:]).sum() > 0


def test_what_ships_says_how_it_was_made_and_that_labels_fail():
    found = json.loads(locate("results", "label-limits.json").read_text(encoding="utf-8"))
    assert found["command"].startswith("python -m tools.assets limits")
    assert found["provenance"]["hierarchy_digest"] == TREE.digest
    shares = {(name, *row["name"]): row for name in ("absent", "pairs", "questions") for row in found[name]}
    assert shares["pairs", "label", "coarse", "both"]["share"] == 0.0
    light = "Which half is lighter, left or right?"
    assert shares["questions", light, "label"]["high"] < shares["questions", light, "0.1 bpp"]["low"]
    assert {row["id"] for row in found["strangers"]} == {"flower", "astronaut", "horse", "galaxies"}
    assert all(row["low"] <= row["share"] <= row["high"] for row in shares.values())

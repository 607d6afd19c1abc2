"""Stress: what each does to pixels, that it does the same every time, and what stays right."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.stress import CLEAN, STRESSES, split, stressed
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tools.stress import stress_records


@pytest.fixture(scope="module")
def rgb():
    x = np.linspace(40, 200, 64)[None, :, None]
    return (x + np.random.default_rng(0).integers(-30, 30, (48, 64, 3))).astype(np.uint8)


@pytest.mark.parametrize("stress", STRESSES)
def test_every_stress_keeps_shape_and_is_the_same_every_time(rgb, stress):
    found = stressed(rgb, stress)
    assert found.shape == rgb.shape
    assert found.dtype == np.uint8
    assert np.array_equal(found, stressed(rgb, stress))
    assert np.array_equal(found, rgb) == (stress == CLEAN)


def test_stresses_do_what_they_say(rgb):
    assert stressed(rgb, "dark, strong").mean() < 0.2 * rgb.mean()
    hidden = stressed(rgb, "occlusion, strong")
    changed = (hidden != rgb).any(2)
    assert changed.mean() == pytest.approx(0.25, abs=0.02)
    assert changed[24, 32]
    assert (stressed(rgb, "turn, mild")[0, 0] == 128).all(), "corners that nothing fills are grey"
    rough = [
        np.abs(np.diff(stressed(rgb, s).astype(int), axis=1)).mean() for s in (CLEAN, "noise, mild", "noise, strong")
    ]
    assert rough == sorted(rough)
    cropped = stressed(rgb, "crop, strong").astype(int)
    assert cropped[:, 0, 0].mean() > rgb[:, 0, 0].mean() + 25, "the left edge is from further in"


def test_stronger_is_further_from_the_photograph(rgb):
    for kind in {stress.partition(",")[0] for stress in STRESSES} - {CLEAN}:
        mild, strong = (np.abs(stressed(rgb, f"{kind}, {s}").astype(int) - rgb).mean() for s in ("mild", "strong"))
        assert strong > mild, kind


def test_what_is_right_is_right_of_the_clean_photograph(rgb):
    judge = Evaluator(FakeClassifier(), load_hierarchy())
    peers = [HierPeer(FakeCodec(), name="lite")]
    seen = []
    rows = list(
        stress_records("a", rgb, [], peers, [judge], stresses=(CLEAN, "dark, strong"), look=lambda s, x: seen.append(s))
    )
    assert seen == [CLEAN, "dark, strong"]
    originals = {row["photo"]: row for row in rows if row["codec"] == "original"}
    assert all(originals["a@clean"]["right"])
    assert originals["a@dark, strong"]["path"] != originals["a@clean"]["path"]
    assert not originals["a@dark, strong"]["right"][-1], "a dark picture's own answer is not what is right"
    several = list(stress_records("b", rgb, [5, 700], peers, [judge], stresses=(CLEAN,)))
    assert all(row["label"] == 5 for row in several)
    answer = int(originals["a@clean"]["path"][-1])
    (first, *_) = stress_records("c", rgb, [5, answer], peers, [judge], stresses=(CLEAN,))
    assert first["right"][-1], "any of several right classes counts"


def test_names_hold_the_stress():
    assert split("n01@x/cat.jpg@turn, strong") == ("n01@x/cat.jpg", "turn, strong")
    assert split("me@home.jpg") == ("me@home.jpg", CLEAN)

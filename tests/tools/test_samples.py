"""Choosing samples: views lie in their photographs, roles say what was measured, and the manifest says what was chosen."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos import samples as shipped
from hiercodec.evaluation.photos.samples import HIDDEN, sample
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tools.samples import APART, COARSE, KEPT, STORIES, Measured, budgets, chosen, manifest, measured, subjects, views

THING = replace(sample("coffee"), crop=None)


def seen(lite0, lite2, *, name: str = "coffee", was=((), ())) -> Measured:
    """A view by two judges: bytes from which on kind, family and class are right."""
    return Measured(
        replace(THING, id=name), {"lite0": lite0, "lite2": lite2}, dict(zip(("lite0", "lite2"), was, strict=True))
    )


@pytest.mark.parametrize(("thing", "region"), subjects(), ids=lambda value: getattr(value, "id", ""))
def test_every_thing_stands_in_a_photograph_that_is_here(thing, region):
    height, width = thing.file_pixels().shape[:2]
    left, top, right, bottom = region
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    for x0, y0, x1, y1 in views((width, height), region, 10):
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert x0 < right
        assert x1 > left


def test_a_crop_is_that_part_of_the_file():
    box = (100, 50, 300, 250)
    part = replace(THING, crop=box).pixels()
    assert np.array_equal(part, THING.file_pixels()[50:250, 100:300])


@pytest.mark.parametrize(
    ("lite0", "lite2", "role"),
    [
        ((100, 200, 400), (100, 100, 200), "story"),
        ((100, 140, 400), (100, 100, 200), "part"),  # the family too soon after the kind
        ((100, 100, 400), (200, 100, 300), "part"),
        ((100, 200, 400), (100, 200, 250), "plain"),  # not by the second judge
        ((100, 400, 200), (100, 200, 400), "plain"),
        ((100, 200, None), (100, 200, 400), "plain"),
    ],
)
def test_roles(lite0, lite2, role):
    assert seen(lite0, lite2).role == role


def test_more_bytes_unlearn_where_both_judges_saw_the_class_and_lose_it():
    lost = seen((100, 200, None), (100, 200, None), was=((300, 600), (300, 900)))
    assert (lost.role, lost.unlearned) == ("unlearned", 2.0)
    assert seen((100, 200, None), (100, 200, 400), was=((300, 600), (300, 900))).role == "plain"


def test_the_clearest_view_of_each_thing_is_shown_and_what_addresses_name_stays():
    weak, clear = seen((100, 160, 300), (100, 100, 300)), seen((100, 300, 900), (100, 100, 900))
    many = [seen((100, 200, 400), (100, 100, 400), name=f"thing {i}") for i in range(9)]
    things = [replace(THING, id=name) for name in KEPT]
    dahlia, horse = sample("flower"), sample("horse")
    rows = chosen(things, [weak, clear, *many], {dahlia: 0.9, horse: 0.3})
    assert [row.sample.id for row in rows[:2]] == ["coffee", "thing 0"]
    assert rows[0] == clear
    assert {row.sample.id for row in rows} >= set(KEPT)
    assert len(rows) == STORIES + 1
    assert rows[-1].sample == dahlia


def test_the_manifest_says_why_and_reads_back(tmp_path, monkeypatch):
    story = seen((100, 200, 400), (100, 100, 400))
    written = manifest([story, Measured(sample("flower"), {}, {})], [THING, sample("camera")], "fake 00")
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    monkeypatch.setattr(shipped, "MANIFEST", path)
    for cached in (shipped._all, shipped.samples):
        cached.cache_clear()
    try:
        first, last = shipped.samples()
        assert (first.role, last.role) == ("story", "unlisted")
        assert first.measured == {"model": "fake 00", "lite0": [100, 200, 400], "lite2": [100, 100, 400]}
        assert shipped.sample("camera").role == HIDDEN
    finally:
        monkeypatch.undo()
        for cached in (shipped._all, shipped.samples):
            cached.cache_clear()


def test_a_view_is_cut_finely_and_held_to_its_truth():
    evaluator, codec = Evaluator(FakeClassifier(), load_hierarchy()), FakeCodec()
    small = replace(THING, crop=(200, 100, 328, 228))
    found = measured(small, codec, [evaluator], COARSE)
    cuts = budgets(codec.encode(small.pixels()), codec, COARSE)
    assert all(1 < later / first <= COARSE + 0.02 for first, later in pairwise(cuts))
    (levels,) = found.settled.values()
    assert all(n is None or n in cuts for n in levels)
    assert set(next(iter(found.was_right.values()))) <= set(cuts)


def test_a_thing_that_is_not_there():
    with pytest.raises(InputError, match="no subject 'dragon'"):
        subjects(["dragon"])


def test_levels_are_to_be_a_good_deal_apart():
    assert APART == 1.5


def test_of_two_crops_that_show_the_same_the_clearer_is_shown():
    def at(name, crop, factor):
        one = seen((100, 100, 100 * factor), (100, 100, 100 * factor), name=name)
        return replace(one, sample=replace(one.sample, crop=crop))

    clear, near, far = at("a", (0, 0, 200, 200), 9), at("b", (20, 20, 220, 200), 5), at("c", (150, 150, 350, 350), 2)
    assert [row.sample.id for row in chosen([], [far, near, clear], {})] == ["a", "c"]
    elsewhere = replace(near, sample=replace(near.sample, file="another.png"))
    assert [row.sample.id for row in chosen([], [far, elsewhere, clear], {})] == ["a", "b", "c"]

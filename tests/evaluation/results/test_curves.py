"""Curves: every drawn point is a mean over rows, and other groupings are answered from stored probabilities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hiercodec.classify import level_probabilities
from hiercodec.evaluation.metrics import bits_of_meaning, wilson
from hiercodec.evaluation.results import curves
from hiercodec.evaluation.results.curves import curve, per_byte
from hiercodec.evaluation.results.table import bits, regroup, right, tables
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.hierarchy import HierarchyLevel
from tests.evaluation.some_rows import LEVELS, rungs, some_rows


@pytest.fixture(scope="module")
def rows():
    return some_rows(30, ("lite", "jpeg"), ("lite0", "lite2"))


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_curve_is_what_the_rows_say(rows, level):
    found = curve(tables(rows, "lite0")["jpeg"], right(level))
    frame = rows.frame.query("codec == 'jpeg' and judge == 'lite0'")
    frame = frame.assign(hit=[row[list(LEVELS).index(level)] for row in frame["right"]])
    by = frame.groupby("setting").agg(bpp=("bpp", "mean"), bytes=("bytes", "mean"), hits=("hit", "sum"))
    by = by.sort_values("bpp")
    assert list(found.settings) == list(by.index)
    np.testing.assert_allclose(found.bpp, by["bpp"], rtol=1e-6)
    np.testing.assert_allclose(found.bytes, by["bytes"])
    np.testing.assert_allclose(found.mean, by["hits"] / 30)
    assert [(a, b) for a, b in zip(found.low, found.high, strict=True)] == [wilson(int(h), 30) for h in by["hits"]]
    assert found.n == 30


def test_bands_of_means_hold_the_mean_and_shrink_with_photographs(rows):
    few, many = (curve(tables(some_rows(n), "lite0")["lite"], "psnr") for n in (10, 90))
    for found in (few, many):
        assert ((found.low < found.mean) & (found.mean < found.high)).all()
    assert (many.high - many.low < few.high - few.low).all()


def test_a_photograph_that_any_setting_lacks_counts_nowhere(rows):
    short = dataclasses.replace(rows, frame=rows.frame.drop(rows.frame.query("codec == 'jpeg'").index[0]))
    gone = rows.frame.query("codec == 'jpeg'").iloc[0]
    found = tables(short, gone["judge"])
    assert {len(table) for table in found.values()} == {29}
    assert all(gone["photo"] not in table.photos for table in found.values())


def test_values_between_settings_lie_on_the_drawn_line():
    rates, values, band = np.array([0.1, 0.2, 0.4]), np.array([0.2, 0.6, 0.5]), [np.zeros(3)] * 2
    found = curves.Curve("a", ("1", "2", "3"), rates, np.ones(3), values, *band, 5)
    assert found.at(0.15) == pytest.approx(0.4)
    assert found.at(0.09) is None
    assert found.at(0.5) is None
    assert found.rate_for(0.4) == pytest.approx(0.15)
    assert found.rate_for(0.1) == 0.1
    assert found.rate_for(0.7) is None


def test_the_files_own_levels_come_out_of_the_stored_probabilities(rows):
    stored, again = tables(rows, "lite2"), tables(rows, "lite2", load_hierarchy("consensus").levels)
    for codec in ("lite", "jpeg", "original"):
        for level in LEVELS:
            np.testing.assert_array_equal(stored[codec].measure(right(level)), again[codec].measure(right(level)))
            if codec != "original":  # whose made-up probabilities exceed 1
                told, summed = stored[codec].measure(bits(level)), again[codec].measure(bits(level))
                np.testing.assert_allclose(told, summed, atol=2e-3)


@pytest.fixture(scope="module")
def answers():
    """Full probabilities (60, 1000), their 32 likeliest classes as rows keep them, and labels."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(1000, 0.004), 60)
    order = np.argsort(-p, 1)[:, :32]
    kept = np.take_along_axis(p, order, 1)
    return p, order, kept, rng.integers(1000, size=60)


@pytest.mark.parametrize("name", ["coarse", "intermediate", "fine"])
def test_regrouping_full_probabilities_is_summing_them(answers, name):
    p, _, _, labels = answers
    tree = load_hierarchy("wordnet")
    level, mass = tree.level(name), level_probabilities(p, tree)[name]
    found = regroup([np.arange(1000)] * 60, p, labels, np.zeros(60, int), level)
    target = level.assignment[labels]
    np.testing.assert_array_equal(found.right, mass.argmax(1) == target)
    told = [bits_of_meaning(row, [t]) for row, t in zip(mass, target, strict=True)]
    np.testing.assert_allclose(found.bits, told, atol=1e-6)
    assert not found.unsure.any()


@pytest.mark.parametrize("k", [2, 10, 100, 1000])
def test_where_it_says_sure_what_was_not_kept_changes_no_answer(answers, k):
    p, classes, kept, labels = answers
    level = HierarchyLevel("any", k, np.arange(1000) % k, tuple(map(str, range(k))))
    few = regroup(list(classes[:, :9]), list(kept[:, :9]), labels, np.zeros(60, int), level)
    whole = regroup([np.arange(1000)] * 60, p, labels, np.zeros(60, int), level)
    sure = few.unsure == 0
    assert sure.any()
    np.testing.assert_array_equal(few.right[sure], whole.right[sure])
    if k == 2:
        assert not sure.all(), "nine classes do not settle every question"
    if k == 1000:
        assert sure.all(), "the likeliest class is always kept"


def test_without_labels_the_answer_on_the_original_counts_in_any_groups():
    bare = some_rows(20, labelled=False)
    path = bare.frame.set_index(["photo", "codec", "setting"])["path"]
    for found in (tables(bare, "lite0"), tables(bare, "lite0", load_hierarchy("consensus").levels)):
        table = found["lite"]
        for i, photo in enumerate(table.photos):
            for j, setting in enumerate(table.settings):
                same = path[photo, "lite", setting][0] == path[photo, "original", ""][0]
                assert table.measure(right("coarse"))[i, j] == same
        assert curve(found["original"], right("fine")).mean[0] == 1


def test_every_rung_of_a_ladder_is_a_level(rows):
    found = tables(rows.of(codec=["lite", "original"]), "lite0", rungs({2: np.arange(1000) % 2}))
    assert found["lite"].has(right("2"))
    whole = tables(rows, "lite0")["lite"].measure(right("fine"))
    np.testing.assert_array_equal(found["lite"].measure(right("1000")), whole)


def test_bits_per_byte_divide_means(rows):
    table = tables(rows, "lite0")["lite"]
    found = per_byte(table, "fine")
    np.testing.assert_allclose(found.mean, 1000 * curve(table, bits("fine")).mean / found.bytes)
    assert ((found.low < found.mean) & (found.mean < found.high)).all()


def test_what_was_not_measured_has_no_curve(rows):
    table = tables(some_rows(3, judges=("",)), "")["lite"]
    assert not table.has("wup")
    assert table.has("psnr")
    with pytest.raises(ValueError, match="not measured"):
        curve(table, "wup")

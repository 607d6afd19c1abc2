"""Gaps with intervals: the same figures as an independent implementation, honest about what cannot be compared."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hiercodec.cli.main import main
from hiercodec.errors import InputError
from hiercodec.evaluation.metrics import bd_rate
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.bjontegaard import at_equal_rate, at_full_rate, between, rate_at_equal
from hiercodec.evaluation.results.bjontegaard import words as words_of
from hiercodec.evaluation.results.curves import curve
from hiercodec.evaluation.results.exchange import from_compressai, to_compressai
from hiercodec.evaluation.results.table import right
from hiercodec.evaluation.results.table import tables as tabulate
from tests.evaluation.some_rows import some_rows

MEASURES = (right("coarse"), right("fine"), "psnr")


@pytest.fixture(scope="module")
def tables():
    return tabulate(some_rows(60, ("lite", "jpeg"), settings=("a", "b", "c", "d")), "lite0")


def shifted(table, factor):
    return dataclasses.replace(table, codec="moved", bpp=table.bpp * factor)


def test_gaps_are_bjontegaards(tables):
    bjontegaard = pytest.importorskip("bjontegaard")
    a, b = (curve(tables[name], "psnr") for name in ("jpeg", "lite"))
    (quality,) = at_equal_rate(tables["lite"], tables["jpeg"], ["psnr"], resamples=20)
    (rate,) = rate_at_equal(tables["lite"], tables["jpeg"], ["psnr"], resamples=20)
    theirs = {"method": "pchip", "require_matching_points": False, "min_overlap": 0}
    assert quality.value == pytest.approx(bjontegaard.bd_psnr(a.bpp, a.mean, b.bpp, b.mean, **theirs), rel=1e-6)
    assert rate.value == pytest.approx(bjontegaard.bd_rate(a.bpp, a.mean, b.bpp, b.mean, **theirs), rel=1e-6)
    assert quality.verdict == "more"
    assert rate.verdict == "less"


def test_a_codec_against_itself_is_no_different_and_a_dearer_one_is(tables):
    for row in at_equal_rate(tables["lite"], tables["lite"], MEASURES, resamples=20):
        assert (row.value, row.verdict) == (0, "no clear difference")
    (dear,) = rate_at_equal(tables["lite"], shifted(tables["lite"], 2), ["psnr"], resamples=20)
    assert dear.value == pytest.approx(-50)
    assert dear.low == pytest.approx(-50)


def test_intervals_hold_the_gap_and_say_over_how_many(tables):
    for row in at_equal_rate(tables["lite"], tables["jpeg"], MEASURES):
        assert row.low < row.value < row.high
        assert row.n == 60
        assert 0 < row.shared <= 1


def test_a_command_compares_codecs_of_one_file_or_two(tmp_path, capsys):
    made = some_rows(40, ("lite", "jpeg", "webp"), settings=("a", "b", "c", "d"))
    rows.write(tmp_path / "all.parquet", made.frame, made.meta)
    mine = made.of(codec=["original", "lite"], photo=[f"photo{i:04d}.png" for i in range(30)])
    rows.write(tmp_path / "mine.parquet", mine.frame, mine.meta)
    rivals = made.of(codec=["original", "jpeg", "webp"])
    rows.write(tmp_path / "rivals.parquet", rivals.frame, rivals.meta)
    one, other = f"{tmp_path}/mine.parquet", f"{tmp_path}/all.parquet:jpeg"
    assert main(["results", "bd", one, other, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    both = made.of(photo=list(mine.frame["photo"].unique()))
    found = tabulate(both, "lite0", common_to=["lite", "jpeg"])
    for name in ("psnr", right("coarse"), "wup"):
        (rate,), (quality,) = (how(found["lite"], found["jpeg"], [name]) for how in (rate_at_equal, at_equal_rate))
        assert said["measures"][name] == {"rate_percent": rate.to_json(), "at_equal_rate": quality.to_json()}
        assert rate.n == 30
    assert main(["results", "bd", one, other, "--judge", "none"]) == 0
    shown = capsys.readouterr().out
    assert "psnr" in shown
    assert "right" not in shown
    assert " dB [" in shown
    for argv, words in (
        ([one, f"{tmp_path}/rivals.parquet"], "holds several codecs: jpeg, webp; name one as"),
        ([one, f"{tmp_path}/all.parquet:avif"], "no codec 'avif' in these rows; there are lite, jpeg, webp"),
        ([one, other, "--judge", "me"], "no judge 'me'"),
    ):
        assert main(["results", "bd", *argv]) == 2
        assert words in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused_and_an_average_has_no_interval():
    made = some_rows(20, settings=("a", "b", "c", "d"))
    for other, words in (
        (dataclasses.replace(made, meta={**made.meta, "crop": 7}), "their crop differ"),
        (dataclasses.replace(made, frame=made.frame.assign(content=["a" * 16] * len(made))), "another picture in each"),
        (dataclasses.replace(made, frame=made.frame.assign(photo="other " + made.frame["photo"])), "in common"),
    ):
        mine = dataclasses.replace(made, frame=made.frame.assign(content=["b" * 16] * len(made)))
        with pytest.raises(InputError, match=words):
            between((mine, "lite"), (other, "jpeg"), "lite0")
    for unknown in (None, float("nan"), ""):  # older rows do not say of what
        other = dataclasses.replace(made, frame=made.frame.assign(content=unknown))
        mine = dataclasses.replace(made, frame=made.frame.assign(content="b" * 16))
        assert between((mine, "lite"), (other, "jpeg"), "lite0")
    curve_of_lite = from_compressai(json.dumps(to_compressai(made, "lite")))
    (psnr,) = (row for row in between((curve_of_lite, "lite"), (made, "jpeg")) if row.measure == "psnr")
    found = tabulate(made, "lite0")
    (expected,) = rate_at_equal(found["lite"], found["jpeg"], ["psnr"])
    assert psnr.rate.value == pytest.approx(expected.value, rel=1e-3)
    assert (psnr.rate.low, psnr.rate.high, psnr.rate.n) == (None, None, 20)
    assert words_of(psnr.rate.to_json(), " %", 1) == f"{psnr.rate.value:+.1f} %".replace("-", "−")


def test_curves_apart_get_no_figure(tables):
    far = shifted(tables["lite"], 1000)
    for row in at_equal_rate(tables["lite"], far, MEASURES):
        assert row.value is None
        assert row.verdict == "the curves do not overlap"
    better = dataclasses.replace(tables["lite"], psnr=tables["lite"].psnr + 50)
    (row,) = rate_at_equal(better, tables["jpeg"], ["psnr"])
    assert row.value is None
    assert "never reaches" in row.why


def test_a_small_overlap_is_said_and_not_used(tables):
    rates = tables["lite"].bpp.mean(0)
    row = at_equal_rate(tables["lite"], shifted(tables["lite"], 0.9 * rates[-1] / rates[0]), ["psnr"])[0]
    assert row.value is None
    assert "share only" in row.why


def test_accuracy_that_falls_with_bytes_still_has_a_rate(tables):
    table, rates = tables["lite"], tables["lite"].bpp.mean(0)
    values = table.psnr.copy()
    values[:, 2] = values[:, 1] - 1  # more bytes, and worse
    (row,) = rate_at_equal(dataclasses.replace(table, psnr=values), table, ["psnr"], resamples=20)
    reached, all_of = values.mean(0)[[0, 1, 3]], table.psnr.mean(0)
    assert row.value == pytest.approx(bd_rate(rates, all_of, rates[[0, 1, 3]], reached))


def test_whole_files_are_compared_photograph_by_photograph(tables):
    (row,) = at_full_rate(tables["lite"], tables["jpeg"], [right("fine")])
    gap = tables["lite"].measure(right("fine"))[:, -1] - tables["jpeg"].measure(right("fine"))[:, -1]
    assert row.value == pytest.approx(gap.mean())
    half = 1.96 * gap.std() / np.sqrt(60)
    assert (row.low, row.high) == pytest.approx((gap.mean() - half, gap.mean() + half), abs=0.02)


def test_only_photographs_that_both_have_count(tables):
    short = tables["jpeg"].where(np.arange(40))
    assert {row.n for row in at_equal_rate(tables["lite"], short, MEASURES, resamples=5)} == {40}
    assert at_equal_rate(tables["lite"], tables["original"], MEASURES[2:]) == []

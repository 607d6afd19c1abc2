"""What rows add up to: means over photographs, shares with their intervals, `agreement` where there is no truth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.summary import read_summary, summary
from tests.evaluation.some_rows import LEVELS, SETTINGS, some_rows


def test_a_summary_is_the_means_and_shares_of_its_rows(tmp_path):
    found = some_rows(20, judges=("lite0", "lite2"))
    results = summary(found)
    assert (results["photos"], results["labelled"], results["groups"], results["crop"]) == (20, 20, LEVELS, 224)
    assert [(p["codec"], p["setting"]) for p in results["points"]] == [
        (c, s) for c in ("lite", "jpeg") for s in SETTINGS
    ]
    part = found.of(codec="jpeg", setting="q10", judge="lite2").frame
    point = results["points"][4]
    assert point["bpp"] == pytest.approx(part["bpp"].mean(), abs=1e-5)
    assert point["psnr"] == pytest.approx(part["psnr"].mean(), abs=1e-4)
    assert point["psnr_std"] == pytest.approx(part["psnr"].std(ddof=0), abs=1e-4)
    assert point["ms_ssim"] == pytest.approx(part["ms_ssim"].mean(), abs=1e-5)
    hits = [bool(right[1]) for right in part["right"]]
    low, high = wilson(sum(hits), 20)
    wanted = {"top1": np.mean(hits), "low": low, "high": high}
    assert point["accuracy"]["lite2"]["intermediate"] == pytest.approx(wanted, abs=1e-5)
    assert point["wup"]["lite2"] == pytest.approx(part["wup"].mean(), abs=1e-5)
    assert results["uncompressed"]["accuracy"]["lite0"]["fine"]["top1"] > 0.8
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    rows.write(tmp_path / "r.parquet", found.frame, found.meta)
    assert read_summary(tmp_path / "r.parquet") == results


def test_without_all_labels_it_says_agreement():
    results = summary(some_rows(labelled=False))
    assert results["labelled"] == 0
    assert set(results["points"][0]["accuracy"]["lite0"]["fine"]) == {"agreement", "low", "high"}


def test_without_judges_there_is_no_accuracy():
    results = summary(some_rows(judges=("",)))
    assert results["uncompressed"] == {}
    assert set(results["points"][0]) == {
        "codec", "setting", "bpp", "bpp_std", "psnr", "psnr_std", "ms_ssim", "ms_ssim_std",
    }  # fmt: skip


def test_what_was_not_measured_on_every_photograph_has_no_mean():
    found = some_rows()
    found.frame.loc[found.frame.index[1], "ms_ssim"] = None
    points = summary(found)["points"]
    assert "ms_ssim" not in points[0]
    assert "ms_ssim" in points[1]

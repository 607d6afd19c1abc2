"""Curves in CompressAI's format there and back, rows as CSV, and the commands that do it."""

from __future__ import annotations

import csv
import importlib
import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest

from hiercodec import values
from hiercodec.cli import main as cli
from hiercodec.errors import InputError
from hiercodec.evaluation.results import rows, untrusted
from hiercodec.evaluation.results.bjontegaard import at_equal_rate
from hiercodec.evaluation.results.curves import curve
from hiercodec.evaluation.results.exchange import AVERAGE, from_compressai, to_compressai, to_csv
from hiercodec.evaluation.results.summary import summary
from hiercodec.evaluation.results.table import tables
from tests.evaluation.some_rows import SETTINGS, some_rows


def test_a_curve_goes_out_and_comes_back():
    found = some_rows(judges=("lite0",))
    told = to_compressai(found, "jpeg")
    points = [point for point in summary(found)["points"] if point["codec"] == "jpeg"]
    assert told["name"] == "jpeg"
    assert told["results"]["bpp"] == [point["bpp"] for point in points] == sorted(told["results"]["bpp"])
    assert told["results"]["ms-ssim-rgb"] == [point["ms_ssim"] for point in points]
    assert told["results"]["lite0 fine top-1"] == [point["accuracy"]["lite0"]["fine"]["top1"] for point in points]
    again = from_compressai(json.dumps(told))
    assert again.meta["averages"] is True
    assert again.frame["photo"].tolist() == [AVERAGE] * 3
    assert again.frame["setting"].tolist() == [point["setting"] for point in points]
    assert again.frame["psnr"].tolist() == pytest.approx(told["results"]["psnr-rgb"], abs=1e-4)
    (codec,) = again.codecs
    assert to_compressai(again, codec)["results"] == {
        name: pytest.approx(told["results"][name], abs=1e-3) for name in ("bpp", "psnr-rgb", "ms-ssim-rgb")
    }


def test_a_file_as_older_tools_and_papers_write_it_is_read():
    theirs = {"name": "mbt2018", "description": "Inference (ans)", "results": {"bpp": [0.1, 0.2], "psnr": [28, 30.5]}}
    found = from_compressai(json.dumps(theirs).encode(), name="Minnen 2018")
    assert found.codecs == ["Minnen 2018"]
    assert found.frame["psnr"].tolist() == [28.0, 30.5]
    assert found.frame["ms_ssim"].isna().all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "not a curve"),
        ("[1]", "not a curve"),
        ('{"name": "x"}', "needs 1 to 1000 rates"),
        ('{"name": "x", "results": []}', "not a curve"),
        ('{"name": "x", "results": {"bpp": ["a"]}}', "not a curve"),
        ('{"name": "x", "results": {"psnr": [30]}}', "needs 1 to 1000 rates"),
        ('{"name": "x", "results": {"bpp": [1, 2], "psnr": [30]}}', "as many values"),
        ('{"name": "x", "results": {"bpp": [0]}}', "above 0"),
        ('{"name": "x", "results": {"bpp": [NaN]}}', "above 0"),
        ('{"name": "x", "results": {"bpp": [null]}}', "above 0"),
        ('{"name": "x", "results": {"bpp": [1], "psnr-rgb": ["30"]}}', "not a curve"),
        ('{"name": "x", "results": {"bpp": [1], "psnr-rgb": [true]}}', "not a curve"),
        ('{"name": "x", "results": {"bpp": [1], "psnr-rgb": [-Infinity]}}', "results.psnr-rgb: PSNR is 0 dB or more"),
        ('{"name": "x", "results": {"bpp": [1], "ms-ssim-rgb": [14.2]}}', r"MS-SSIM runs from 0 to 1; of decibels d"),
        ('{"name": "x", "results": {"bpp": [1], "psnr-yuv": [30]}}', "needs results.psnr-rgb or results.ms-ssim-rgb"),
        ('{"name": "", "results": {"bpp": [1], "psnr": [30]}}', "a name of its own"),
        ('{"name": "original", "results": {"bpp": [1], "psnr": [30]}}', "a name of its own"),
        ("[" * 100_000, "not a curve"),
        (" " * (1 << 21), "at most"),
    ],
    ids=range(19),
)
def test_anything_else_is_one_clear_error(text, words):
    with pytest.raises(InputError, match=words) as caught:
        from_compressai(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [["a", "b"], ["a", "a"], ["\ud800", "b\nc"], ["x" * 400, "y"], "ab", None, []])
@pytest.mark.parametrize("name", ["mbt", "\ud800", "two\nlines", "x" * 400, 3])
def test_whatever_a_curve_and_its_points_are_called_it_is_rows_that_pages_open_and_a_curve_again(name, settings):
    curve = {"bpp": [0.1, 0.2], "psnr-rgb": [28.0, 30.5]}
    made = from_compressai(json.dumps({"name": name, "settings": settings, "results": curve}))
    opened = untrusted.open_rows(rows.encode(rows.table(made.frame, made.meta)))
    (codec,) = opened.codecs
    assert codec.isprintable()
    assert to_compressai(opened, codec)["results"] == {key: pytest.approx(value) for key, value in curve.items()}


def test_an_unknown_codec_is_named_with_those_there_are():
    with pytest.raises(InputError, match="no codec 'webp' in these rows; there are lite, jpeg"):
        to_compressai(some_rows(), "webp")


def test_curves_are_not_joined_as_if_they_were_of_the_same_photographs():
    kodak, clic = (json.dumps({"name": name, "results": {"bpp": [0.1], "psnr": [30.0]}}) for name in ("kodak", "clic"))
    with pytest.raises(InputError, match="does not say which photographs"):
        rows.join([from_compressai(kodak), from_compressai(clic)])
    with pytest.raises(InputError, match="does not say which photographs"):
        rows.join([some_rows(1, judges=("",)), from_compressai(kodak)])


def test_every_row_is_a_line_of_csv():
    found = some_rows(2)
    lines = list(csv.DictReader(to_csv(found).splitlines()))
    assert len(lines) == len(found)
    first, row = lines[1], found.frame.iloc[1]
    assert first["codec"] == row["codec"]
    assert float(first["bpp"]) == pytest.approx(float(row["bpp"]), rel=1e-5)
    assert [int(c) for c in first["classes"].split()] == row["classes"].tolist()


def test_commands_join_show_export_and_import(tmp_path, capsys):
    whole = some_rows(4, codecs=("lite", "jpeg"), judges=("lite0", "lite2"))
    for codec in whole.codecs:
        part = whole.of(codec=["original", codec])
        rows.write(tmp_path / f"{codec}.parquet", part.frame, part.meta)
    joined, curve, back = tmp_path / "joined.parquet", tmp_path / "curve.json", tmp_path / "back.parquet"
    files = [str(tmp_path / f"{codec}.parquet") for codec in whole.codecs]
    assert cli.main(["results", "join", *files, "--out", str(joined)]) == 0
    pd.testing.assert_frame_equal(rows.read(joined).frame, whole.frame)
    assert cli.main(["results", "show", str(joined), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == summary(whole)["points"]
    assert cli.main(["results", "show", str(joined)]) == 0
    assert "jpeg" in capsys.readouterr().out
    assert cli.main(["results", "export", str(joined), "--codec", "jpeg", "--out", str(curve)]) == 0
    assert json.loads(curve.read_text())["name"] == "jpeg"
    assert cli.main(["results", "import", str(curve), "--name", "theirs", "--out", str(back)]) == 0
    assert rows.read(back).codecs == ["theirs"]
    assert cli.main(["results", "export", str(joined), "--to", "csv", "--out", str(tmp_path / "r.csv")]) == 0
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 1 + len(whole)


# ---- what is no number -----------------------------------------------------------------------------------------------
def exact_rows(photos, *, every=False):
    """Rows in which "jpeg" reproduces the first photograph exactly at its best setting, or every one."""
    found = some_rows(photos, judges=("lite0",))
    frame = found.frame.copy()
    best = (frame["codec"] == "jpeg") & (frame["setting"] == SETTINGS[-1])
    frame.loc[best if every else best & (frame["photo"] == "photo0000.png"), "psnr"] = np.float32(np.inf)
    return rows.Rows(frame, found.meta)


def test_one_picture_reproduced_exactly_leaves_every_file_and_figure_whole(tmp_path, capsys):
    found = exact_rows(4)
    point = summary(found)["points"][-1]
    others = found.frame[(found.frame["codec"] == "jpeg") & (found.frame["photo"] != "photo0000.png")]
    last = others[others["setting"] == SETTINGS[-1]]["psnr"]
    assert (point["codec"], point["setting"]) == ("jpeg", SETTINGS[-1])
    assert point["psnr"] == pytest.approx(float(last.mean()), abs=1e-3)
    rows.write(tmp_path / "r.parquet", found.frame, found.meta)
    assert np.isinf(rows.read(tmp_path / "r.parquet").frame["psnr"]).sum() == 1
    assert cli.main(["results", "show", str(tmp_path / "r.parquet"), "--json"]) == 0
    assert strict(capsys.readouterr().out)["points"] == summary(found)["points"]
    out = tmp_path / "curve.json"
    assert cli.main(["results", "export", str(tmp_path / "r.parquet"), "--codec", "jpeg", "--out", str(out)]) == 0
    assert strict(out.read_text())["settings"] == list(SETTINGS)
    assert [row["psnr"] for row in csv.DictReader(to_csv(found).splitlines())].count("inf") == 1


def test_a_setting_that_reproduces_every_picture_is_infinite_everywhere(tmp_path, capsys):
    found = exact_rows(3, every=True)
    point = summary(found)["points"][-1]
    assert point["psnr"] == math.inf
    rows.write(tmp_path / "r.parquet", found.frame, found.meta)
    assert cli.main(["results", "show", str(tmp_path / "r.parquet"), "--json"]) == 0
    assert strict(capsys.readouterr().out)["points"][-1]["psnr"] == "Infinity"
    assert cli.main(["results", "show", str(tmp_path / "r.parquet")]) == 0
    assert "identical" in capsys.readouterr().out.splitlines()[-1]
    told = to_compressai(found, "jpeg")
    assert told["settings"] == list(SETTINGS[:-1])
    assert f"without {SETTINGS[-1]}" in told["description"]


def test_infinite_undefined_and_missing_come_through_an_import():
    theirs = {"name": "x", "results": {"bpp": [1, 2, 3, 4], "psnr-rgb": [30, math.inf, math.nan, None]}}
    for text in (json.dumps(theirs), values.dumps(theirs)):  # Python's bare tokens, and JSON
        found = from_compressai(text)
        assert found.frame["psnr"].tolist()[:2] == [30.0, math.inf]
        assert found.frame["psnr"].isna().tolist() == [False, False, True, True]
        cells = [(row["psnr"], row["ms_ssim"]) for row in csv.DictReader(to_csv(found).splitlines())]
        assert cells == [("30.0", ""), ("inf", ""), ("nan", ""), ("nan", "")]


def strict(text):
    """JSON as RFC 8259 has it."""

    def refuse(token):
        raise AssertionError(f"{token} is no JSON")

    return json.loads(text, parse_constant=refuse)


# ---- CompressAI's own tools --------------------------------------------------------------------------------------------
def compressai(tool, *args):
    """Run one of CompressAI's programs here, in the working folder: to import it anew takes longer than what it does."""
    import torch

    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(f"compressai.utils.{tool}.__main__").main([str(arg) for arg in args])
    torch.set_num_threads(threads)  # importing it sets them to one


@pytest.mark.slow
def test_what_compressai_s_eval_model_writes_is_read_and_its_plot_draws_what_we_write(tmp_path, monkeypatch):
    import torch
    from compressai.models import FactorizedPrior
    from PIL import Image

    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((192, 192), Image.Resampling.BICUBIC).save(tmp_path / "photos" / f"{i}.png")
    torch.save(FactorizedPrior(8, 12).state_dict(), tmp_path / "tiny.pth.tar")
    given = ("checkpoint", "photos", "-a", "bmshj2018-factorized", "-p", "tiny.pth.tar", "-d", "out", "--per-image")
    compressai("eval_model", *given)
    theirs = json.loads((tmp_path / "out" / "bmshj2018-factorized-ans.json").read_text())["results"]
    assert {"psnr-rgb", "ms-ssim-rgb", "bpp"} <= set(theirs)
    for path in (tmp_path / "out").glob("*.json"):  # the means, and a file a picture
        found = from_compressai(path.read_bytes()).frame
        results = json.loads(path.read_text())["results"]
        for column, name in (("bpp", "bpp"), ("psnr", "psnr-rgb"), ("ms_ssim", "ms-ssim-rgb")):
            assert found[column].tolist() == pytest.approx(np.ravel(results[name]).tolist(), rel=1e-5)
    ours = tmp_path / "ours.json"
    ours.write_text(values.dumps(to_compressai(some_rows(3, judges=("",)), "jpeg")))
    for metric in ("psnr", "ms-ssim"):
        drawn = tmp_path / f"{metric}.png"
        compressai(
            "plot",
            "-f",
            ours,
            tmp_path / "out" / "bmshj2018-factorized-ans.json",
            "-m",
            metric,
            "-o",
            drawn,
        )
        assert drawn.stat().st_size > 5000


def test_curves_and_deltas_go_round_what_is_reproduced_exactly():
    one, every, plain = (tables(found, "lite0") for found in (exact_rows(8), exact_rows(8, every=True), some_rows(8)))
    assert curve(one["jpeg"], "psnr").n == 7
    assert curve(one["jpeg"], "psnr").settings == SETTINGS
    assert curve(every["jpeg"], "psnr").n == 8
    assert curve(every["jpeg"], "psnr").settings == SETTINGS[:-1]
    assert np.isfinite(curve(every["jpeg"], "psnr").high).all()
    for found in (one, every):
        (delta,) = at_equal_rate(found["lite"], found["jpeg"], ["psnr"], resamples=50)
        (expected,) = at_equal_rate(plain["lite"], plain["jpeg"], ["psnr"], resamples=50)
        assert delta.value == pytest.approx(expected.value, abs=0.5)

"""Curves in CompressAI's format there and back, rows as CSV, and the commands that do it."""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest

from hiercodec.cli import main as cli
from hiercodec.errors import InputError
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.exchange import AVERAGE, from_compressai, to_compressai, to_csv
from hiercodec.evaluation.results.summary import summary
from tests.evaluation.some_rows import some_rows


def test_a_curve_goes_out_and_comes_back():
    found = some_rows(judges=("lite0",))
    told = to_compressai(found, "jpeg")
    points = [point for point in summary(found)["points"] if point["codec"] == "jpeg"]
    assert told["name"] == "jpeg"
    assert told["results"]["bpp"] == [point["bpp"] for point in points] == sorted(told["results"]["bpp"])
    assert told["results"]["ms-ssim"] == [point["ms_ssim"] for point in points]
    assert told["results"]["lite0 fine top-1"] == [point["accuracy"]["lite0"]["fine"]["top1"] for point in points]
    again = from_compressai(json.dumps(told))
    assert again.meta["averages"] is True
    assert again.frame["photo"].tolist() == [AVERAGE] * 3
    assert again.frame["setting"].tolist() == [point["setting"] for point in points]
    assert again.frame["psnr"].tolist() == pytest.approx(told["results"]["psnr"], abs=1e-4)
    (codec,) = again.codecs
    assert to_compressai(again, codec)["results"] == {
        name: pytest.approx(told["results"][name], abs=1e-3) for name in ("bpp", "psnr", "ms-ssim")
    }


def test_a_file_as_compressai_writes_it_is_read():
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
        ('{"name": "x"}', "not a curve"),
        ('{"name": "x", "results": []}', "not a curve"),
        ('{"name": "x", "results": {"bpp": ["a"]}}', "not a curve"),
        ('{"name": "x", "results": {"psnr": [30]}}', "needs 1 to 1000 rates"),
        ('{"name": "x", "results": {"bpp": [1, 2], "psnr": [30]}}', "as many values"),
        ('{"name": "x", "results": {"bpp": [0]}}', "above 0"),
        ('{"name": "x", "results": {"bpp": [1], "psnr": [NaN]}}', "finite"),
        ("[" * 100_000, "not a curve"),
        (" " * (1 << 21), "at most"),
    ],
    ids=range(11),
)
def test_anything_else_is_one_clear_error(text, words):
    with pytest.raises(InputError, match=words) as caught:
        from_compressai(text)
    assert "\n" not in str(caught.value)


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

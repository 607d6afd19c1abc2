"""A codec elsewhere: its decoded pictures and a table of bytes, judged and joined like every other."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hiercodec.cli.main import main
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.rivals import rival
from hiercodec.evaluation.results import rows
from hiercodec.images import encode_png, load_rgb
from tests.evaluation.photographs import photographs


def made(folder: Path, photos: Path, *, named: bool = False) -> Path:
    """What JPEG gives, written as somebody else's codec would."""
    folder.mkdir()
    lines = []
    for path in sorted(photos.rglob("*.png")):
        name = path.relative_to(photos).as_posix()
        for point in rival("jpeg").points(load_rgb(path)):
            picture = f"{path.stem}_{point.setting}.png" if named else f"{point.setting}/{name}"
            (folder / picture).parent.mkdir(parents=True, exist_ok=True)
            (folder / picture).write_bytes(encode_png(point.picture))
            lines.append([name, point.setting, point.bytes, *([picture] if named else [])])
    with open(folder / "points.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["photo", "setting", "bytes", *(["picture"] if named else [])], *lines])
    return folder


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    return photographs(tmp_path / "photos", 5)


@pytest.mark.parametrize("named", [False, True])
def test_it_is_measured_as_the_codec_itself_would_be(photos, tmp_path, named):
    folder = made(tmp_path / "mine", photos, named=named)
    argv = ["evaluate", str(photos), "--model", "none", "--classifier", "none", "--codec", "jpeg", "--codec"]
    for way, options in (("here", ["--workers", "1"]), ("two", ["--workers", "2"])):
        assert main([*argv, f"folder:{folder}", *options, "--out", str(tmp_path / f"{way}.parquet")]) == 0
        found = rows.read(tmp_path / f"{way}.parquet")
        assert found.codecs == ["jpeg", "mine"]
        ours, theirs = (found.frame[found.frame.codec == name] for name in ("mine", "jpeg"))
        assert len(ours) == len(theirs) == 5 * 5
        for column in ("photo", "setting", "bytes", "bpp", "psnr"):
            assert ours[column].tolist() == theirs[column].tolist()


def test_it_is_joined_with_rows_of_the_same_photographs_and_drawn(photos, tmp_path, capsys):
    folder, out = made(tmp_path / "mine", photos), {}
    for name, codec in (("a", "jpeg"), ("b", f"folder:{folder}")):
        out[name] = str(tmp_path / f"{name}.parquet")
        argv = ["--model", "none", "--classifier", "lite0", "--workers", "1", "--out", out[name]]
        assert main(["evaluate", str(photos), "--codec", codec, *argv]) == 0
    joined, chart = str(tmp_path / "both.parquet"), tmp_path / "lead.html"
    assert main(["results", "join", out["a"], out["b"], "--out", joined]) == 0
    assert main(["results", "bd", f"{joined}:mine", f"{joined}:jpeg", "--chart", str(chart)]) == 0
    assert "mine" in chart.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["results", "show", joined]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_run_does_not_go_on_with_other_pictures(photos, tmp_path, capsys):
    folder, out = made(tmp_path / "mine", photos), str(tmp_path / "rows.parquet")
    argv = ["evaluate", str(photos), "--model", "none", "--classifier", "none", "--codec", f"folder:{folder}"]
    argv += ["--workers", "1", "--out", out]
    assert main(argv) == 0
    assert main([*argv, "--resume"]) == 0
    table = folder / "points.csv"
    table.write_text(table.read_text().replace(",q5,", ",q6,"))
    shutil.copytree(folder / "q5", folder / "q6")
    assert main([*argv, "--resume"]) == 2
    assert "rivals.mine.digest was" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("bytes\n", "size\n", r"points\.csv, line 1: no column 'bytes'; the first line names photo, setting, bytes,"),
        (r"1,\d+\n", "1,-3\n", r"points\.csv, line 2: bytes must be a whole number above 0, not '-3'"),
        (r"1,\d+\n", "1,0\n", r"points\.csv, line 2: bytes must be .*, not '0'"),
        (r"1,\d+\n", "1,many\n", r"points\.csv, line 2: bytes must be .*, not 'many'"),
        (r"1,\d+\n", "1\n", r"points\.csv, line 2: bytes must be .*, not ''"),
        (r",q1,", ",,", r"points\.csv, line 2: photo and setting must have a name each"),
        (r",q5,", ",q1,", r"points\.csv, line 3: 'n01491361/0\.png' has setting 'q1' twice"),
        (r",q1,", ",../..,", r"points\.csv, line 2: the picture '\.\./\.\./n01491361/0\.png' is not in the folder"),
        (r",q1,", ",q2,", r"there is no picture .*q2/n01491361/0\.png of 'n01491361/0\.png' at setting 'q2'"),
        (r"n01491361/0", "n01491361/9", r"points\.csv does not name the photograph 'n01491361/0\.png'; it names 5, such as"),
        (r"(?s)\n.*", "\n", r"points\.csv does not name the photograph 'n01491361/0\.png'; it has no lines"),
        (r"(?s).*", "\udcff", r"points\.csv is no UTF-8"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_one_line_before_anything_runs(photos, tmp_path, capsys, was, now, words):
    table = made(tmp_path / "mine", photos) / "points.csv"
    text = table.read_text(encoding="utf-8")
    lines = 5 if "0\\.png" in words and "names 5" in words else 1
    changed = re.sub(was, lambda _: now, text, count=lines)
    assert changed != text
    table.write_text(changed, encoding="utf-8", errors="surrogateescape")
    out = tmp_path / "rows.parquet"
    argv = ["evaluate", str(photos), "--model", "none", "--classifier", "none", "--codec", f"folder:{table.parent}"]
    assert main([*argv, "--workers", "1", "--out", str(out)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert re.search(words, said[-1]), said
    assert not out.exists()
    assert not Path(f"{out}.parts").exists()


def test_pictures_that_are_not_what_is_measured_are_named(photos, tmp_path):
    folder = made(tmp_path / "mine", photos)
    peer, rgb = rival(f"folder:{folder}"), load_rgb(photos / "n01491361" / "0.png")
    of_it = peer.of("n01491361/0.png")
    assert len(list(of_it.points(rgb))) == 5
    with pytest.raises(InputError, match=r"q1/n01491361/0\.png is 64×48, and 'n01491361/0\.png' is measured at 40×40$"):
        list(of_it.points(np.ascontiguousarray(rgb[:40, :40])))
    (folder / "q1" / "n01491361" / "0.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"^[^\n]*q1/n01491361/0\.png: [^\n]*$"):
        list(of_it.points(rgb))


def test_a_folder_without_a_table_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*points\.csv: No such file"):
        rival(f"folder:{tmp_path}")

"""Photographs that cannot be used are rows of their own; runs go on after photographs were mended, added or taken away."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hiercodec.cli import main as cli
from hiercodec.errors import ImageTooLarge, InputError
from hiercodec.evaluation.photos.stored import Stored
from hiercodec.evaluation.results import exchange, rows, untrusted
from hiercodec.evaluation.results.run import Bench
from hiercodec.evaluation.results.summary import read_summary
from hiercodec.images import encode_png
from hiercodec.protocols import OperatingPoint
from tests.evaluation.photographs import photographs

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0"


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims to be so large, and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


UNUSABLE = {
    "empty.jpg": (b"", "the file is empty"),
    "cut.png": (encode_png(np.zeros((40, 40, 3), np.uint8))[:60], "damaged PNG"),
    "head.jpg": (JPEG, "damaged JPEG"),
    "page.jpg": (b"<!DOCTYPE html><html>404", "not a"),
    "zeros.png": (bytes(4000), "not a"),
    "vast.png": (png_of_size(60_000, 60_000), "million pixels"),
    "phone.jpg": (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
}
"""Every way in which the file itself is at fault: name → (bytes, words of the reason)."""


def damaged(folder: Path) -> Path:
    """Three good photographs, and one of every kind that cannot be used."""
    photographs(folder)
    for name, (data, _) in UNUSABLE.items():
        (folder / "n01491361" / name).write_bytes(data)
    return folder


def evaluate(folder: Path, out: Path, *more: str) -> int:
    argv = ["evaluate", str(folder), "--model", "none", "--codec", "jpeg", "--classifier", "none", "--out", str(out)]
    return cli.main([*argv, *(more if "--workers" in more or "--ray" in more else (*more, "--workers", "1"))])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set").mkdir()
    return damaged(tmp_path / "set")


def without_times(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="seconds")


@pytest.mark.parametrize("how", [("--workers", "1"), ("--workers", "2")])
def test_a_run_skips_what_cannot_be_used_and_says_why(folder, tmp_path, capsys, how):
    out = tmp_path / "r.parquet"
    assert evaluate(folder, out, *how) == 0
    found = rows.read(out)
    assert found.frame["photo"].nunique() == 3
    expected = {f"n01491361/{name}": words for name, (_, words) in UNUSABLE.items()}
    assert set(found.skipped) == set(expected)
    for name, words in expected.items():
        assert words in found.skipped[name]
        assert "\n" not in found.skipped[name]
    error = capsys.readouterr().err
    assert "photographs that were skipped: 7" in error
    assert "n01491361/cut.png: a damaged PNG" in error
    summary = read_summary(out)
    assert (summary["photos"], summary["labelled"]) == (3, 3), "a skipped photograph is no measurement"
    assert "cut.png" not in exchange.to_csv(found)
    assert untrusted.open_rows(out.read_bytes()).skipped == found.skipped
    assert cli.main(["results", "show", str(out)]) == 0
    assert "photographs that were skipped: 7" in capsys.readouterr().err
    assert cli.main(["results", "join", str(out), str(out), "--out", str(tmp_path / "j.parquet"), "--slim", "4"]) == 0
    joined = rows.read(tmp_path / "j.parquet")
    assert joined.skipped == found.skipped
    assert joined.frame["photo"].nunique() == 3


def test_a_photograph_that_vanishes_or_may_not_be_read_is_skipped(tmp_path):
    missing = Stored("a/gone.png", tmp_path / "gone.png")
    table, _ = rows.open_table(Bench([]).part([(missing, 3)]), "part")
    (row,) = table.to_pylist()
    assert (row["photo"], row["label"], row["codec"]) == ("a/gone.png", 3, rows.SKIPPED)
    assert row["note"] == "cannot be read: No such file or directory"


class Choosy:
    """A codec that refuses some pictures, or breaks."""

    name = "choosy"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def points(self, rgb):
        if rgb.shape[0] == 1:
            raise self.error
        return [OperatingPoint("", 3, rgb)]

    def provenance(self):
        return {}


def test_what_a_codec_cannot_take_is_the_photographs_fault_and_what_breaks_is_not(tmp_path):
    for height in (1, 8):
        (tmp_path / f"{height}.png").write_bytes(encode_png(np.zeros((height, 8, 3), np.uint8)))
    photos = [(Stored(f"{height}.png", tmp_path / f"{height}.png"), -1) for height in (1, 8)]
    for error, words in ((ImageTooLarge("too small"), "too small"), (MemoryError(), "more memory than there is")):
        table, _ = rows.open_table(Bench([Choosy(error)]).part(photos), "part")
        assert table["codec"].to_pylist() == [rows.SKIPPED, "original", "choosy"]
        assert words in table["note"].to_pylist()[0]
    with pytest.raises(ZeroDivisionError):
        Bench([Choosy(ZeroDivisionError())]).part(photos)
    with pytest.raises(InputError, match=r"^1\.png: too small$"):
        Bench([Choosy(ImageTooLarge("too small"))], strict=True).part(photos)


def test_a_format_that_cannot_hold_a_picture_says_so():
    from hiercodec.errors import ImageError
    from hiercodec.evaluation.codecs.peers import rival

    with pytest.raises(ImageError, match="WebP"):
        list(rival("webp").points(np.zeros((2, 16_500, 3), np.uint8)))


def test_strict_ends_at_the_first_that_cannot_be_used(folder, tmp_path, capsys):
    for workers in ("1", "2"):
        assert evaluate(folder, tmp_path / f"{workers}.parquet", "--strict", "--workers", workers) == 2
        assert "n01491361/" in capsys.readouterr().err.splitlines()[-1]


def test_where_none_can_be_used_the_run_fails_in_one_line(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(b"")
    assert evaluate(tmp_path / "set", tmp_path / "r.parquet") == 2
    assert capsys.readouterr().err.splitlines()[-1] == "hiercodec: none of the photographs could be used"


# ---- going on ----------------------------------------------------------------------------------------------------------
def counted(monkeypatch) -> list[str]:
    """The photographs that are measured from here on, by name."""
    measured: list[str] = []
    original = Bench._measured

    def measure(self, stored, label):
        measured.append(stored.name)
        return original(self, stored, label)

    monkeypatch.setattr(Bench, "_measured", measure)
    return measured


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_goes_on_after_photographs_were_mended_added_changed_and_taken_away(
    folder, tmp_path, monkeypatch, capsys, finished
):
    out, anew = tmp_path / "r.parquet", tmp_path / "anew.parquet"
    photographs(folder, 7)
    assert evaluate(folder, out) == 0
    short: set[str] = set()
    if not finished:  # as a kill leaves it, three photographs short
        table, meta = rows.open_table(out.read_bytes(), "r")
        names = table["photo"].to_pylist()
        short = {f"n01491361/{name}.png" for name in (3, 4, 6)}
        part = rows.encode(table.filter(np.array([name not in short for name in names])))
        out.unlink()
        (tmp_path / "r.parquet.parts").mkdir()
        (tmp_path / "r.parquet.parts" / "000000.parquet").write_bytes(part)
        (tmp_path / "r.parquet.parts" / "run.json").write_text(json.dumps(meta))
    good = folder / "n01491361"
    shutil.copy(good / "0.png", good / "cut.png")  # mended
    (good / "empty.jpg").unlink()  # taken away, as it was of no use
    (good / "1.png").unlink()  # taken away
    Image.new("RGB", (48, 48), (9, 99, 200)).save(good / "3.png")  # changed
    shutil.copy(good / "0.png", good / "00.png")  # added, before all others
    measured = counted(monkeypatch)
    assert evaluate(folder, out, "--resume") == 0
    of_no_use = {f"n01491361/{name}" for name in UNUSABLE if name not in {"cut.png", "empty.jpg"}}
    assert set(measured) == of_no_use | short | {f"n01491361/{name}" for name in ("cut.png", "3.png", "00.png")}
    assert "going on: " in capsys.readouterr().err
    assert evaluate(folder, anew) == 0
    pd.testing.assert_frame_equal(without_times(rows.read(out).frame), without_times(rows.read(anew).frame))
    assert rows.read(out).skipped == rows.read(anew).skipped
    assert {k: v for k, v in rows.read(out).meta.items() if k != "command"} == {
        k: v for k, v in rows.read(anew).meta.items() if k != "command"
    }
    assert not list(tmp_path.glob("*.parts"))


def test_a_label_that_changed_is_a_photograph_that_changed(folder, tmp_path, monkeypatch):
    out = tmp_path / "r.parquet"
    assert evaluate(folder, out) == 0
    (folder / "list.csv").write_text("n01491361/0.png,7\nn01491361/1.png,3\nn03126707/2.png,517\n")
    measured = counted(monkeypatch)
    assert evaluate(folder / "list.csv", out, "--resume") == 0
    assert measured == ["n01491361/0.png"]
    assert rows.read(out).frame.drop_duplicates("photo")["label"].tolist() == [7, 3, 517]


def test_a_complete_run_measures_nothing_and_leaves_its_file_alone(folder, tmp_path, monkeypatch):
    for name in UNUSABLE:
        (folder / "n01491361" / name).unlink()
    out = tmp_path / "r.parquet"
    assert evaluate(folder, out) == 0
    before, measured = out.stat().st_mtime_ns, counted(monkeypatch)
    moved = folder.rename(tmp_path / "set2").rename(folder)
    assert evaluate(moved, out, "--resume") == 0
    assert (measured, out.stat().st_mtime_ns) == ([], before)


def test_another_data_set_is_not_gone_on_with(folder, tmp_path, capsys):
    out = tmp_path / "r.parquet"
    assert evaluate(folder, out) == 0
    before = out.read_bytes()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.png").write_bytes(encode_png(np.zeros((9, 9, 3), np.uint8)))
    assert evaluate(tmp_path / "other", out, "--resume") == 2
    assert "none of its 3 photographs is in this data set" in capsys.readouterr().err
    assert out.read_bytes() == before


@pytest.mark.parametrize("note", ["x" * 10_000, None])
def test_what_strangers_say_of_a_photograph_is_bounded(note):
    from hiercodec.evaluation.results.run import skipped
    from tests.evaluation.some_rows import some_rows

    made = some_rows(photos=2)
    extra = pd.DataFrame([{**skipped("z.png", -1, "why"), "note": note}])
    table = rows.table(pd.concat([made.frame, extra], ignore_index=True), made.meta)
    with pytest.raises(InputError, match="remark"):
        untrusted.open_rows(rows.encode(table))


# ---- one of everything -------------------------------------------------------------------------------------------------
def test_a_data_set_with_one_of_everything_is_measured_and_reported_in_one_screen(folder, tmp_path, capsys):
    """What was passed over by name, what was skipped by content, odd names, links and labels: all said in one screen."""
    for path in (
        "._a.jpg",
        ".ipynb_checkpoints/a.png",
        "@eaDir/b.png",
        "__MACOSX/c.png",
        "notes.txt",
        "d.dng",
        "e.zip",
    ):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(b"x")
    good = (folder / "n01491361" / "0.png").read_bytes()
    odd = [os.fsdecode(b"caf\xe9.png"), "cafe\u0301.png", "café.png", "100% #1?.png", "a\nb.png", "x" * 251 + ".png"]
    for name in odd:
        (folder / name).write_bytes(good)
    (folder / "n01443537").symlink_to(folder / "n01491361")
    (folder / "loop").symlink_to(folder)
    out = tmp_path / "r.parquet"
    assert evaluate(folder, out) == 0
    screen = capsys.readouterr().err
    lines = [line for line in screen.split("\n") if line and "photo/s" not in line and not line.startswith("codec")]
    assert len(lines) <= 24, screen
    screen.encode("utf-8")
    found = rows.read(out)
    names = set(found.frame["photo"])
    assert len(names) == 3 + len(odd)
    assert {r"caf\xe9.png", "cafe\u0301.png", "café.png", "100% #1?.png", r"a\u000ab.png"} <= names
    assert f"photographs: {3 + len(odd) + 7}, 10 of them labelled, in 2 classes" in screen
    for words in ("hidden or a system's own: 4 (", "are not read: 1 (d.dng)", "by name): 1 (", "there already: 2 ("):
        assert words in screen
    assert "photographs that were skipped: 7" in screen
    assert cli.main(["results", "show", str(out), "--json"]) == 0
    json.loads(capsys.readouterr().out)
    assert evaluate(folder, out, "--resume") == 0
    assert set(rows.read(out).frame["photo"]) == names


def test_what_was_mended_is_said_beside_the_measurement(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(tmp_path / "set" / "a.jpg")
    whole = (tmp_path / "set" / "a.jpg").read_bytes()
    (tmp_path / "set" / "a.jpg").write_bytes(whole[:-2])
    (tmp_path / "set" / "b.jpg").write_bytes(whole)
    out = tmp_path / "r.parquet"
    assert evaluate(tmp_path / "set", out) == 0
    assert (
        "photographs that were measured with a remark: 1\n  a.jpg: its last bytes are missing"
        in capsys.readouterr().err
    )
    found = rows.read(out)
    assert found.notes == {"a.jpg": "its last bytes are missing"}
    assert untrusted.open_rows(out.read_bytes()).notes == found.notes
    assert evaluate(tmp_path / "set", out, "--strict", "--force") == 0, "it can be used"

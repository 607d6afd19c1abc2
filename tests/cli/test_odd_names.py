"""Names of files that are no UTF-8, or hold what shells, addresses and pages take for something else: every command takes
them, what it prints can be printed, and what it writes gives them back."""

from __future__ import annotations

import csv
import html
import json
import os
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hiercodec import models
from hiercodec.cli import main as cli
from hiercodec.cli.base import command_line
from hiercodec.evaluation.results import rows
from hiercodec.fsio import from_printable, printable, write_json
from tests.evaluation.fake_codec import FakeCodec

NAMES = [b"caf\xe9", "cafe\u0301".encode(), b"100%41 #1?&=", b"<i>a&b'\"", b"a\nb", b"back\\slash", b"y" * 240]


def run(capsys, *arguments) -> tuple[str, str]:
    assert (
        cli.main(
            [os.fspath(argument) if isinstance(argument, os.PathLike) else str(argument) for argument in arguments]
        )
        == 0
    )
    out, err = capsys.readouterr()
    (out + err).encode("utf-8")
    return out, err


@pytest.fixture(params=NAMES, ids=ascii)
def photo(request, tmp_path):
    path = tmp_path / f"{os.fsdecode(request.param)}.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)).save(path)
    return path


def test_pages_and_listings_of_a_file(photo, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(models, "load", lambda model: FakeCodec())
    out = tmp_path / "page.html"
    said, _ = run(capsys, "trace", photo, "--classifier", "none", "--steps", 5, "--html", out)
    assert printable(photo) in said
    assert "<i>" not in out.read_text(encoding="utf-8").partition("<h1>")[2].partition("</h1>")[0]
    assert f"<h1>{printable(photo.stem)}</h1>" in html.unescape(out.read_text(encoding="utf-8"))


def test_streams_under_such_names(photo, capsys):
    stream, cut = photo.with_suffix(".hc"), photo.parent / f"{os.fsdecode(NAMES[0])}.cut.hc"
    _, said = run(capsys, "encode", photo, stream)
    assert printable(stream) in said
    assert json.loads(run(capsys, "info", stream, "--json")[0])["file"] == printable(stream)
    run(capsys, "truncate", stream, cut, "--level", "coarse")
    run(capsys, "decode", cut, photo.with_suffix(".seen.png"))


def test_rows_of_a_data_set_under_such_a_name(photo, tmp_path, capsys):
    folder = photo.parent / f"{os.fsdecode(NAMES[0])} set"
    folder.mkdir()
    photo.rename(folder / photo.name)
    out = tmp_path / f"{os.fsdecode(NAMES[0])}.parquet"
    options = ["--model", "none", "--codec", "jpeg", "--classifier", "none", "--workers", "1", "--out", out]
    run(capsys, "evaluate", folder, *options)
    found = rows.read(out)
    assert {from_printable(name) for name in found.frame["photo"]} == {photo.name}
    assert found.meta["data"]["sources"] == [printable(folder)]
    run(capsys, "results", "show", out)
    run(capsys, "results", "show", out, "--json")
    run(capsys, "results", "export", out, "--to", "csv", "--out", tmp_path / "rows.csv")
    with open(tmp_path / "rows.csv", encoding="utf-8", newline="") as file:
        assert {row["photo"] for row in csv.DictReader(file)} == {printable(photo.name)}


def test_a_command_that_results_name_can_be_typed_again():
    words = ["evaluate", os.fsdecode(b"caf\xe9 'set'"), "a b", "100%", "it's"]
    line = command_line(SimpleNamespace(argv=words, program="hiercodec"))  # pyright: ignore[reportArgumentType]
    line.encode("utf-8")
    typed = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line.removeprefix('python -m hiercodec ')}"], capture_output=True, check=True
    )
    assert [os.fsdecode(word) for word in typed.stdout.split(b"\0")[:-1]] == words
    assert line.startswith("python -m hiercodec evaluate ")


def test_json_files_keep_them(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    write_json(tmp_path / "a.json", {"photos": [name, "é"]})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"photos": [name, "é"]}

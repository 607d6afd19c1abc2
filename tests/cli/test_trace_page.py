"""`trace --html`: one page of a photograph, shrunk as the app shrinks it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from hiercodec import models
from hiercodec.cli import main as cli
from tests.evaluation.fake_codec import FakeCodec


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_it_writes_the_page_and_says_how_large(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(models, "load", lambda model: FakeCodec())
    photo, out = tmp_path / "a&b <i>.png", tmp_path / "page.html"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 800, 3), np.uint8)).save(photo)
    asked = ("trace", photo, "--classifier", "none", "--steps", 5, "--html")
    assert run(*asked, out) == 0
    assert f"{out.stat().st_size:,} bytes, 384×23 pixels, 5 steps" in capsys.readouterr().err
    assert "<h1>a&amp;b &lt;i&gt;</h1>" in out.read_text(encoding="utf-8")
    assert run(*asked, out, "--side", 96) == 0
    assert "96×6 pixels" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_fails_before_anything_is_traced(capsys, tmp_path):
    assert run("trace", tmp_path / "none.png", "--html", tmp_path / "no folder" / "page.html") >= 2
    assert "no directory" in capsys.readouterr().err

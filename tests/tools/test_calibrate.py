"""Calibration on decoded prefixes: halves share no photograph, and the command's card is complete."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tools import calibrate
from tools.calibrate import calibrated


def test_a_sure_classifier_is_cooled_and_the_held_out_half_says_so():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 400)
    logits = rng.normal(0, 1, (400, 3, 10))
    right = rng.random((400, 3)) < 0.6
    guess = np.where(right, labels[:, None], rng.integers(0, 10, (400, 3)))
    np.put_along_axis(logits, guess[..., None], 12.0, axis=2)  # sure of all, right of some two in three
    found = calibrated(logits, labels, ("a", "b", "c"))
    assert found["temperature"] > 2
    assert found["photos"] == {"fitted": 200, "held_out": 200}
    assert found["held_out"]["ece_before"] > 0.3
    assert found["held_out"]["ece_after"] < 0.08
    assert list(found["held_out_by_prefix"]) == ["a", "b", "c"]
    mean = np.mean([row["nll_after"] for row in found["held_out_by_prefix"].values()])
    assert found["held_out"]["nll_after"] == pytest.approx(mean, abs=1e-3)
    assert calibrated(logits, labels, ("a", "b", "c"), seed=1)["temperature"] != found["temperature"]


def test_the_command_writes_a_card(tmp_path, monkeypatch, capsys):
    from PIL import Image

    import hiercodec.classify
    import hiercodec.models
    from hiercodec.classify import Preprocess
    from hiercodec.cli.main import main
    from hiercodec.taxonomy import classes
    from tests.evaluation.fake_codec import FakeCodec

    class Judge:
        name, sha256, preprocess = "timm:judge", "ab" * 32, Preprocess(32)

        def logits(self, pictures):
            return np.stack([np.arange(1000) * picture.mean() / 1e4 for picture in pictures]).astype(np.float32)

    rng = np.random.default_rng(0)
    for row in classes()[:4]:
        (tmp_path / "data" / row.wnid).mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (64, 80, 3), dtype=np.uint8)).save(tmp_path / "data" / row.wnid / "a.png")
    (tmp_path / "data" / classes()[0].wnid / "damaged.jpg").write_bytes(b"\xff\xd8 no photograph")
    monkeypatch.setattr(hiercodec.classify, "load_classifier", lambda spec: Judge())
    monkeypatch.setattr(hiercodec.models, "load", lambda name: FakeCodec())
    argv = [
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "out"),
        "--crop",
        "64",
        "--cuts",
        "2",
        "--remark",
        "Four.",
    ]
    assert main(argv, calibrate.calibrate) == 0
    card = json.loads((tmp_path / "out" / "timm-judge.json").read_text(encoding="utf-8"))
    assert card["sha256"] == Judge.sha256
    assert card["photos"] == {"fitted": 2, "held_out": 2}
    assert card["prefixes"] == 5
    assert card["remark"] == "Four."
    assert card["command"].endswith("--crop 64 --cuts 2 --remark Four.")
    unlabelled = tmp_path / "data" / classes()[0].wnid
    assert main([str(unlabelled), "--out", str(tmp_path)], calibrate.calibrate) == 2
    assert "labelled" in capsys.readouterr().err

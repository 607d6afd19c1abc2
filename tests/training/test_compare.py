"""Models are compared at equal bytes on what training held out."""

from __future__ import annotations

import dataclasses

import pytest

from hiercodec import models
from hiercodec.errors import ConfigError
from hiercodec.levels import PAPER_PLAN
from hiercodec.training.ablation import compare
from hiercodec.training.config import TrainConfig
from tests.models.tiny import TINY_LITE, make_codec
from tests.training.test_ablation import PHOTOS, Flat, rows

CONFIG = TrainConfig(name="c", photos=("unused",), classifiers=("flat",), holdout=0.25)


def test_deltas_are_vertical_and_signed():
    reference, better = rows("a", 0)["points"], rows("b", 0, gain=0.1)["points"]
    found = compare.deltas(reference, better)
    assert found["psnr"] == pytest.approx(0.0)
    assert found["wup"] == pytest.approx(0.1)
    assert all(found[name] == pytest.approx(0.1) for name in PAPER_PLAN.names)
    cheaper = [{**point, "bpp": point["bpp"] / 2} for point in reference]
    assert compare.deltas(reference, cheaper)["psnr"] > 0


def test_models_code_the_held_out_photographs_only(tmp_path, monkeypatch):
    from hiercodec.classify import Classifier, Preprocess

    codec = make_codec(TINY_LITE, tmp_path)
    monkeypatch.setattr(models, "load", lambda name: codec)
    monkeypatch.setattr("hiercodec.classify.load_classifier", lambda s: Classifier("flat", Flat(), Preprocess(32), "0"))
    monkeypatch.setattr("hiercodec.evaluation.dataset.load_photos", lambda sources, limit: PHOTOS)
    coded = []
    encode = codec.encode
    monkeypatch.setattr(codec, "encode", lambda rgb: coded.append(rgb.shape) or encode(rgb))
    results = compare.compare(CONFIG, ["one", "runs/two.safetensors"], photos=2)
    assert results["photos"] == 2
    assert len(coded) == 4
    assert [row["model"] for row in results["models"]] == ["one", "two"]
    assert results["models"][0]["deltas"] is None
    assert results["models"][1]["deltas"]["psnr"] == 0
    assert "two against one at equal bytes" in compare.table(results)


def test_a_run_without_a_classifier_is_refused():
    with pytest.raises(ConfigError, match="needs a classifier"):
        compare.compare(dataclasses.replace(CONFIG, classifiers=()), ["lite"])

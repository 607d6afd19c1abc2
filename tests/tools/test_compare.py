"""Models are compared at equal bytes on what training held out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from hiercodec import models
from hiercodec.errors import ConfigError
from hiercodec.evaluation.results.rows import Rows
from hiercodec.levels import PAPER_PLAN
from hiercodec.training.config import TrainConfig
from tests.models.tiny import TINY_LITE, make_codec
from tests.tools.test_ablation import PHOTOS, Flat
from tools import compare

CONFIG = TrainConfig(name="c", photos=("unused",), classifiers=("flat",), holdout=0.25)


def rows(bits: float, shift: float = 0.0) -> Rows:
    """Six settings of four photographs, seen by two judges that agree."""
    noise, levels = np.random.default_rng(3).normal(0, 0.5, 4), PAPER_PLAN.names
    kept = [
        {
            "photo": name, "label": 1, "codec": "0", "setting": f"s{k}", "bytes": 100 * 2**k, "bpp": bits * 2**k,
            "psnr": 25.0 + k, "judge": judge, "path": [0] * 3, "path_p": [0.5] * 3, "right": [k > 2] * 3,
            "right_p": [2 ** (-3 + k / 2 + shift + noise[i])] * len(levels), "bits": [0.0] * 3, "truth_from": "label",
        }
        for k in range(6)
        for i, name in enumerate("wxyz")
        for judge in ("a", "b")
    ]  # fmt: skip
    return Rows(pd.DataFrame(kept), {"levels": dict(zip(levels, (10, 100, 1000), strict=True))})


def gaps(ours, reference):
    mine, theirs = (compare.tabulate(found, ("a", "b"), "0") for found in (ours, reference))
    return {judge: compare.differences(mine[judge], theirs[judge]) for judge in mine}


def test_differences_are_vertical_signed_and_paired():
    found = gaps(rows(0.1, shift=0.25), rows(0.1))
    assert set(found) == {"a", "b", ""}
    for judge in found.values():
        assert judge["psnr"]["value"] == pytest.approx(0.0)
        assert judge["told"]["value"] == pytest.approx(0.25)
        assert judge["told"]["low"] == pytest.approx(0.25)  # what photographs differ by is the same for both
        assert judge["right fine"]["value"] == pytest.approx(0.0)
    cheaper = gaps(rows(0.05), rows(0.1))
    assert cheaper["a"]["psnr"]["value"] == pytest.approx(1.0, abs=0.01)
    assert cheaper["a"]["told"]["value"] == pytest.approx(0.5, abs=0.01)


def test_settings_stand_by_their_rates():
    forth = rows(0.1)
    back = Rows(forth.frame[::-1], forth.meta)
    assert compare.tabulate(back, ("a", "b"), "0")["a"].settings == tuple(forth.frame["setting"].unique())


def test_models_code_the_held_out_photographs_only(tmp_path, monkeypatch):
    from hiercodec.classify import Classifier, Preprocess

    codec = make_codec(TINY_LITE, tmp_path)
    monkeypatch.setattr(models, "load", lambda name: codec)
    monkeypatch.setattr("hiercodec.classify.load_classifier", lambda s: Classifier("flat", Flat(), Preprocess(32), "0"))
    monkeypatch.setattr("hiercodec.training.data.load_photos", lambda sources, limit, how: PHOTOS)
    coded = []
    encode = codec.encode
    monkeypatch.setattr(codec, "encode", lambda rgb: coded.append(rgb.shape) or encode(rgb))
    results = compare.compare(CONFIG, ["one", "runs/two.safetensors"], photos=2)
    assert results["photos"] == 2
    assert len(coded) == 4
    assert [row["model"] for row in results["models"]] == ["one", "two"]
    first, second = results["models"]
    assert first["differences"] is None
    assert second["differences"]["flat"]["psnr"]["value"] == 0
    assert list(first["ends"]) == list(codec.plan.names)
    assert first["ends"]["fine"]["right"] == {"flat": 1.0}  # its own answer on the original is what is right
    text = compare.table(results)
    assert "two against one at equal bytes" in text
    assert "all judges: told +0.000 bits [+0.000, +0.000]" in text


def test_a_run_without_a_classifier_is_refused():
    with pytest.raises(ConfigError, match="needs a classifier"):
        compare.compare(dataclasses.replace(CONFIG, classifiers=()), ["lite"])

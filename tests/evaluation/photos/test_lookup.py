"""Photographs behind rows: found in the data sets that the environment names and among the samples, nowhere else."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from hiercodec.evaluation.photos.lookup import PHOTOS, picture


def test_found_by_name_and_cropped(tmp_path, monkeypatch):
    (tmp_path / "n01440764").mkdir()
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / "n01440764" / "a.png")
    assert picture("n01440764/a.png") is None
    monkeypatch.setenv(PHOTOS, os.pathsep.join(["no such folder", str(tmp_path)]))
    np.testing.assert_array_equal(picture("n01440764/a.png"), rgb)
    np.testing.assert_array_equal(picture("n01440764/a.png", 20), rgb[10:30, 20:40])
    assert picture("../a.png") is None
    assert picture("cat").ndim == 3, "a sample"

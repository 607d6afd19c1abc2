"""Photographs behind rows: found in the data sets that the environment names and among the samples, nowhere else."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from hiercodec.evaluation.photos.lookup import PHOTOS, picture, sources


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


def test_a_name_of_imagenets_is_the_same_photograph_in_any_folder(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "x" / "ILSVRC2012_val_00000001.JPEG")
    Image.new("RGB", (8, 8)).save(tmp_path / "x" / "1.png")
    monkeypatch.setenv(PHOTOS, str(tmp_path))
    assert picture("val/n01440764/ILSVRC2012_val_00000001.JPEG") is not None
    assert picture("val/n01440764/1.png") is None, "any folder may have one of this name"


def test_data_sets_of_torchvisions_stand_among_folders(monkeypatch):
    for said in ("torchvision:Imagenette", f"a{os.pathsep}torchvision:Imagenette{os.pathsep}b"):
        monkeypatch.setenv(PHOTOS, said)
        assert "torchvision:Imagenette" in sources()
        assert len(sources()) == (1 if said.startswith("torch") else 3)

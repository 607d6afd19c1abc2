"""Labels in every layout that data sets of ImageNet's classes come in."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos import labels, torchvision
from hiercodec.evaluation.photos.dataset import inventory, load_photos
from hiercodec.images import encode_png
from hiercodec.taxonomy import classes

PNG = encode_png(np.full((4, 6, 3), 9, np.uint8))
TENCH, GOLDFISH, SNAKE = (classes()[i].wnid for i in (0, 1, 65))


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG)
    return root


def found(source: Path | str, how: str = labels.AUTO) -> dict[str, int]:
    return {stored.name: label for stored, label in inventory([source], how).photos}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (f"train/{TENCH}/a.png", 0),
        (f"{GOLDFISH}/images/{GOLDFISH}_0.png", 1),  # Tiny ImageNet
        (f"{TENCH}_10026.png", 0),  # the training photographs in one folder
        (f"ILSVRC2012_val_00000001_{SNAKE}.png", 65),  # the hub's
        (f"{TENCH}/{GOLDFISH}/a.png", 1),
        (f"x{TENCH}/a.png", -1),
        ("n99999999/a.png", -1),
        ("12/a.png", -1),
    ],
)
def test_a_wnid_anywhere_on_the_path_gives_the_label(tmp_path, name, label):
    made(tmp_path / "set", name)
    assert found(tmp_path / "set") == {name: label}


def test_a_class_given_by_itself_keeps_its_label(tmp_path, monkeypatch):
    made(tmp_path / TENCH, "a.png", "images/b.png")
    with tarfile.open(tmp_path / f"{GOLDFISH}.tar", "w") as tar:  # as ImageNet's own training archive holds them
        tar.add(tmp_path / TENCH / "a.png", "a.png")
    assert set(found(tmp_path / TENCH).values()) == {0}
    assert set(found(tmp_path / TENCH / "images").values()) == {0}
    assert found(tmp_path / f"{GOLDFISH}.tar") == {"a.png": 1}
    monkeypatch.chdir(tmp_path / TENCH)
    assert set(found(".").values()) == {0}


def test_numbered_folders_are_classes_where_that_is_asked_for(tmp_path):
    root = made(tmp_path / "2", "0/a.png", "007/images/b.png", "999/c.png", "1000/d.png", "e.png")
    assert set(found(root).values()) == {-1}
    assert found(root, labels.INDEX) == {
        "0/a.png": 0, "007/images/b.png": 7, "999/c.png": 999, "1000/d.png": 2, "e.png": 2
    }  # fmt: skip
    assert found(root / "0", labels.INDEX) == {"a.png": 0}
    assert set(found(made(tmp_path / "w", f"{TENCH}/a.png"), labels.NONE).values()) == {-1}


VAL = [f"ILSVRC2012_val_{i:08d}" for i in (1, 2)]


def kit(folder: Path, how: str) -> None:
    """The development kit: 50 000 numbers in an order of its own, of which 490 is the first photograph's sea snake."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = ["490", "361", *["1"] * 49_998]
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(numbers) + "\n")
    order = np.roll(np.arange(1000), 490 - 1 - 65)  # so that number 490 is class 65
    wnids = [classes()[i].wnid for i in order]
    if how == "map":
        rows = [f"{wnid} {number} name_{number}" for number, wnid in enumerate(wnids, start=1)]
        (folder / "map_clsloc.txt").write_text("\n".join(reversed(rows)))
    elif how == "mat":
        io = pytest.importorskip("scipy.io")
        synsets = np.zeros(1001, [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("num_children", "O")])
        for row, (number, wnid) in zip(synsets, enumerate(wnids, start=1), strict=False):
            row["ILSVRC2012_ID"], row["WNID"], row["num_children"] = number, wnid, 0
        synsets[1000] = (1001, "n00001740", 3)  # a group of classes
        io.savemat(folder / "meta.mat", {"synsets": synsets})


@pytest.mark.parametrize("where", ["beside", "above", "kit"])
@pytest.mark.parametrize("kind", ["LOC_val_solution.csv", "val.txt", "synsets", "map", "mat"])
def test_imagenets_flat_validation_folder_with_its_ground_truth(tmp_path, kind, where):
    root = made(tmp_path / "ILSVRC" / "val", *(f"{name}.JPEG" for name in VAL))
    place = {"beside": root, "above": tmp_path, "kit": root.parent / "ILSVRC2012_devkit_t12" / "data"}[where]
    place.mkdir(parents=True, exist_ok=True)
    second = (65 + 361 - 490) % 1000
    if kind == "LOC_val_solution.csv":
        rows = [
            f"{VAL[1]},{classes()[second].wnid} 85 1 499 272 ",
            f"{VAL[0]},{SNAKE} 111 108 441 193 {SNAKE} 1 2 3 4 ",
        ]
        (place / kind).write_text("\n".join(["ImageId,PredictionString", *rows]))
    elif kind == "val.txt":
        (place / kind).write_text(f"{VAL[0]}.JPEG 65\n{VAL[1]}.JPEG {second}\n")
    elif kind == "synsets":
        names = [SNAKE, classes()[second].wnid, *[TENCH] * 49_998]
        (place / "imagenet_2012_validation_synset_labels.txt").write_text("\n".join(names))
    else:
        kit(place, kind)
    assert found(root) == {f"{VAL[0]}.JPEG": 65, f"{VAL[1]}.JPEG": second}
    assert any("labels are those of" in line for line in inventory([root]).report())
    with tarfile.open(root.parent / "val.tar", "w") as tar:
        tar.add(root / f"{VAL[0]}.JPEG", f"{VAL[0]}.JPEG")
    if where != "beside":
        assert found(root.parent / "val.tar") == {f"{VAL[0]}.JPEG": 65}


def test_the_kits_numbers_alone_say_nothing(tmp_path):
    root = made(tmp_path, f"{VAL[0]}.JPEG")
    kit(root, "alone")
    with pytest.raises(ConfigError, match=r"order of its own|own order: put that kit's meta.mat"):
        inventory([root])
    assert found(root, labels.NONE) == {f"{VAL[0]}.JPEG": -1}


def test_class_numbers_beside_other_photographs_are_not_believed(tmp_path):
    root = made(tmp_path, "cat.png", "dog.png")
    (root / "val.txt").write_text("cat.png 0\ndog.png 1\n")
    assert set(found(root).values()) == {-1}
    assert found(root, str(root / "val.txt")) == {"cat.png": 0, "dog.png": 1}
    with pytest.raises(ConfigError, match="names none of these"):
        found(made(tmp_path / "other", "x.png"), str(root / "val.txt"))


@pytest.mark.parametrize(("photo", "file"), [(f"{VAL[0]}.JPEG", "val.txt"), ("a.png", "val_annotations.txt")])
def test_a_file_that_is_called_as_one_of_labels_and_is_none_stops_nothing(tmp_path, photo, file):
    root = made(tmp_path, photo)
    (root / file).write_text("what I think\nof these photographs\n")
    assert found(root) == {photo: -1}
    with pytest.raises(ConfigError, match="line 2: 'photographs'"):
        found(root, str(root / file))


def test_tiny_imagenets_validation_has_its_wnids_in_a_file(tmp_path):
    root = made(tmp_path / "tiny", "val/images/val_0.JPEG", f"train/{TENCH}/images/{TENCH}_0.JPEG")
    (root / "val" / "val_annotations.txt").write_text(f"val_0.JPEG\t{GOLDFISH}\t0\t32\t44\t62\n")
    assert found(root) == {"val/images/val_0.JPEG": 1, f"train/{TENCH}/images/{TENCH}_0.JPEG": 0}
    assert found(root / "val") == {"images/val_0.JPEG": 1}


@pytest.mark.parametrize(
    ("names", "how", "words"),
    [
        (["0/a.png", "17/b.png"], labels.AUTO, "--labels index"),
        (["cats/a.png", "dogs/b.png"], labels.AUTO, r"2 folders \(cats, dogs\) may be classes: name them by wnid"),
        (["n99999999/a.png", "n99999998/b.png"], labels.AUTO, "not by any of the 1000 classes'"),
        ([f"{VAL[0]}.JPEG"], labels.AUTO, "put val.txt, LOC_val_solution.csv or"),
        (["cats/a.png", "dogs/b.png"], labels.INDEX, "name them by wnid"),
    ],
)
def test_nothing_labelled_where_folders_look_like_classes_is_a_warning_with_what_to_do(tmp_path, names, how, words):
    warnings = [line for line in inventory([made(tmp_path, *names)], how).report() if line.startswith("warning")]
    assert len(warnings) == 1
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(warnings[0])


def test_a_plain_folder_of_photographs_warns_of_nothing(tmp_path):
    assert list(inventory([made(tmp_path, "a.png", "b.png")]).report()) == ["photographs: 2, none of them labelled"]


# ---- torchvision's -----------------------------------------------------------------------------------------------------
@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision, "cache", lambda: tmp_path / "datasets")
    return tmp_path / "datasets"


def test_imagenette_from_the_cache(cache):
    made(cache / "imagenette2", f"val/{TENCH}/a.JPEG", f"train/{TENCH}/b.JPEG")
    assert found("torchvision:Imagenette") == {f"imagenette2/val/{TENCH}/a.JPEG": 0}
    assert found("torchvision:Imagenette:train") == {f"imagenette2/train/{TENCH}/b.JPEG": 0}
    assert load_photos(["torchvision:Imagenette"]).pixels[0].shape == (4, 6, 3)


def test_pets_are_labelled_where_their_breed_is_a_class(cache):
    root = made(cache / "oxford-iiit-pet", "images/beagle_1.jpg", "images/Bombay_2.jpg", "images/Siamese_3.jpg")
    (root / "annotations").mkdir()
    (root / "annotations" / "test.txt").write_text("beagle_1 1 2 1\nBombay_2 2 1 1\nSiamese_3 3 1 1\n")
    names = {f"oxford-iiit-pet/images/{name}.jpg": label for name, label in
             (("beagle_1", 162), ("Bombay_2", -1), ("Siamese_3", 284))}  # fmt: skip
    assert found("torchvision:OxfordIIITPet") == names
    assert classes()[162].name == "beagle"


def test_what_torchvision_cannot_give_is_one_line(cache, monkeypatch):
    from torchvision.datasets import Imagenette

    def refused(self):
        raise OSError("no network\nat all")

    monkeypatch.setattr(Imagenette, "_download", refused)
    for name, words in (
        ("Imagenette", r"neither in .*datasets nor can it be fetched: no network$"),
        ("NoSuch", "has no data set 'NoSuch'"),
        ("os", "has no data set 'os'"),
    ):
        with pytest.raises(ConfigError, match=words):
            inventory([f"torchvision:{name}"])

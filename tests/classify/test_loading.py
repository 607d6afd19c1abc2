"""Classifiers by specification."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hiercodec.classify import Preprocess, level_probabilities, load_classifier
from hiercodec.classify.loading import BUNDLED, load_own, parse_options
from hiercodec.classify.network import Net, NetConfig, StageConfig
from hiercodec.errors import ClassifierNotFound

TINY = NetConfig(4, (StageConfig(6, 2, (8,), dense=True), StageConfig(8, 2, (12,))), head=16)
LAB = Path(os.environ.get("HIERCODEC_LAB", Path(__file__).parents[2] / ".." / "shared" / "lab"))
ARCHITECTURE = "mobilenetv3_small_050"


def save_tiny(path: Path, **changes) -> None:
    torch.manual_seed(3)
    weights = {k: v.half() for k, v in Net(TINY).state_dict().items()}
    metadata = {"net": json.dumps(TINY.to_dict()), "preprocess": json.dumps(Preprocess(32).to_dict())} | changes
    save_file(weights, path, metadata)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 50, 3), (9, 7, 3), (32, 32, 3))]


def test_own_weights(tmp_path, pictures):
    save_tiny(tmp_path / "own.safetensors")
    (tmp_path / "own.json").write_text('{"kind": "classifier"}')
    c = load_classifier(str(tmp_path / "own.safetensors"))
    assert (c.name, c.card, c.preprocess.size) == ("own", {"kind": "classifier"}, 32)
    assert len(c.weights_id) == 12
    p = c.probabilities(pictures)
    assert p.shape == (3, 1000)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(c.probabilities(pictures[1:2])[0], p[1], atol=1e-5)  # batches do not matter
    assert c.probabilities([]).shape == (0, 1000)
    assert not any(q.requires_grad or q.dtype != torch.float32 for q in c.module.parameters())


def test_probabilities_are_the_softmax_of_the_module(tmp_path, pictures):
    save_tiny(tmp_path / "own.safetensors")
    c = load_own(tmp_path / "own.safetensors", name="own")
    x = torch.from_numpy(np.stack([c.preprocess(p) for p in pictures]))
    expected = c.module(x).softmax(-1).numpy()
    np.testing.assert_allclose(c.probabilities(pictures), expected, atol=1e-5)


def test_more_pictures_than_a_batch(tmp_path, pictures):
    save_tiny(tmp_path / "own.safetensors")
    c = load_own(tmp_path / "own.safetensors", name="own")
    p = c.probabilities(pictures * 12)
    np.testing.assert_allclose(p[33:], p[:3], atol=1e-5)


def test_weights_id_names_the_content(tmp_path):
    save_tiny(tmp_path / "a.safetensors")
    save_tiny(tmp_path / "b.safetensors", preprocess=json.dumps(Preprocess(64).to_dict()))
    a, b = (load_own(tmp_path / f"{n}.safetensors", name=n).weights_id for n in "ab")
    assert a != b


def test_timm_with_local_weights(tmp_path, pictures):
    import timm

    torch.manual_seed(0)
    module = timm.create_model(ARCHITECTURE)
    path = tmp_path / "w.safetensors"
    save_file({k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()}, path)
    c = load_classifier(f"timm:{ARCHITECTURE}@{path}?mean=0.5&std=0.25,0.5,1&crop=0.9&size=64&interpolation=bilinear")
    assert c.preprocess == Preprocess(64, 0.9, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.5, 1.0))
    assert c.name == f"timm:{ARCHITECTURE}"
    p = c.probabilities(pictures)
    x = torch.from_numpy(np.stack([c.preprocess(q) for q in pictures]))
    with torch.no_grad():
        expected = module.eval()(x).softmax(-1).numpy()
    np.testing.assert_allclose(p, expected, atol=2e-3)
    assert load_classifier(f"timm:{ARCHITECTURE}@{path}").preprocess.crop == 0.875  # timm's own, where nothing is said


def test_timm_without_a_network(monkeypatch):
    import timm

    def offline(*_args, **_kwargs):
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(ClassifierNotFound, match="no route to host") as info:
        load_classifier(f"timm:{ARCHITECTURE}")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("best", "known are"),
        ("", "known are"),
        ("timm:no_such_model", "no model"),
        ("timm:hf-hub:someone/something", "no model"),
        ("timm:", "no model"),
        ("none.safetensors", "no classifier weights"),
        (f"timm:{ARCHITECTURE}@none.safetensors", "no classifier weights"),
        (f"timm:{ARCHITECTURE}@none.safetensors?colour=3", "unknown classifier option"),
        (f"timm:{ARCHITECTURE}@none.safetensors?crop=much", "cannot be"),
    ],
)
def test_one_line_for_what_does_not_exist(spec, text):
    with pytest.raises(ClassifierNotFound, match=text) as info:
        load_classifier(spec)
    assert "\n" not in str(info.value)


def test_files_that_are_no_classifier(tmp_path):
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    save_tiny(tmp_path / "odd.safetensors", net=json.dumps(NetConfig().to_dict()))
    for name in ("junk", "other", "odd"):
        with pytest.raises(ClassifierNotFound) as info:
            load_classifier(str(tmp_path / f"{name}.safetensors"))
        assert "\n" not in str(info.value)
    with pytest.raises(ClassifierNotFound, match="does not fit"):
        load_classifier(f"timm:{ARCHITECTURE}@{tmp_path / 'other.safetensors'}")


def test_options():
    assert parse_options("pad_type=same&mean=0.5&crop=1&size=96") == (
        {"pad_type": "same"},
        {"mean": (0.5, 0.5, 0.5), "crop": 1.0, "size": 96},
    )
    assert parse_options("") == ({}, {})


@pytest.mark.skipif(not BUNDLED.is_file(), reason="no bundled weights in this checkout")
def test_bundled(pictures):
    c = load_classifier()
    assert c.name == "bundled"
    assert c.card["weights_id"] == c.weights_id  # the card is about these weights
    assert c.card["parameters"] == sum(p.numel() for p in c.module.parameters()) <= 4_000_000
    np.testing.assert_allclose(c.probabilities(pictures).sum(1), 1, atol=1e-5)


# -- with the lab


def validation(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Every (1000 / n)th of the lab's validation photographs, straight out of the tar."""
    import tarfile

    from hiercodec.images import read_rgb
    from hiercodec.taxonomy import classes

    index = {c.wnid: c.index for c in classes()}
    with tarfile.open(LAB / "images" / "val-0.tar") as tar:
        members = sorted((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.name)
        members = members[:: len(members) // n][:n]
        return (
            [read_rgb(tar.extractfile(m).read()) for m in members],
            np.array([index[Path(m.name).parent.name] for m in members]),
        )


@pytest.mark.lab
@pytest.mark.skipif(not (LAB / "classifiers").is_dir(), reason="no lab")
def test_lab_teacher_and_bundled():
    from hiercodec.taxonomy import load_hierarchy

    h = load_hierarchy()
    weights = LAB / "classifiers" / "mobilenetv2_100_same.safetensors"
    teacher = load_classifier(f"timm:mobilenetv2_100@{weights}?pad_type=same&mean=0.5&std=0.5&crop=0.875")
    photos, labels = validation(60)
    right = {
        c.name: [
            float((q.argmax(1) == level.assignment[labels]).mean())
            for level, q in zip(h.levels, level_probabilities(c.probabilities(photos), h).values(), strict=True)
        ]
        for c in ([teacher, load_classifier()] if BUNDLED.is_file() else [teacher])
    }
    assert right[teacher.name][0] > 0.8
    assert right[teacher.name][-1] > 0.6
    if "bundled" in right:
        measured = load_classifier().card["measured"]["top1_percent_with_95_interval"][h.name]
        for got, level in zip(right["bundled"], h.levels, strict=True):
            assert abs(100 * got - measured[level.name]["top1"]) < 20  # 60 photographs: three standard errors

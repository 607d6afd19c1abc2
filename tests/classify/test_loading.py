"""Classifiers by specification: timm's architectures with local weights, and with the hub's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hiercodec.classify import Preprocess, level_probabilities, load_classifier
from hiercodec.errors import ClassifierNotFound

LAB = Path(os.environ.get("HIERCODEC_LAB", Path(__file__).parents[2] / ".." / "shared" / "lab"))
ARCHITECTURE = "mobilenetv3_small_050"
OPTIONS = "mean=0.5&std=0.25,0.5,1&crop=0.9&size=64&interpolation=bilinear"


@pytest.fixture(scope="module")
def module():
    import timm

    torch.manual_seed(0)
    return timm.create_model(ARCHITECTURE).eval()


@pytest.fixture(scope="module")
def weights(module, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file({k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()}, path)
    return path


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 50, 3), (9, 7, 3), (32, 32, 3))]


def test_timm_with_local_weights(module, weights, pictures):
    c = load_classifier(f"timm:{ARCHITECTURE}@{weights}?{OPTIONS}")
    assert c.preprocess == Preprocess(64, 0.9, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.5, 1.0), "center")
    assert c.name == f"timm:{ARCHITECTURE}"
    p = c.probabilities(pictures)
    assert (p.shape, p.dtype) == ((3, 1000), np.float32)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    x = torch.from_numpy(np.stack([c.preprocess(q) for q in pictures]))
    with torch.no_grad():
        expected = module(x).softmax(-1).numpy()
    np.testing.assert_allclose(p, expected, atol=2e-3)
    np.testing.assert_allclose(c.probabilities(pictures[1:2])[0], p[1], atol=1e-5)  # batches do not matter
    assert c.probabilities([]).shape == (0, 1000)
    assert not any(q.requires_grad or q.dtype != torch.float32 for q in c.module.parameters())
    assert (
        load_classifier(f"timm:{ARCHITECTURE}@{weights}").preprocess.crop == 0.875
    )  # timm's own, where nothing is said


def test_more_pictures_than_a_batch(weights, pictures):
    c = load_classifier(f"timm:{ARCHITECTURE}@{weights}?size=64")
    p = c.probabilities(pictures * 12)
    np.testing.assert_allclose(p[33:], p[:3], atol=1e-5)


def test_the_temperature_is_in_the_probabilities_and_moves_no_answer(weights, pictures):
    plain = load_classifier(f"timm:{ARCHITECTURE}@{weights}?size=64")
    warm = load_classifier(f"timm:{ARCHITECTURE}@{weights}?size=64&temperature=0.01")
    logits = plain.logits(pictures)
    np.testing.assert_allclose(warm.logits(pictures), logits)
    expected = torch.from_numpy(logits / 0.01).softmax(-1).numpy()
    np.testing.assert_allclose(warm.probabilities(pictures), expected, atol=1e-5)
    np.testing.assert_array_equal(warm.probabilities(pictures).argmax(1), plain.probabilities(pictures).argmax(1))
    with pytest.raises(ClassifierNotFound, match="temperature must be above 0"):
        load_classifier(f"timm:{ARCHITECTURE}@{weights}?temperature=0")


def test_weights_are_named_by_the_file_s_content(weights, tmp_path):
    import hashlib

    copy = shutil.copy(weights, tmp_path / "other name.safetensors")
    c = load_classifier(f"timm:{ARCHITECTURE}@{copy}")
    assert c.sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert c.weights_id == c.sha256[:12]


def test_the_hub_s_cache_is_enough(weights, module, pictures, tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub import constants

    def fetched(*_args, **_kwargs):
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetched)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / f"models--timm--{ARCHITECTURE}.lamb_in1k"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    shutil.copy(weights, folder / "snapshots" / "abc" / "model.safetensors")
    c = load_classifier(f"timm:{ARCHITECTURE}")
    x = torch.from_numpy(np.stack([c.preprocess(q) for q in pictures]))
    with torch.no_grad():
        expected = module(x).softmax(-1).numpy()
    np.testing.assert_allclose(c.probabilities(pictures), expected, atol=2e-3)
    assert c.weights_id == load_classifier(f"timm:{ARCHITECTURE}@{weights}").weights_id


def test_without_a_network_nothing_is_built(monkeypatch, tmp_path):
    import huggingface_hub
    import timm
    from huggingface_hub import constants

    def offline(*_args, **_kwargs):
        raise OSError("no route to host\nand more")

    def built(*_args, **_kwargs):
        raise AssertionError("built before its weights are there")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    monkeypatch.setattr(timm, "create_model", built)
    for spec in (f"timm:{ARCHITECTURE}", "timm:vit_giant_patch14_224", f"timm:{ARCHITECTURE}@none.safetensors"):
        with pytest.raises(ClassifierNotFound) as info:
            load_classifier(spec)
        assert "\n" not in str(info.value)
    with pytest.raises(ClassifierNotFound, match="no route to host"):
        load_classifier(f"timm:{ARCHITECTURE}")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("best", "known are"),
        ("bundled", "known are"),
        ("", "known are"),
        ("none", "having none"),
        ("timm:no_such_model", "no model"),
        ("timm:hf-hub:someone/something", "no model"),
        ("timm:", "no model"),
        ("timm:resnet50.no_such_tag", "no model|no weights"),
        ("timm:vit_base_patch16_224.augreg_in21k", "21843 classes"),
        (f"timm:{ARCHITECTURE}@none.safetensors", "no classifier weights"),
        (f"timm:{ARCHITECTURE}@none.safetensors?colour=3", "option colour: Unexpected keyword argument"),
        (f"timm:{ARCHITECTURE}@none.safetensors?crop=much", "option crop: Input should be a valid number"),
    ],
)
def test_one_line_for_what_does_not_exist(spec, text):
    with pytest.raises(ClassifierNotFound, match=text) as info:
        load_classifier(spec)
    assert "\n" not in str(info.value)


def test_files_that_are_no_classifier(tmp_path):
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    for name, text in (("junk", "no classifier weights"), ("other", "does not fit")):
        with pytest.raises(ClassifierNotFound, match=text) as info:
            load_classifier(f"timm:{ARCHITECTURE}@{tmp_path / name}.safetensors")
        assert "\n" not in str(info.value)


# -- with the lab


def validation(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """`n` of the lab's validation photographs, evenly spaced, and their classes."""
    from hiercodec.evaluation.photos.dataset import load_photos

    photos = load_photos([LAB / "images" / "val-0.tar"]).spread(n)
    return photos.pixels, photos.labels


@pytest.mark.lab
@pytest.mark.skipif(not (LAB / "classifiers").is_dir(), reason="no lab")
def test_lab_classifiers_know_photographs():
    from hiercodec.taxonomy import load_hierarchy

    h = load_hierarchy()
    weights = LAB / "classifiers" / "mobilenetv2_100_same.safetensors"
    photos, labels = validation(60)
    for spec in (f"timm:mobilenetv2_100@{weights}?pad_type=same&mean=0.5&std=0.5&crop=0.875", "lite0", "lite2"):
        levels = level_probabilities(load_classifier(spec).probabilities(photos), h)
        right = [
            (q.argmax(1) == level.assignment[labels]).mean() for level, q in zip(h.levels, levels.values(), strict=True)
        ]
        assert right[0] > 0.8, spec
        assert right[-1] > 0.6, spec

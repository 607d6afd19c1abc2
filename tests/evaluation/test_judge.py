"""Whether a judge sat in a codec's loss, from the codec's card."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from hiercodec.classify.catalog import architecture_of
from hiercodec.evaluation.provenance import describe, in_loss, loss_classifiers
from hiercodec.installed import MODELS

V2 = "timm:mobilenetv2_100@some/file.safetensors?pad_type=same"
CARD = {"training": {"classifiers": [V2]}, "started_from": {"training": {"classifiers": ["lite2", "timm:resnet50"]}}}


@pytest.mark.parametrize(
    ("name", "sat"),
    [("timm:mobilenetv2_100", True), ("lite2", True), ("timm:resnet50.a1_in1k", True), ("lite0", False)],
)
def test_a_run_counts_with_those_it_started_from(name, sat):
    assert in_loss(name, CARD) is sat


def test_the_same_network_under_another_name_is_the_same():
    assert in_loss("timm:tf_efficientnet_lite2.in1k", CARD) is True


def test_who_steered_the_encoder_counts_like_one_in_the_loss():
    assert in_loss("lite0", {**CARD, "steered_by": ["lite0"]}) is True
    assert in_loss("timm:resnet18", {**CARD, "steered_by": ["lite0"]}) is False
    assert in_loss("timm:tf_efficientnet_lite0.in1k", {"steered_by": ["lite0"]}) is True


def test_no_card_no_word():
    assert in_loss("lite0", {}) is None
    assert in_loss("lite0", {"training": {"classifier": ""}, "started_from": None}) is False


def test_the_shipped_codec_s_own_classifier_is_named():
    card = json.loads((MODELS.folder / "lite.json").read_text(encoding="utf-8"))
    assert {architecture_of(name) for name in loss_classifiers(card)} == {"mobilenetv1_100", "mobilenetv2_100"}
    assert all(in_loss(used, card) for used in card["training"]["classifiers"])
    assert in_loss("lite0", card) is in_loss("lite2", card) is False
    judge = SimpleNamespace(name="lite0", sha256="ab" * 32, temperature=1.2)
    assert describe(judge, {"lite": card, "own": {}}) == {
        "sha256": "ab" * 32,
        "temperature": 1.2,
        "in_loss": {"lite": False, "own": None},
    }

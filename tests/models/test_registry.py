"""Parts by name: unknown names list the known, presets name every wrong field, orders are real."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hiercodec import stream
from hiercodec.errors import ConfigError, ModelMismatch
from hiercodec.levels import OWN_LAYOUT, PAPER_PLAN
from hiercodec.models import HierNetwork, Preset, store
from hiercodec.models.channels.backbones import BACKBONES
from hiercodec.models.channels.order import ORDERS, coding_order
from hiercodec.models.registry import Backbone
from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec
from tests.stream.conftest import order


@pytest.mark.parametrize(
    ("field", "known"), [("transform", "lite, tic"), ("context", "attention, conv"), ("order", "raster, sigma")]
)
def test_an_unknown_part_is_refused_with_the_known_ones(field, known):
    with pytest.raises(ConfigError, match=f"{field}: .*'new'; known: {known}"):
        TINY_LITE.scaled(**{field: "new"})


def test_a_registry_refuses_what_it_lacks():
    with pytest.raises(ConfigError, match="no transform 'new'; known: lite, tic"):
        BACKBONES["new"]


def test_every_wrong_field_of_a_preset_is_named():
    values = TINY_LITE.to_dict() | {"n": "eight", "width": -3, "dead_zone": [0.7, 0.1, 0.1], "plan": 99, "colour": 1}
    values["linear"] = {"blocks": [{"spans": [[0, 40]], "step": 0}], "spatial": [-1]}
    del values["n_hyper"]
    with pytest.raises(ConfigError) as caught:
        Preset.from_dict(values)
    linear = ("linear.blocks.0.step", "linear.spatial.0")
    for name in ("n", "n_hyper", "width", "dead_zone.0", "plan", "colour", *linear):
        assert f"{name}: " in str(caught.value)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"names": ["a", "b"], "cuts": [1, 2]}, "'ks' is missing"),
        ({"names": ["a", 2], "cuts": [1, 2], "ks": [1, 2]}, "words, not 2"),
        ({"names": ["a", "2"], "cuts": [1, 2], "ks": [1, 2]}, "words, not '2'"),
        ({"names": ["a", "z"], "cuts": [1, 2], "ks": [1, 2]}, "other parts"),
        ({"names": ["a", "b"], "cuts": [2, 1], "ks": [1, 2]}, "expected to start"),
        ({"names": ["a", "b"], "cuts": ["1", 2], "ks": [1, 2]}, "plan: "),
        ("paper", "plan: "),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan, message):
    with pytest.raises(ConfigError, match=message):
        TINY_LITE.scaled(plan=plan)


@pytest.mark.parametrize("values", [5, [], None, {"linear": {"blocks": [{"spans": [[0, 10**12]], "step": 1}]}}])
def test_what_is_no_preset_is_one_clear_error(values):
    with pytest.raises(ConfigError, match="not a model preset"):
        Preset.from_dict(values)


def test_a_preset_has_one_dead_zone_and_one_linear_block_a_level():
    with pytest.raises(ConfigError, match=r"dead_zone: 3 for 2 levels; linear\.blocks: 3 for 2 levels"):
        TINY_LITE.scaled(plan={"names": ["a", "b"], "cuts": [100, 320], "ks": [10, 1000]})


@pytest.mark.parametrize("preset", [TINY_LITE, TINY_TIC], ids=lambda preset: preset.name)
def test_a_preset_comes_back_from_its_card(preset):
    five = preset.scaled(
        plan={"names": list("abcde"), "cuts": [64, 128, 192, 256, 320], "ks": [2, 10, 50, 100, 1000]},
        linear=None, dead_zone=(0.1,) * 5, order="raster",
    )  # fmt: skip
    for one in (preset, five):
        assert Preset.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_a_backbone_of_one_s_own_is_registered_by_name(monkeypatch):
    """Nothing but the registry has to know of it."""

    def layer(c_in: int, c_out: int, stride: int):
        return nn.Conv2d(c_in, c_out, stride, stride) if stride > 1 else nn.Conv2d(c_in, c_out, 1)

    mine = Backbone(
        f_a=lambda p: layer(3, p.m, 16),
        f_s=lambda p: nn.ConvTranspose2d(p.m, 3, 16, 16),
        h_a=lambda p: nn.Sequential(nn.AvgPool2d(4, 4, ceil_mode=True), layer(p.m, p.n_hyper, 1)),
        h_s=lambda p: nn.Sequential(nn.Upsample(scale_factor=4), layer(p.n_hyper, p.width, 1)),
    )
    monkeypatch.setitem(BACKBONES, "mine", mine)
    network = HierNetwork(TINY_TIC.scaled(transform="mine"))
    assert network.g_s(network.g_a(torch.rand(1, 3, 32, 48)).open_loop(PAPER_PLAN)).shape == (1, 3, 32, 48)


@pytest.mark.parametrize("policy", ORDERS)
def test_an_order_is_a_permutation_for_numpy_and_torch_alike(policy):
    indexes = np.random.default_rng(0).integers(0, 64, (3, 5, 4)).astype(np.uint8)
    rank = coding_order(policy, indexes)
    assert sorted(rank.tolist()) == list(range(60))
    ranks = ORDERS[policy](torch.from_numpy(indexes).long()).flatten()
    assert torch.argsort(ranks, stable=True).tolist() == rank.tolist()


def test_sigma_is_the_order_of_the_format():
    indexes = np.random.default_rng(1).integers(0, 64, 500).astype(np.uint8)
    assert np.array_equal(coding_order("sigma", indexes), order(indexes))
    assert coding_order("raster", indexes).tolist() == list(range(500))


def test_the_same_weights_in_another_order_decode_alike_and_are_told_apart(tiny_lite, photo, tmp_path):
    """Whole files hold the same symbols; a cut loses others; neither codec takes the other's stream."""
    make_codec(TINY_LITE, tmp_path)
    tensors = load_file(tmp_path / "tiny-lite.safetensors")
    raster = store.build(TINY_LITE.scaled(order="raster"), tensors, name="raster")
    ours, theirs = tiny_lite.encode(photo), raster.encode(photo)
    assert stream.parse(ours).header.plan_id == 1
    assert stream.parse(theirs).header.plan_id == OWN_LAYOUT + 3
    assert np.array_equal(tiny_lite.decode(ours).image, raster.decode(theirs).image)
    cut = (raster.parse(theirs).cuts()["coarse"] + stream.parse(theirs).z.end) // 2
    kept, sorted_kept = raster.prefixes(theirs).latent(cut), tiny_lite.prefixes(ours).latent(cut)
    assert kept[1] is None
    assert kept[2]
    assert not torch.equal(kept[0], sorted_kept[0])
    for codec, data in ((raster, ours), (tiny_lite, theirs)):
        with pytest.raises(ModelMismatch):
            codec.decode(data)

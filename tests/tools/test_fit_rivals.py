"""What the ordering rivals are fitted by: each part does what it claims on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch

from hiercodec import stream
from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from tests.models.tiny import smooth_photo
from tools import fit_rivals as rivals
from tools.orders import context
from tools.orders.backbone import Backbone
from tools.orders.fitted import load, save
from tools.orders.peer import OrderPeer
from tools.orders.policies import POLICIES, Prior, write


@pytest.fixture(scope="module")
def fitted(tiny_lite):
    rng = np.random.default_rng(1)
    judge = Classifier("net", timm.create_model("mobilenetv2_050"), Preprocess(size=64), "0" * 64)
    return rivals.fit(tiny_lite, [smooth_photo(rng, 64, 64) for _ in range(6)], judge, steps=60)


def test_a_fit_codes_photographs_in_fewer_bits_than_none(fitted, tiny_lite, tmp_path):
    path = tmp_path / "fit.safetensors"
    save(path, fitted)
    again = load(path, tiny_lite.fingerprint)
    assert again.card["photos"] == 6
    rgb = smooth_photo(np.random.default_rng(9), 64, 80)
    peers = {name: OrderPeer(Backbone(tiny_lite, again), name) for name in POLICIES if name != "single"}
    sizes = {name: len(peer.encode(rgb)) for name, peer in peers.items()}
    assert max(sizes.values()) - min(sizes.values()) < 0.25 * sizes["sigma"]
    zeroed = {n: 0 * a if n.startswith("head.") else a for n, a in again.tensors.items()}
    unfitted = OrderPeer(Backbone(tiny_lite, rivals.Fitted(zeroed, again.card)), "sigma")
    assert sizes["sigma"] < len(unfitted.encode(rgb))


def test_the_integers_have_their_ranges(fitted, tiny_lite):
    channels = len(rivals.Flat(tiny_lite.network).channels)
    given = fitted.policies
    assert sorted(given["channel"]) == list(range(channels))
    assert given["steps"].shape == (len(rivals.LAYERS) + 1, channels)
    assert (np.diff(given["steps"], axis=0) <= 0).all(), "a later layer never knows less"
    assert not given["steps"][-1].any()
    assert np.abs(given["task"]).max() <= 6
    assert given["refine"].shape == (context.PLANES + 1, context.CLASSES**2)


def test_layers_follow_the_price_of_a_bit():
    bits = np.array([[9.0, 9], [6, 6], [4, 4], [2, 2], [1, 1], [0, 0]])
    error = np.array([[0.0, 0], [1, 10], [4, 40], [16, 160], [64, 640], [256, 2560]])
    steps = rivals.layers(bits, error)
    assert (steps[:, 1] <= steps[:, 0]).all(), "where an error weighs ten times, the step is finer"
    spent = [bits[np.minimum(row, rivals.WIDEST), [0, 1]].sum() / 18 for row in steps]
    assert all(paid <= share for paid, share in zip(spent, rivals.LAYERS, strict=False))


def test_channels_stand_by_error_removed_per_bit_and_planes_by_weight():
    bits, error = np.zeros((6, 3)), np.zeros((6, 3))
    bits[0], error[rivals.WIDEST] = [10, 10, 20], [10, 30, 40]
    assert rivals.order_of_channels(bits, error).tolist() == [2, 0, 1]
    assert rivals.shifts_of_planes(np.array([1.0, 9, 81, 9, 9])).tolist() == [-3, 0, 3, 0, 0]


def test_context_learns_that_scales_promised_too_much():
    """Symbols far smaller than their scales say: after the first planes, scales go down, and the file gets smaller."""
    rng, shape = np.random.default_rng(0), (16, 8, 8)
    scale = np.full(shape, 40, np.uint8)
    few = []
    for _ in range(3):
        symbols = np.round(rng.normal(0, 0.3 * stream.scale_table()[40], shape)).astype(np.int32)
        nothing = torch.zeros(0)
        few.append(rivals.Coded(nothing, nothing, nothing, nothing, scale, symbols))
    shifts = rivals.fit_context(few)
    assert shifts.min() < 0
    assert not shifts[0].any(), "a symbol that is known has no trit left"
    prior = Prior(scale, np.zeros((8, 8), np.int64), {"refine": shifts})
    symbols = np.round(rng.normal(0, 0.3 * stream.scale_table()[40], shape)).astype(np.int32)
    assert len(write(POLICIES["trit+refine"], symbols, prior)) < 0.97 * len(write(POLICIES["trit"], symbols, prior))


def test_sensitivity_is_the_error_that_a_step_makes(tiny_lite, fitted):
    """Hutchinson's probe against a step taken: the squared change of the picture, summed over its pixels."""
    base, rng = Backbone(tiny_lite, fitted), np.random.default_rng(2)
    one = rivals.sample(tiny_lite, base.flat, smooth_photo(rng, 64, 64))
    coded = rivals.Coded(one.x, one.hyper, one.t, 0 * one.t, np.full(one.t.shape, 63, np.uint8), one.t.round().numpy())
    found = np.mean([rivals.sensitivity(tiny_lite, base.flat, [coded], None, seed) for seed in range(40)], axis=0)
    with torch.inference_mode():
        t = torch.from_numpy(coded.symbols)[None]
        step = torch.zeros_like(t)
        step[0, 3, 1, 2] = 0.01
        change = tiny_lite.network.g_s(base.flat.fill(t + step)) - tiny_lite.network.g_s(base.flat.fill(t))
    assert found[3] == pytest.approx(float((255 * change).square().sum()) / 0.01**2, rel=0.5)

"""Ordering rivals: what arrives is true at every cut, decoders see bytes only, damage is typed, and fits fit one model."""

from __future__ import annotations

import dataclasses
import errno
import itertools

import numpy as np
import pytest
import torch

from hiercodec import fsio, stream
from hiercodec.errors import HiercodecError, IncompleteHeader, ModelMismatch, ModelNotFound, OutputError
from hiercodec.evaluation.codecs.rivals import rival
from hiercodec.installed import models as shipped
from hiercodec.models.channels.network import HierNetwork
from tests.models.tiny import TINY_TIC, smooth_photo
from tools.orders import ORDERS, context
from tools.orders.backbone import Backbone, Flat
from tools.orders.fitted import Fitted, Head, load, path_of, save
from tools.orders.intervals import Known, tree
from tools.orders.peer import POINTS, STEPS, OrderPeer, Single, levels
from tools.orders.policies import POLICIES, Prior, arrived, write

SHAPE = (8, 3, 4)


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def prior(rng):
    fitted = {
        "channel": rng.permutation(8),
        "steps": np.array([[9] * 3 + [2] * 5, [1] * 8, [0] * 8]),
        "task": rng.integers(-2, 3, 8),
        "refine": rng.integers(-9, 10, (context.PLANES + 1, context.CLASSES**2)),
    }
    return Prior(rng.integers(0, 64, SHAPE).astype(np.uint8), rng.integers(0, 13, SHAPE[1:]), fitted)


@pytest.fixture(scope="module")
def symbols(rng, prior):
    drawn = np.round(rng.laplace(0, 1, SHAPE) * stream.scale_table()[prior.scale])
    return stream.gaussian_tables().clamp(drawn, prior.scale)


@pytest.mark.parametrize("name", POLICIES)
def test_what_arrives_is_true_at_every_length(name, prior, symbols):
    payload = write(POLICIES[name], symbols, prior)
    flat, widths = symbols.ravel(), []
    for length in range(0, len(payload), 3):
        known = arrived(POLICIES[name], payload[:length], prior, complete=False)
        assert (np.abs(flat - known.centre) <= 3**known.width // 2).all()
        widths.append(known.width)
    assert all((after <= before).all() for before, after in itertools.pairwise(widths))
    whole = arrived(POLICIES[name], payload, prior, complete=True)
    assert not whole.width.any()
    assert np.array_equal(whole.values(), flat)


@pytest.mark.parametrize("name", POLICIES)
def test_an_order_costs_no_bits(name, prior, symbols):
    """The chain rule: however a symbol is cut up, its parts cost what it costs; corrected scales are wrong ones here."""
    if name == "trit+refine":
        prior = dataclasses.replace(prior, fitted={**prior.fitted, "refine": 0 * prior.fitted["refine"]})
    ideal = stream.gaussian_tables().bits(symbols, prior.scale).sum() / 8
    assert len(write(POLICIES[name], symbols, prior)) == pytest.approx(ideal, abs=2)


@pytest.mark.parametrize(("scale", "width", "centre"), [(20, 1, 3), (40, 2, -9), (63, 3, 0), (10, 3, 0), (50, 1, 39)])
def test_the_tree_s_moments_are_those_of_the_table(scale, width, centre):
    pmf = stream.gaussian_tables().pmfs[scale] / 2**24
    q = np.arange(len(pmf)) - len(pmf) // 2
    inside = np.abs(q - centre) <= 3**width // 2
    p = pmf[inside] / pmf[inside].sum()
    mean, thirds = p @ q[inside], p.reshape(3, -1)
    number = tree().number(np.array(scale), np.array(width), np.array(centre))
    assert tree().mean[number] == pytest.approx(mean)
    assert tree().variance[number] == pytest.approx(p @ (q[inside] - mean) ** 2)
    assert tree().trits.pmfs[number] / 2**24 == pytest.approx(thirds.sum(1), abs=1e-6)
    after = sum(third.sum() * np.cov(part, aweights=third, ddof=0) if len(part) > 1 else 0
                for part, third in zip(q[inside].reshape(3, -1), thirds, strict=True))  # fmt: skip
    share = thirds.sum(1)
    worth = (tree().variance[number] - float(after)) / -(share * np.log2(share)).sum()
    assert tree().gain[number] == pytest.approx(worth, rel=1e-6)


def test_trits_are_sent_by_what_they_are_worth(prior):
    known = Known(prior.scale.ravel())
    step = next(iter(POLICIES["trit"](known, prior)))
    assert (np.diff(tree().gain[known.numbers(step.where)]) <= 1e-12).all()
    assert set(known.width[step.where]) == {known.width.max()}, "the most significant plane comes first"


def test_neighbours_correct_a_scale(prior):
    shape, scale = (3, 4, 5), np.full(60, 20)
    known = Known(scale)
    known.width[:], known.centre[:] = 1, 0
    known.centre.reshape(shape)[1, 2, 2] = 9
    classes = context.classes(scale, known, shape).reshape(shape)
    quiet, loud = classes[0, 0, 0], classes[1, 1, 1]
    assert loud // context.CLASSES > quiet // context.CLASSES, "a large neighbour in the channel"
    assert classes[0, 2, 2] % context.CLASSES > quiet % context.CLASSES, "a large symbol at the place"
    deeper = int(np.searchsorted(tree().depth, tree().depth[50]))
    moved = context.moved(np.array([0, 20, 50, 63]), np.array([-5, 3, -9, 4]))
    assert moved.tolist() == [0, 23, deeper, 63], "not into a tree where intervals have other numbers"
    assert 41 < deeper < 50


@pytest.fixture(scope="module")
def fit(tiny_lite):
    torch.manual_seed(0)
    channels = len(Flat(tiny_lite.network).channels)
    head = Head(tiny_lite.network.preset.width, channels)
    tensors = {f"head.{name}": value.half().numpy() for name, value in head.state_dict().items()}
    integers = {
        "channel": np.arange(channels)[::-1],
        "steps": np.array([[9, 2] * (channels // 2), [1] * channels, [0] * channels]),
        "task": np.arange(channels) % 9 - 4,
        "refine": np.ones((context.PLANES + 1, context.CLASSES**2)),
    }
    tensors |= {name: array.astype(np.int16) for name, array in integers.items()}
    tensors["saliency"] = np.random.default_rng(0).normal(size=tiny_lite.network.preset.width + 1).astype(np.float32)
    return Fitted(tensors, {"fingerprint": tiny_lite.fingerprint.hex()})


@pytest.fixture(scope="module")
def rgb(rng):
    return smooth_photo(rng, 75, 90)


def peer(name: str, codec, fit):
    """A rival that remembers nothing: its backbone is new."""
    if name.startswith("order:levels"):
        return levels(codec, name, "raster" if "unsorted" in name else "sigma")
    base = Backbone(codec, fit)
    return Single(base) if name == "order:single" else OrderPeer(base, name.removeprefix("order:"))


@pytest.mark.parametrize("name", ORDERS)
def test_points_are_what_their_bytes_decode_to(name, tiny_lite, fit, rgb):
    one = peer(name, tiny_lite, fit)
    points = list(one.points(rgb))
    sizes = [point.bytes for point in points]
    assert len(points) == POINTS == len({point.setting for point in points})
    assert sizes[0] < sizes[-1]
    assert name == "order:single" or sizes == sorted(set(sizes)), "more bytes at every cut"
    assert one.name == name
    assert one.provenance()["fingerprint"]
    if name.startswith("order:levels"):
        data, decode = one.codec.encode(rgb), lambda cut: peer(name, tiny_lite, fit).codec.decode(cut).image
    else:
        data, decode = one.encode(rgb), lambda cut: peer(name, tiny_lite, fit).decode(cut)
    assert sizes[-1] == len(data)
    for i, point in enumerate(points):
        bytes_ = one.encode(rgb, i) if name == "order:single" else data[: point.bytes]
        assert len(bytes_) == point.bytes
        assert np.array_equal(decode(bytes_), point.picture)
    mistakes = [np.square(point.picture.astype(float) - points[-1].picture).mean() for point in points]
    assert mistakes[-1] == 0 < mistakes[0]


def test_all_orders_of_one_block_end_at_the_same_picture(tiny_lite, fit, rgb):
    ends = [peer(f"order:{name}", tiny_lite, fit).latent(peer(f"order:{name}", tiny_lite, fit).encode(rgb))
            for name in POLICIES]  # fmt: skip
    assert all(np.array_equal(t_hat, ends[0][0]) and exact == 1 for t_hat, exact in ends)


def test_a_cut_anywhere_decodes_and_damage_is_told(tiny_lite, fit, rgb):
    one = peer("order:trit", tiny_lite, fit)
    data = one.encode(rgb)
    header = stream.parse(data).header_bytes
    shares = [one.latent(data[:n])[1] for n in range(header, len(data), 7)]
    assert shares == sorted(shares)
    with pytest.raises(IncompleteHeader):
        one.latent(data[: header - 1])
    for position in range(0, len(data), 5):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(HiercodecError):
            one.decode(bytes(damaged))
    with pytest.raises(ModelMismatch, match="not a stream of order:sigma"):
        peer("order:sigma", tiny_lite, fit).decode(data)
    with pytest.raises(ModelMismatch):
        one.decode(tiny_lite.encode(rgb))


def test_a_file_of_one_block_names_its_step(tiny_lite, fit, rgb):
    one = peer("order:single", tiny_lite, fit)
    data = one.encode(rgb, 0)
    parsed = stream.parse(data)
    (block,) = parsed.blocks
    bad = stream.write(parsed.header, parsed.z.payload, [bytes([len(STEPS)]) + block.payload[1:]], [block.check])
    with pytest.raises(HiercodecError, match="no quantisation step"):
        one.decode(bad)
    assert one.latent(data[:-1])[1] == 0, "a file that cannot be cut shows nothing before it is whole"


def test_a_fit_is_one_model_s(tiny_lite, fit, tmp_path):
    path = path_of(tmp_path / "tiny.safetensors")
    with pytest.raises(ModelNotFound, match=r"tools\.fit_rivals"):
        load(path, tiny_lite.fingerprint)
    save(path, fit)
    again = load(path, tiny_lite.fingerprint)
    assert again.card == fit.card
    assert all(np.array_equal(again.tensors[name], fit.tensors[name]) for name in fit.tensors)
    assert Backbone(tiny_lite, again).mark("trit") == Backbone(tiny_lite, fit).mark("trit")
    assert Backbone(tiny_lite, fit).mark("trit") != Backbone(tiny_lite, fit).mark("sigma")
    with pytest.raises(ModelMismatch, match="was fitted to model"):
        load(path, b"othr")
    path.write_bytes(b"no safetensors")
    with pytest.raises(ModelNotFound, match="not a fit"):
        load(path, tiny_lite.fingerprint)


def test_a_disk_that_is_full_leaves_the_fit_that_was_there(tiny_lite, fit, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = path_of(tmp_path / "tiny.safetensors")
    save(path, fit)
    before = path.read_bytes()
    monkeypatch.setattr(fsio.os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot write .*No space left"):
        save(path, fit)
    assert [path.read_bytes(), *tmp_path.iterdir()] == [before, path]


def test_the_shipped_fit_is_the_shipped_model_s():
    """Whoever ships other weights fits the rivals to them: `python -m tools.fit_rivals` (docs/rivals.md)."""
    card = shipped()["lite"]
    assert load(path_of("lite"), bytes.fromhex(card["fingerprint"])).card["photos"] > 100


def test_a_flat_latent_holds_every_component_once(tiny_lite, rgb):
    network = tiny_lite.network
    flat = Flat(network)
    components = {c for block in network.preset.linear.blocks for c in block.components}
    layered = sum(len(block.components) for block in network.preset.linear.blocks)
    assert len(flat.channels) == network.plan.channels - (layered - len(components))
    x = torch.from_numpy(np.ascontiguousarray(rgb[:64, :80])).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        latent = network.g_a(x)
        learned = latent._learned.clone()
        latent._learned *= 0
        filled = flat.fill(flat.take(latent.open_loop(network.plan)))
        shown = network.linear.reconstruct(network.linear.approximate(filled))
        expected = network.linear.reconstruct(latent._components)
    assert learned.shape[1] == network.plan.channels
    assert torch.allclose(shown, expected, atol=1e-4), "unquantised, it is the picture's own projection"


def test_a_latent_without_layers_is_flat_as_it_is():
    flat = Flat(HierNetwork(TINY_TIC))
    t = torch.randn(1, TINY_TIC.m, 2, 3)
    assert torch.equal(flat.take(t), t)
    assert torch.equal(flat.fill(t), t)


def test_evaluate_knows_them_by_the_plugin(monkeypatch, rgb):
    monkeypatch.setenv("HIERCODEC_PLUGINS", "tools.orders")
    trit, levels_ = rival("order:trit"), rival("order:levels")
    assert [len(list(peer.points(rgb))) for peer in (trit, levels_)] == [POINTS, POINTS]
    assert trit.provenance()["fingerprint"] == shipped()["lite"]["fingerprint"] != levels_.provenance()["fingerprint"]

"""Symbols and entropy parameters are the same, however the networks are computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hiercodec.models.channels.codec import Codec
from tests.models.tiny import TINY_LITE, make_codec
from tools.symbols import MEAN_STEPS, WAYS, compare, margins, parameters, work


@pytest.fixture(scope="module")
def coded(tiny_lite, photo):
    return tiny_lite.encode(photo)


def same(a: tuple, b: tuple) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a[2], b[2], strict=True))


@pytest.mark.parametrize("batch", [2, 4])
def test_a_batch_gives_a_picture_the_parameters_it_has_alone(tiny_lite, coded, batch):
    assert same(parameters(tiny_lite, coded, batch), parameters(tiny_lite, coded))


def test_they_do_not_depend_on_threads_or_kernels(tiny_lite, coded, monkeypatch):
    alone = parameters(tiny_lite, coded)
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    try:
        torch.set_num_threads(2)
        assert same(parameters(tiny_lite, coded), alone)
    finally:
        torch.set_num_threads(threads)


def test_symbols_do_not_depend_on_the_precision_or_place_of_the_transforms(tmp_path, photo, coded, tiny_lite):
    """The coding path is a copy of the parameter networks: what happens to the network does not reach it."""
    other = make_codec(TINY_LITE, tmp_path)
    other.network.double()
    with torch.no_grad():
        for parameter in other.network.parameters():
            parameter.add_(0.1)
    assert {p.dtype for p in other.coding.entropy.parameters()} == {torch.float64}
    assert torch.equal(other.prefixes(coded).latent()[0], tiny_lite.prefixes(coded).latent()[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_symbols_do_not_depend_on_a_gpu(tmp_path, coded, tiny_lite):
    other = make_codec(TINY_LITE, tmp_path)
    other.network.cuda()
    assert torch.equal(other.prefixes(coded).latent()[0], tiny_lite.prefixes(coded).latent()[0])
    assert other.decode(coded).complete


def test_what_is_rounded_is_far_from_a_boundary(tiny_lite, coded):
    """Computed in another order of sums, float64 results move by about 1e-15: nothing may lie that near an edge."""
    sigma, mu, rounded, _ = parameters(tiny_lite, coded)
    assert min(margins(sigma, mu)) > 1e-11
    assert len(rounded) == 2 * len(tiny_lite.plan)
    assert np.array_equal(np.rint(mu[:50] * MEAN_STEPS), rounded[1].ravel()[:50])


def test_the_margin_sees_what_lies_on_an_edge():
    from hiercodec import stream

    edge = stream.scale_edges()[5]
    assert margins(np.array([1.0, edge * (1 + 1e-12)]), np.array([0.01])) == pytest.approx((1e-12, 0.02125), rel=1e-3)
    assert margins(np.array([edge * 1.01]), np.array([1.5 / MEAN_STEPS + 1e-13]))[1] < 2e-13


def test_the_command_compares_streams_and_files(tmp_path, photo, tiny_lite, monkeypatch):
    """One way against another, through the files they leave; a decoder with other parameters is seen."""
    monkeypatch.setattr("tools.symbols.load_channels", lambda name, device: tiny_lite)
    pictures, streams = tmp_path / "pictures", tmp_path / "streams"
    pictures.mkdir()
    np.save(pictures / "000.npy", photo[:40, :50])
    work(WAYS["1 thread"], "tiny", pictures, streams, tmp_path / "a")
    work(WAYS["4 in a batch"], "tiny", pictures, streams, tmp_path / "b")
    found = compare(tmp_path / "b", tmp_path / "a")
    assert (found["photos"], found["symbols"], found["parameters"], found["encoded"]) == (1, 1, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Codec, "encode", lambda *_: b"other")
        work(WAYS["1 thread"], "tiny", pictures, streams, tmp_path / "c")
    assert compare(tmp_path / "c", tmp_path / "a")["encoded"] == 0

"""The context network is integer arithmetic: the same logits in any precision, order, batch and number of threads."""

import copy

import pytest
import torch

from hiercodec.models.wave.context import ContextNetwork, Integer, of_phase, pack, set_phase
from hiercodec.models.wave.wavelet import analyse


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    net = ContextNetwork(48, 9).eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False).mul_(1.5)
    net.freeze()
    return net


def state(size=(192, 256), batch=1, t=24.0):
    """Indexes of noise on a slope at twice the threshold, and at the threshold."""
    generator = torch.Generator().manual_seed(5)
    x = torch.rand(batch, 3, *size, generator=generator) * 160 + torch.linspace(0, 90, size[1])
    packed = pack(analyse(x))
    return [a.sign() * torch.floor(a.abs() / (2 * t)) for a in packed], [
        a.sign() * torch.floor(a.abs() / t) for a in packed
    ]


def logits(net, before, now, plane=7, last=4):
    """All logits of a plane whose first part tells everything."""
    out, walk = [], net.walk(before, plane, last)
    step = next(walk)
    while True:
        out.append(step.logits)
        try:
            step = walk.send(of_phase(now[step.scale], step.phase))
        except StopIteration:
            return out


@torch.inference_mode()
def test_logits_do_not_depend_on_precision_threads_batch_or_memory_format(network):
    before, now = state()
    expected = logits(network, before, now)
    assert len(expected) == 10
    assert all(part.equal(part.round()) and part.abs().max() <= 127 for part in expected)
    assert len(torch.cat([part.flatten() for part in expected]).unique()) > 100, "the test needs lively logits"
    precise = copy.deepcopy(network).double()
    double = logits(precise, [k.double() for k in before], [k.double() for k in now])
    assert all(a.equal(b.float()) for a, b in zip(expected, double, strict=True))
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            assert all(a.equal(b) for a, b in zip(expected, logits(network, before, now), strict=True))
    finally:
        torch.set_num_threads(threads)
    twice = logits(network, [torch.cat([k, -k]) for k in before], [torch.cat([k, -k]) for k in now])
    assert all(a.equal(b[:1]) for a, b in zip(expected, twice, strict=True))
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    assert all(a.equal(b) for a, b in zip(expected, logits(last, before, now), strict=True))
    torch._C._set_mkldnn_enabled(False)  # the public switch warns about TF32 on its way
    try:
        assert all(a.equal(b) for a, b in zip(expected, logits(network, before, now), strict=True))
    finally:
        torch._C._set_mkldnn_enabled(True)


@torch.inference_mode()
def test_the_same_test_fails_with_weights_that_are_no_integers(network, monkeypatch):
    """What the test above proves: without whole numbers float32 and float64 part ways on this grid."""
    monkeypatch.setattr(Integer, "forward", lambda self, x, more=0.0: torch.nn.Conv2d.forward(self, x) * 1.01 + more)
    before, now = state()
    single = logits(network, before, now)
    double = logits(copy.deepcopy(network).double(), [k.double() for k in before], [k.double() for k in now])
    assert not all(a.equal(b.float()) for a, b in zip(single, double, strict=True))


def test_weights_whose_sums_could_be_inexact_are_refused():
    layer = Integer(200, 1, 3)
    torch.nn.init.ones_(layer.weight)
    with pytest.raises(ValueError, match="too large"):
        layer.freeze()


def test_training_and_coding_do_the_same_arithmetic():
    torch.manual_seed(4)
    net = ContextNetwork(16, 9)
    before, now = state((96, 64))
    smooth = logits(net, before, now)
    net.eval().requires_grad_(False)
    net.freeze()
    assert all(a.detach().equal(b) for a, b in zip(smooth, logits(net, before, now), strict=True))
    assert smooth[-1].requires_grad


@torch.inference_mode()
def test_a_pass_sees_nothing_that_comes_after_it(network):
    before, now = state((96, 64))
    expected = logits(network, before, now)
    changed = [k.clone() for k in now]
    set_phase(changed[2], 1, of_phase(changed[2], 1) + 1)  # scale 2, phase 1: pass 5
    other = logits(network, before, changed)
    assert all(a.equal(b) for a, b in zip(expected[:6], other[:6], strict=True))
    assert not all(a.equal(b) for a, b in zip(expected[6:], other[6:], strict=True))

"""The bundled classifier's network."""

from __future__ import annotations

import torch

from hiercodec.classify.network import Conv, Net, NetConfig, StageConfig, init_scales

TINY = NetConfig(4, (StageConfig(6, 2, (8, 8), dense=True), StageConfig(8, 2, (12, 12))), head=16, classes=10)


def test_shipped_size():
    with torch.device("meta"):
        assert sum(p.numel() for p in Net().parameters()) <= 4_000_000


def test_config_round_trip():
    assert NetConfig.from_dict(TINY.to_dict()) == TINY


def test_shapes_and_dense_logits():
    torch.manual_seed(0)
    net = Net(TINY)
    x = torch.randn(2, 3, 32, 48)
    h = x
    for stage in net.stages:
        h = stage(h)
    assert h.shape == (2, 8, 4, 6)
    torch.testing.assert_close(net.head.dense(h).mean((1, 2)), net(x), atol=1e-5, rtol=1e-4)


def test_strided_depthwise_is_the_same_with_and_without_gradients():
    torch.manual_seed(0)
    conv, x = Conv(6, 6, 3, 2, groups=6), torch.randn(2, 6, 8, 10)
    with torch.no_grad():
        plain = conv(x)
    torch.testing.assert_close(conv(x).detach(), plain, atol=1e-6, rtol=1e-5)


def test_init_scales_gives_unit_variance():
    torch.manual_seed(0)
    net = Net(TINY)
    inputs = [torch.randn(8, 3, 32, 32), torch.randn(8, 6, 8, 8) * 3, torch.randn(8, 8, 4, 4)]
    init_scales(net, inputs)
    for module, x in zip([*net.stages, net.head], inputs, strict=True):
        assert 0.8 < module(x).std().item() < 1.3

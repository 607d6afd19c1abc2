"""`tic` with a linear path: starts as the linear path alone, keeps its promises, and its presets fit their limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hiercodec import stream
from hiercodec.errors import ConfigError
from hiercodec.models import LITE, PRESETS, TIC, HierNetwork, Preset
from hiercodec.models.channels.blocks import BlockLoop
from hiercodec.models.channels.context import AttentionContext
from hiercodec.models.store import pack, save
from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec, smooth_photo

TINY_RESIDUAL = TINY_TIC.scaled(name="tiny-residual", linear=TINY_LITE.linear)


def test_a_residual_tic_starts_as_its_linear_path():
    network = HierNetwork(TINY_RESIDUAL)
    x = torch.rand(1, 3, 48, 64)
    y = network.g_a(x).open_loop(network.plan)
    plain = HierNetwork(TINY_RESIDUAL.scaled(transform="lite"))  # both learned paths end in zeros
    plain.linear.load_state_dict(network.linear.state_dict())
    torch.testing.assert_close(y, plain.g_a(x).open_loop(plain.plan))
    torch.testing.assert_close(network.g_s(y), plain.g_s(y))


def test_both_residual_paths_count_once_trained():
    network = HierNetwork(TINY_RESIDUAL)
    x = torch.rand(1, 3, 32, 32)
    before = network.g_a(x).open_loop(network.plan)
    with torch.no_grad():
        network.f_a.net[-1].weight.normal_(std=0.1)
        network.f_s.net[-1].weight.normal_(std=0.1)
    y = network.g_a(x).open_loop(network.plan)
    assert (y - before).abs().max() > 1e-3
    linear = network.linear.reconstruct(network.linear.approximate(y))
    assert (network.g_s(y) - linear).abs().max() > 1e-3
    assert not torch.equal(network.f_s(y, linear), network.f_s(y, linear + 0.2)), "it must see the linear picture"


def test_a_residual_tic_codes_exactly_and_cuts(tmp_path, monkeypatch):
    codec = make_codec(TINY_RESIDUAL, tmp_path)
    rgb = smooth_photo(np.random.default_rng(3), 50, 70)
    own = []  # the encoder's ŷ, block by block
    advance = BlockLoop.advance
    monkeypatch.setattr(BlockLoop, "advance", lambda *a: own.append(advance(*a)) or own[-1])
    data = codec.encode(rgb)
    monkeypatch.undo()
    parsed = stream.parse(data)
    y_hat = torch.cat(own, 1).float()
    whole = codec.decode(data)
    assert whole.complete
    assert np.array_equal(whole.image, codec.synthesise([y_hat], parsed.header)[0])
    for length in range(parsed.z.end, len(data), 97):
        assert codec.decode(data[:length]).image.shape == rgb.shape


def test_the_plain_tic_has_no_extra_parameters():
    names = [name for name, _ in HierNetwork(TINY_TIC).named_parameters()]
    assert not any("pixels" in name for name in names), "the paper's network, and its streams, must not change"


def test_a_preset_is_changed_by_the_plain_values_of_a_toml_file():
    plain = dataclasses.asdict(LITE.linear)
    changed = TIC.scaled(linear=plain, depths=[1, 1, 1])
    assert changed.linear == LITE.linear
    assert changed.depths == (1, 1, 1)
    assert Preset.from_dict(changed.to_dict()) == changed
    with pytest.raises(ConfigError, match="no_such_field"):
        TIC.scaled(no_such_field=1)
    with pytest.raises(ConfigError, match="99"):
        TIC.scaled(plan=99)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_weights_in_half_precision_stay_under_sixty_megabytes(name):
    with torch.device("meta"):
        network = HierNetwork(PRESETS[name].scaled(linear=None)) if name == "tic" else None
    network = network or HierNetwork(PRESETS[name])
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < 60_000_000


def test_a_saved_file_is_two_bytes_a_parameter(tmp_path):
    """What the bound above counts is what `save` writes, up to names and the prior's tables."""
    network = HierNetwork(TINY_RESIDUAL)
    counted = 2 * sum(value.numel() for value in network.state_dict().values())
    pmfs = [(-1, stream.quantize_pmf(np.ones(3)))] * TINY_RESIDUAL.n_hyper
    save(
        tmp_path / "m.safetensors", TINY_RESIDUAL, pack(network, pmfs, np.zeros(TINY_RESIDUAL.n_hyper, np.float32)), {}
    )
    size = (tmp_path / "m.safetensors").stat().st_size
    assert counted <= size < counted + 40_000


def plain_context(context: AttentionContext, y_hat: torch.Tensor) -> torch.Tensor:
    """The attention context as it is defined: every 5×5 neighbourhood by itself, zeros beyond the edges."""
    b, live, h, w = y_hat.shape
    k = context.kernel
    tokens = torch.nn.functional.linear(y_hat.permute(0, 2, 3, 1), context.embed.weight[:, :live], context.embed.bias)
    padded = torch.nn.functional.pad(tokens, (0, 0, k // 2, k // 2, k // 2, k // 2))
    out = torch.empty(b, h, w, tokens.shape[-1], dtype=y_hat.dtype)
    for i in range(h):
        for j in range(w):
            near = padded[:, i : i + k, j : j + k]
            mixed = (near + context.attention(context.norm1(near))).sum((1, 2)) / (k * k)
            out[:, i, j] = mixed + context.mlp(context.norm2(mixed))
    return out.permute(0, 3, 1, 2)


@pytest.mark.parametrize("live", [0, 5])
@pytest.mark.parametrize("grid", [(6, 9), (5, 4), (1, 3), (2, 12)])
def test_the_fast_context_is_the_plain_one(live, grid):
    torch.manual_seed(2)
    context = AttentionContext(12, 16, heads=4).double()
    for parameter in context.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    y_hat = torch.randn(2, live, *grid, dtype=torch.float64).round()
    torch.testing.assert_close(context(y_hat), plain_context(context, y_hat), rtol=1e-11, atol=1e-11)


def test_a_context_of_compressed_latents_reads_asinh():
    context = AttentionContext(4, 8, heads=2, compress=True)
    plain = AttentionContext(4, 8, heads=2)
    plain.load_state_dict(context.state_dict())
    y_hat = 10 * torch.randn(1, 4, 3, 3)
    torch.testing.assert_close(context(y_hat), plain(torch.asinh(y_hat)))

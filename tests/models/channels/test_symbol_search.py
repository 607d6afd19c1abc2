"""Encoder effort: what is moved is worth it, bits are the coder's, and every file is a file like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hiercodec import models, stream
from hiercodec.errors import ImageTooLarge, InputError
from hiercodec.evaluation.metrics import psnr
from hiercodec.evaluation.photos.samples import sample
from hiercodec.images import resize_to
from hiercodec.models import common
from hiercodec.models.channels.blocks import Block
from hiercodec.models.channels.symbol_search import Bits, Descent
from hiercodec.models.common import Keep, steps_of
from tests.models.tiny import TINY_LITE, make_codec

PRICES = models.LITE.prices


@pytest.fixture(scope="module")
def coded(tiny, photo):
    return tiny.encode(photo)


def blurred(x):
    return [F.avg_pool2d(x, 4), F.avg_pool2d(x, 8)]


def test_bits_are_those_of_the_coder_and_what_it_cannot_code_is_beyond_price():
    scale = torch.tensor([0, 20, 63], dtype=torch.uint8)
    symbols = torch.tensor([-3.0, 7.0, 400.0], dtype=torch.float64)
    expected = stream.gaussian_tables().bits(symbols.numpy().astype(int), scale.numpy())
    assert np.allclose(Bits(scale)(symbols), expected)
    edge = torch.tensor([64.0, -64.0, 512.0], dtype=torch.float64)
    assert torch.isfinite(Bits(scale)(edge)).all()
    assert torch.isinf(Bits(scale)(edge + edge.sign())).all()


def test_a_descent_ends_no_dearer_than_it_began(tiny_lite, photo):
    """Error plus price · bits of each block, as the descent itself counts them, falls with the steps."""
    x = torch.from_numpy(photo[:80, :112]).permute(2, 0, 1)[None].float() / 255
    network, totals = tiny_lite.network, []
    scale, mu = torch.full((1, 128, 5, 7), 12, dtype=torch.uint8), torch.zeros(1, 128, 5, 7, dtype=torch.float64)
    with torch.no_grad():
        start = torch.round(network.g_a(x).block(0, network.plan).double()).clamp(-9, 9)
    for steps in (0, 2, 8, 24):
        symbols = Descent(network, x, steps)(Block(scale, mu, start, start + mu))
        assert torch.equal(symbols, symbols.round())
        with torch.no_grad():
            y_hat = F.pad(symbols.float(), (0, 0, 0, 0, 0, network.plan.channels - 128))
            error = float((network.g_s(y_hat) - x).square().sum())
        totals.append(error + PRICES[0] * float(Bits(scale)(symbols).sum()))
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < 0.98 * totals[0]


@pytest.mark.parametrize("keep", [None, Keep(blurred, 0.01)], ids=["people", "machines"])
def test_a_file_that_took_effort_decodes_at_every_cut(tiny, photo, coded, keep):
    data = tiny.encode(photo, effort=1, keep=keep)
    assert data != coded
    assert data == tiny.encode(photo, effort=1, keep=keep), "the same every time"
    for n in np.linspace(stream.parse(data).z.end, len(data), 9).astype(int):
        assert tiny.decode(data[:n]).image.shape == photo.shape
    assert tiny.decode(data).complete


def test_no_effort_changes_nothing(tiny, photo, coded):
    assert tiny.encode(photo, effort=0, keep=Keep(blurred, 0.01)) == coded


def test_what_is_to_be_kept_is_kept(tiny_lite, photo):
    """At one effort, features that count lose less than those that do not."""
    x = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255
    lost = []
    for keep in (None, Keep(blurred, 1.0)):
        image = tiny_lite.decode(tiny_lite.encode(photo, effort=5, keep=keep)).image
        seen = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
        lost.append(sum(float((a - b).square().sum()) for a, b in zip(blurred(x), blurred(seen), strict=True)))
    assert lost[1] < lost[0]


def test_what_is_kept_is_worth_as_many_bits_in_every_block(tiny_lite, photo):
    """Pixels weigh more against bits from block to block, and what else is kept grows with them no further."""
    x = torch.from_numpy(photo[:80, :112]).permute(2, 0, 1)[None].float() / 255
    descent, plan = Descent(tiny_lite.network, x, 1, Keep(lambda x: [x], 0.01)), tiny_lite.plan
    weights = []
    for j in range(len(plan)):
        blocks = [torch.zeros(1, level.width, 5, 7) for level in plan.levels[: j + 1]]
        descent._before = blocks[:-1]
        pixels, kept = descent._residuals(blocks[-1])
        weights.append(float(kept.detach().square().sum() / pixels.detach().square().sum()))
    assert weights == pytest.approx([weights[0] * price / PRICES[0] for price in PRICES])


@pytest.mark.parametrize("name", ["astronaut", "horse"])
def test_people_get_smaller_files_that_look_better(name):
    codec, rgb = models.load("lite"), resize_to(sample(name).pixels(), 128)
    plain, better = codec.encode(rgb), codec.encode(rgb, effort=3)
    before = psnr(rgb, codec.decode(plain).image)
    assert len(better) < 0.98 * len(plain)
    assert psnr(rgb, codec.decode(better).image) > before + 0.1
    cut = better[: int(0.96 * len(plain)) - 1]
    assert psnr(rgb, codec.decode(cut).image) > before - 0.05


@pytest.mark.parametrize("wrong", [-1, 10, 2.5, "5", True])
def test_an_effort_is_a_whole_number_to_nine(tiny_lite, photo, wrong):
    with pytest.raises(InputError, match="effort must be a whole number 0 to 9"):
        tiny_lite.encode(photo, effort=wrong)


def test_effort_grows_from_level_to_level_and_has_a_limit_of_size(tiny_lite, photo, monkeypatch):
    steps = [steps_of(level) for level in range(10)]
    assert steps == sorted(set(steps))
    monkeypatch.setattr(common, "EFFORT_PIXELS", photo.shape[0] * photo.shape[1] - 1)
    with pytest.raises(ImageTooLarge, match="an effort takes pictures of up to"):
        tiny_lite.encode(photo, effort=1)
    assert tiny_lite.encode(photo)


def test_a_model_that_has_no_prices_takes_no_effort(tmp_path, photo):
    """Those of another model would spend its bits where they are worth little."""
    silent = make_codec(TINY_LITE.scaled(prices=()), tmp_path)
    with pytest.raises(InputError, match=r"preset of 'tiny-lite' has none: encode without an effort"):
        silent.encode(photo, effort=1)
    assert silent.encode(photo)
    sizes = [
        len(make_codec(TINY_LITE.scaled(prices=prices), tmp_path).encode(photo, effort=2))
        for prices in (PRICES, (10.0,))
    ]
    assert sizes[1] < 0.95 * sizes[0], "its own prices count"

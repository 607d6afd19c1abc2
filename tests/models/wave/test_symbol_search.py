"""Effort on planes: what is told otherwise is near its boundary and worth it, and every file is a file like any other."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hiercodec import stream
from hiercodec.errors import ImageTooLarge, InputError
from hiercodec.models.common import Keep
from hiercodec.models.wave import symbol_search
from hiercodec.models.wave.context import pack


def pixels(photo):
    return torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255


def plane_of(network, x, plane):
    """A plane of a picture with the plain planes before it."""
    coefficients = pack(network.analyse(x * 255))
    turn = symbol_search._Plane(network, coefficients, [torch.zeros_like(c) for c in coefficients], 0)
    for number in range(1, plane + 1):
        turn = symbol_search._Plane(network, coefficients, turn.plain, number)
    return turn


def blurred(x):
    return [F.avg_pool2d(x, 4), F.avg_pool2d(x, 8)]


@pytest.mark.parametrize("keep", [None, Keep(blurred, 0.01)], ids=["people", "machines"])
def test_a_file_that_took_effort_decodes_at_every_cut(codec, photo, coded, keep):
    data = codec.encode(photo, effort=2, keep=keep)
    assert data != coded
    assert data == codec.encode(photo, effort=2, keep=keep), "the same every time"
    for n in np.linspace(stream.parse(data).header_bytes, len(data), 9).astype(int):
        assert codec.decode(data[:n]).image.shape == photo.shape
    assert codec.decode(data).complete


def test_no_effort_changes_nothing(codec, photo, coded):
    assert codec.encode(photo, effort=0, keep=Keep(blurred, 0.01)) == coded


def test_only_what_is_near_a_boundary_is_told_otherwise(codec, photo):
    x = pixels(photo)
    preset = codec.network.preset
    with torch.no_grad():
        coefficients = pack(codec.network.analyse(x * 255))
    moved = 0
    for k, c in zip(symbol_search.search(codec.network, x, 4, Keep(blurred, 0.05)), coefficients, strict=True):
        assert torch.equal(k, k.round())
        size = k.abs()
        along = torch.where(k != 0, c * k.sign(), c.abs())
        outside = torch.maximum(size * preset.finest - along, along - (size + 1) * preset.finest).clamp_min(0)
        # outside by REACH thresholds of the first plane that tells of it, at most
        assert (outside <= symbol_search.REACH * symbol_search.WIDEST * (1 + 1e-5)).all()
        moved += int((outside > 1e-3).sum())
    assert moved > 20


def test_a_plane_ends_no_worse_than_the_plain_one(codec, photo, monkeypatch):
    """What is to be kept is kept better with steps; without any, or where they fail, the plane is the plain one."""
    x = pixels(photo)
    network, keep = codec.network, Keep(blurred, 50.0)
    with torch.no_grad():
        turn = plane_of(network, x, 5)
        kept, lost = keep.of(x), []
        for steps in (0, 12):
            chosen = turn.improved(x, steps, keep, kept)
            shares = [(k.abs() == large).float() for k, large in zip(chosen, turn._large, strict=True)]
            x_hat = turn._picture(shares, x)
            lost.append(sum(float((a - b).square().sum()) for a, b in zip(blurred(x_hat), blurred(x), strict=True)))
            if not steps:
                assert all(torch.equal(a, b) for a, b in zip(chosen, turn.plain, strict=True))
    assert lost[-1] < 0.97 * lost[0]
    monkeypatch.setattr(symbol_search, "RATE", 50.0)  # steps that overshoot where every move is dear
    monkeypatch.setattr(symbol_search, "FUTURE", 1e6)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(turn.improved(x, 3, None, []), turn.plain, strict=True))


def test_costs_are_those_of_the_coder(codec, photo, monkeypatch):
    """What the plain plane costs in bits is what its symbols cost when they are written."""
    x = pixels(photo)
    network = codec.network
    header = stream.parse(codec.encode(photo)).header
    with torch.no_grad():
        turn = plane_of(network, x, 6)
        monkeypatch.setattr(symbol_search, "FUTURE", 0.0)
        fixed, extra = turn._costs(1.0)
    plain = fixed + sum(
        float(torch.where(above >= 0, torch.where(torch.isfinite(e), e, 0.0), 0.0).sum())
        for above, e in zip(turn._above, extra, strict=True)
    )
    assert plain == pytest.approx(_written(codec, header, turn._before, turn.plain), rel=0.02)


def _written(codec, header, before, now):
    """Bits of a plane's symbols by the tables that code them."""
    from hiercodec.models.wave.codec import layout_of
    from hiercodec.models.wave.context import begun
    from hiercodec.models.wave.planes import flat, plane_symbols, tell

    first, indexes, total = flat(before).astype(np.int32), flat(now).astype(np.int32), 0.0
    told = 2 * first
    last = int(begun(now).sum()) - 1
    for symbols in plane_symbols(codec.network.context, layout_of(header), first, told, 6, last):
        values = symbols.of(indexes, 0)
        tell(told, symbols, values)
        total += symbols.bits(values).sum()
    return total


def test_what_cannot_be_tried_is_refused_in_words(codec, photo, monkeypatch):
    with pytest.raises(InputError, match="0 to 9"):
        codec.encode(photo, effort=10)
    monkeypatch.setattr("hiercodec.models.common.EFFORT_PIXELS", 100)
    with pytest.raises(ImageTooLarge, match="100 pixels"):
        codec.encode(photo, effort=1)

"""Peers: our streams at real cuts, other formats as real files at their strongest."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from hiercodec import stream
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.peers import (
    MACHINES,
    PEOPLE,
    RIVALS,
    HierPeer,
    available,
    cut_shares,
    rival,
    shares_and_ends,
    up_to,
)
from hiercodec.evaluation.measure import best_within, measure
from hiercodec.evaluation.metrics import bd_rate, psnr
from hiercodec.evaluation.photos.samples import sample
from tests.evaluation.fake_codec import FakeCodec
from tools.common import halved_blocks


@pytest.fixture(scope="module")
def rgb():
    return sample("coffee").pixels()[:128, :192]


@pytest.mark.parametrize("name", [peer.name for peer in available()])
def test_a_rival_s_files_rise_up_to_the_budget(name, rgb):
    points = list(up_to(rival(name).finely().points(rgb), 4000))
    assert points[-1].bytes > 4000  # the first one over the budget is kept, the rest is not encoded
    assert sum(point.bytes > 4000 for point in points) == 1
    rows = measure(rgb, points, peer=name)
    assert rows[-1].psnr > rows[0].psnr + 3
    for row in rows[:: len(rows) - 1]:
        assert row.point.picture.shape == rgb.shape
        assert row.psnr == psnr(rgb, row.point.picture)
        assert row.bpp == 8 * row.point.bytes / (128 * 192)
        assert row.verdicts == {}


@pytest.mark.parametrize("purpose", [MACHINES, PEOPLE])
@pytest.mark.parametrize("peer", available(), ids=lambda peer: peer.name)
def test_a_point_is_the_smallest_file_that_the_options_give(peer, purpose, rgb):
    peer = tuned(peer, purpose)
    point = next(iter(peer.points(rgb)))
    name, setting = next(iter(peer.tuning.settings.items()))
    data = peer.encode(rgb, setting)
    assert (point.setting, point.bytes) == (name, len(data))
    assert np.array_equal(point.picture, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    options = peer.tuned_for(MACHINES).tuning.options
    assert peer.finely().tuning.options == options, "the app's comparison and a results file differ in settings only"
    assert peer.provenance()["encoder"]
    assert peer.provenance()["for"] == purpose


def tuned(peer, purpose):
    """The format at its best for a purpose; skips where a package that only measurements need is missing."""
    peer = peer.tuned_for(purpose)
    if peer.tuning.package:
        pytest.importorskip(peer.tuning.package)
    return peer


@pytest.mark.parametrize(
    "name", [name for name, peer in RIVALS.items() if peer.people.options != peer.machines.options]
)
def test_for_people_a_format_needs_fewer_bytes_for_the_same_psnr(name, rgb):
    curves = []
    for purpose in (MACHINES, PEOPLE):
        peer = tuned(RIVALS[name], purpose)
        found = measure(rgb, peer.points(rgb))
        curves += [[row.bpp for row in found], [row.psnr for row in found]]
    assert bd_rate(*curves) < -1


def test_formats_have_two_purposes():
    with pytest.raises(InputError, match="at their best for machines or for people, not for 'cats'"):
        rival("avif").tuned_for("cats")


def test_jpeg_2000_codes_luma_and_chroma_and_says_nothing_of_itself(rgb):
    """Pillow codes R, G and B by themselves unless it is told to transform them: 3 dB worse."""
    peer, setting = rival("jpeg2000"), {"quality_layers": [40]}
    data = peer.encode(rgb, setting)
    assert b"OpenJPEG" not in data
    plain = io.BytesIO()
    Image.fromarray(rgb).save(plain, "JPEG2000", **setting, **{**peer.tuning.options[0], "mct": 0})
    assert len(data) <= len(plain.getvalue()) + 8
    assert psnr(rgb, peer.decode(data)) > psnr(rgb, peer.decode(plain.getvalue())) + 1


@pytest.mark.parametrize("quality", [1, 20, 80])
def test_jpeg_is_no_larger_than_any_way_pillow_writes_it(quality, rgb):
    ways = [{}, {"optimize": True}, {"progressive": True}, {"optimize": True, "progressive": True}]
    sizes = []
    for way in ways:
        out = io.BytesIO()
        Image.fromarray(rgb).save(out, "JPEG", quality=quality, **way)
        sizes.append(len(out.getvalue()))
    assert len(rival("jpeg").encode(rgb, {"quality": quality})) == min(sizes) < sizes[0]


def test_the_best_row_within_a_budget(rgb):
    rows = measure(rgb, rival("jpeg").finely().points(rgb))
    smallest = min(row.point.bytes for row in rows)
    assert best_within(rows, smallest - 1) is None
    for budget in (smallest, 1500, 3000, 10**6):
        index = best_within(rows, budget)
        assert index is not None
        assert rows[index].point.bytes <= budget
        assert rows[index].psnr == max(row.psnr for row in rows if row.point.bytes <= budget)


def test_jpeg_comes_first_and_unknown_formats_are_refused():
    assert available()[0] is RIVALS["jpeg"]
    with pytest.raises(InputError, match="no codec 'bpg'; there are jpeg, webp, avif, jpeg2000"):
        rival("bpg")


@pytest.mark.parametrize(
    "cuts", [stream.Stream.cuts, halved_blocks, shares_and_ends(4)], ids=["ends", "halves", "shares"]
)
def test_our_points_are_prefixes_of_one_file(cuts, rgb):
    codec = FakeCodec()
    data = codec.encode(rgb)
    asked = cuts(stream.parse(data))
    points = list(HierPeer(codec, cuts, "ours").points(rgb))
    assert {point.setting: point.bytes for point in points} == asked
    for point in points:
        again = codec.decode(data[: point.bytes])
        assert np.array_equal(point.picture, again.image)
        assert (point.decoded.level, point.decoded.fraction) == (again.level, again.fraction)
        assert sum(point.whole.parts().values()) == len(data)


def test_halved_blocks_end_in_the_middle_and_at_the_end(rgb):
    parsed = stream.parse(FakeCodec().encode(rgb))
    cuts = halved_blocks(parsed)
    assert list(cuts)[:2] == ["coarse 50 %", "coarse 100 %"]
    for block in parsed.blocks:
        assert cuts[f"{block.name} 100 %"] == block.end
        assert cuts[f"{block.name} 100 %"] - cuts[f"{block.name} 50 %"] == len(block.payload) // 2


def test_shares_never_cut_the_header():
    parsed = stream.parse(FakeCodec().encode(np.zeros((16, 16, 3), np.uint8)))
    cuts = shares_and_ends(6)(parsed)
    assert min(cuts.values()) == parsed.parts()["header"]
    assert cut_shares(0) == []


def test_names_and_origins():
    assert HierPeer(FakeCodec()).name == "fake"
    assert HierPeer(FakeCodec(), name="runs/x").provenance() == {"fingerprint": b"FAKE".hex()}

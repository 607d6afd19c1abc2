"""JPEG and JPEG 2000, cut: any length of the one, every packet's end of the other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hiercodec.errors import CorruptStream
from hiercodec.evaluation.codecs.rivals.cut import CUT_FILES, packets
from hiercodec.evaluation.metrics import psnr
from hiercodec.evaluation.photos.samples import sample


@pytest.fixture(scope="module")
def rgb():
    return sample("coffee").pixels()[:96, :128]


def test_a_jpeg_is_cut_anywhere(rgb):
    peer = CUT_FILES["jpeg-cut"]
    data = peer.encode(rgb)
    found = []
    for length in range(0, len(data), 61):
        try:
            found.append(psnr(rgb, np.array(peer.decode(data[:length]))))
        except CorruptStream:
            assert not found, "once something shows, it does at every greater length"
    assert len(found) > 20
    assert found[-1] > found[0] + 5


def test_a_jpeg_2000_file_is_cut_after_packets(rgb):
    peer = CUT_FILES["jpeg2000-cut"]
    data = peer.encode(rgb)
    ends = peer.ends(rgb, data)
    assert sum(packets(peer.encode(rgb, plt=True))) == ends[-1] - ends[0] - len(b"\xff\xd9")
    assert ends[-1] == len(data)
    found = [psnr(rgb, np.array(peer.decode(data[:end]))) for end in ends[1::8]]
    assert all(later >= earlier - 0.05 for earlier, later in itertools.pairwise(found))
    assert found[-1] > found[0] + 5
    inside = next(end for end, after in itertools.pairwise(ends) if after - end > 8) + 4
    for damaged in (data[:inside], data[:30], b""):
        with pytest.raises(CorruptStream):
            peer.decode(damaged)


@pytest.mark.parametrize("peer", CUT_FILES.values(), ids=list(CUT_FILES))
def test_points_are_prefixes_of_one_file(peer, rgb):
    data, points = peer.encode(rgb), list(peer.points(rgb))
    sizes = [point.bytes for point in points]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(data)
    for point in points[3:]:
        assert np.array_equal(point.picture, np.array(peer.decode(data[: point.bytes]).convert("RGB")))
    assert psnr(rgb, points[-1].picture) > psnr(rgb, points[3].picture) > psnr(rgb, points[0].picture)
    assert peer.provenance()["encoder"]

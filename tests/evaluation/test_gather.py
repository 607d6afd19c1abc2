"""Rows gathered in memory: real bytes, honest shares."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hiercodec.evaluation.gather import LEAST, gather
from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.peers import HierPeer
from hiercodec.evaluation.photos.dataset import Photos, load_photos
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.similarity import wup_matrix
from tests.evaluation.photographs import Oracle, photographs


@pytest.fixture
def folder(tmp_path):
    return photographs(tmp_path)


def test_a_sample_is_spread_evenly_and_never_repeats():
    photos = Photos([np.zeros((1, 1, 3), np.uint8)] * 10, np.arange(10), [str(i) for i in range(10)])
    assert photos.spread(4).labels.tolist() == [0, 3, 6, 9]
    assert photos.spread(99).labels.tolist() == list(range(10))


def test_every_setting_is_a_column_over_all_photographs(folder, tiny_lite):
    done, seen = [], []
    peers = [HierPeer(tiny_lite, name="tiny")]
    columns = gather(load_photos([folder]), peers, progress=lambda *a: done.append(a), seen=seen.append)
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert list(columns) == [("original", ""), *(("tiny", level) for level in tiny_lite.plan.names)]
    assert len(seen) == 12
    sizes = [8 * len(tiny_lite.encode(p)) / (48 * 64) for p in load_photos([folder]).pixels]
    assert columns["tiny", "fine"].bpp == sizes


def test_a_photograph_without_a_label_is_judged_by_the_answer_on_its_original(folder, tiny_lite):
    judging = Judging(Oracle(), load_hierarchy("consensus"))
    photos = load_photos([folder])
    known = gather(photos, [], [judging])["original", ""]
    assert known.hits["oracle"]["fine"] == [True, False, False]
    assert known.wup["oracle"] == [1.0, wup_matrix()[700, 3], wup_matrix()[700, 517]]
    assert known.told["oracle"]["fine"] == pytest.approx([0.0, math.log2(LEAST), math.log2(LEAST)], abs=0.01)
    unlabelled = Photos(photos.pixels, np.full(3, -1), photos.names)
    columns = gather(unlabelled, [HierPeer(tiny_lite)], [judging])
    assert columns["original", ""].hits["oracle"]["fine"] == [True] * 3
    assert columns["original", ""].told["oracle"]["fine"] == pytest.approx([0.0] * 3, abs=0.01)

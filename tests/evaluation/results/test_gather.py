"""Rows gathered in memory: real bytes, honest shares."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.dataset import Photos, load_photos
from hiercodec.evaluation.results.records import gather
from hiercodec.evaluation.results.table import believed, right, tables
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


def test_every_setting_is_measured_on_all_photographs(folder, tiny_lite):
    done, seen = [], []
    peers = [HierPeer(tiny_lite, name="tiny")]
    rows = gather(load_photos([folder]), peers, progress=lambda *a: done.append(a), seen=seen.append)
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert len(seen) == len(rows) == 12
    found = tables(rows, "")
    assert list(found) == ["original", "tiny"]
    assert set(found["tiny"].settings) == set(tiny_lite.plan.names)
    sizes = [len(tiny_lite.encode(p)) for p in load_photos([folder]).pixels]
    assert found["tiny"].bytes[:, -1].tolist() == sizes
    assert found["tiny"].bpp[:, -1] == pytest.approx([8 * size / (48 * 64) for size in sizes])


def test_a_photograph_without_a_label_is_judged_by_the_answer_on_its_original(folder, tiny_lite):
    evaluator = Evaluator(Oracle(), load_hierarchy("consensus"))
    photos = load_photos([folder])
    known = tables(gather(photos, [], [evaluator]), "oracle")["original"]
    assert known.labelled
    assert known.measure(right("fine"))[:, 0].tolist() == [1, 0, 0]
    assert known.wup[:, 0].tolist() == [1.0, wup_matrix()[700, 3], wup_matrix()[700, 517]]
    assert known.measure(believed("fine"))[:, 0] == pytest.approx([1.0, 0, 0], abs=0.01)
    unlabelled = Photos(photos.pixels, np.full(3, -1), photos.names)
    found = tables(gather(unlabelled, [HierPeer(tiny_lite)], [evaluator]), "oracle")["original"]
    assert not found.labelled
    assert found.measure(right("fine"))[:, 0].tolist() == [1, 1, 1]
    assert found.measure(believed("fine"))[:, 0] == pytest.approx([1.0] * 3, abs=0.01)


def test_two_photographs_of_one_name_stay_two(tiny_lite):
    rgb = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    rows = gather(Photos(list(rgb), np.array([-1, -1]), ["a.png", "a.png"]), [HierPeer(tiny_lite)])
    assert len(tables(rows, "")["original"]) == 2

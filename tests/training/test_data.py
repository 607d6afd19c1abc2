"""Batches depend on seed and step alone, whatever the cache, and share themselves out over processes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.training.data import Crops
from tests.models.tiny import smooth_photo

PHOTOS = Photos([smooth_photo(np.random.default_rng(i), 40, 50) for i in range(9)], np.arange(9) - 5, ["x"] * 9)


def test_batches_depend_on_seed_and_step_alone():
    a, b = (Crops(PHOTOS, crop=32, batch=3, seed=1) for _ in range(2))
    b[0]
    assert torch.equal(a[5][0], b[5][0])
    assert not torch.equal(a[5][0], a[6][0])
    assert not torch.equal(a[5][0], Crops(PHOTOS, crop=32, batch=3, seed=2)[5][0])
    assert (a[1][0].shape, a[1][0].dtype) == ((3, 32, 32, 3), torch.uint8)


def test_processes_share_one_batch():
    whole = Crops(PHOTOS, crop=32, batch=6, labelled_share=0.5)[7]
    parts = [Crops(PHOTOS, crop=32, batch=2, labelled_share=0.5, rank=r, world=3)[7] for r in range(3)]
    for mine, part in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(mine, torch.cat(part))


def test_the_labelled_share_is_drawn_from_labelled_photographs():
    assert (Crops(PHOTOS, crop=32, batch=50, labelled_share=1.0)[0][1] >= 0).all()
    assert (Crops(PHOTOS, crop=32, batch=50)[0][1] < 0).any()


def test_the_cache_is_bounded_and_changes_nothing(monkeypatch):
    reads = []

    class Counted(list):
        def __getitem__(self, i):
            reads.append(i)
            return super().__getitem__(i)

    big = [np.full((700, 500, 3), i, np.uint8) for i in range(4)]  # 1.05 MB each: nine tenths of a MiB and more
    photos = Photos(Counted(big), np.full(4, -1), ["x"] * 4)
    crops = Crops(photos, crop=16, batch=4, cache_mb=2)
    plain = Crops(Photos(big, photos.labels, photos.names), crop=16, batch=4)
    assert all(torch.equal(crops[i][0], plain[i][0]) for i in range(30))
    once = [i for i in range(4) if reads.count(i) == 1]
    assert len(once) == 1, "two would be more than 2 MiB; the others are read again and again"


def test_photographs_smaller_than_the_crop_are_mirrored():
    line = np.arange(3, dtype=np.uint8)[:, None, None].repeat(20, 1).repeat(3, 2)
    pixels, labels = Crops(Photos([line], np.array([3]), ["a"]), crop=16, batch=2)[0]
    assert pixels[0, :, 0, 0].tolist() == [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2]
    assert labels.tolist() == [3, 3]


def test_no_photographs_are_refused():
    with pytest.raises(ConfigError, match="no photographs"):
        Crops(Photos([], np.array([], int), []), crop=32, batch=1)


def test_in_the_place_of_a_photograph_that_cannot_be_used_the_next_one_is_taken(tmp_path, caplog):
    """A damaged file ends no training, is said once, and every step stays what it is whoever computes it."""
    from hiercodec.evaluation.photos.dataset import load_photos
    from hiercodec.images import encode_png

    for value in range(6):
        data = encode_png(np.full((20, 20, 3), 40 * value, np.uint8))
        (tmp_path / f"{value}.png").write_bytes(b"rubbish" if value in (2, 5) else data)
    photos = load_photos([tmp_path])
    photos = Photos(photos.pixels, np.arange(6), photos.names)
    crops = Crops(photos, crop=16, batch=64)
    pixels, labels = crops[0]
    assert set(labels.tolist()) == {0, 1, 3, 4}
    assert (pixels[:, 0, 0, 0] == 40 * labels).all(), "a crop has the label of the photograph that it is of"
    assert len(caplog.records) == 2
    again = Crops(photos, crop=16, batch=64)[0]
    assert all((a == b).all() for a, b in zip(again, (pixels, labels), strict=True))
    assert [label for _, _, label in photos.each()] == [0, 1, 3, 4]
    for value in range(6):
        (tmp_path / f"{value}.png").write_bytes(b"")
    with pytest.raises(ConfigError, match="none of the photographs"):
        Crops(photos, crop=16, batch=4)[0]

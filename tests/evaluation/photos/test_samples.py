"""Samples: every one is installed, credited, of the stated size, and what the manifest says it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation.photos.samples import LONG_SIDE, SHORT_SIDE, sample, samples, working_size

NAMES = [row.id for row in samples()]


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_there_credited_and_of_the_working_size(name):
    row = sample(name)
    assert row.package in {"skimage", "sklearn"}  # scikit-image and scikit-learn: both in requirements.txt
    assert all((row.title, row.author, row.licence, row.lesson))
    assert row.source.startswith("http")
    rgb = row.pixels()
    assert rgb.dtype == np.uint8
    left, top, right, bottom = row.crop or (0, 0, *row.file_pixels().shape[1::-1])
    assert min(rgb.shape[:2]) == min(SHORT_SIDE, right - left, bottom - top), "no crop is enlarged"
    assert max(rgb.shape[:2]) <= LONG_SIDE
    assert all(0 <= index < 1000 for index in row.truth)


def test_names_and_titles_differ_and_some_samples_have_no_right_class():
    assert len(set(NAMES)) == len({row.title for row in samples()}) == len(NAMES) >= 7
    assert any(not row.truth for row in samples())


def test_another_file_is_refused():
    row = dataclasses.replace(sample("cat"), sha256="0" * 64)
    with pytest.raises(InputError, match="not the photograph"):
        row.pixels()
    with pytest.raises(InputError, match="not installed"):
        dataclasses.replace(sample("cat"), package="no_such_package_here").pixels()
    with pytest.raises(InputError, match="no sample 'dog'"):
        sample("dog")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((512, 512), (224, 224)), ((100, 80), (100, 80)), ((1000, 4000), (224, 336)), ((4000, 1000), (336, 224))],
)
def test_working_size(shape, expected):
    assert working_size(np.zeros((*shape, 3), np.uint8)).shape[:2] == expected

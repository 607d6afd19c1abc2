"""Classical codecs at the same bytes: real files, never larger than the budget."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation import psnr
from hiercodec.evaluation.samples import sample
from hiercodec.ui.explore.classical import available, sweep, within


@pytest.fixture(scope="module")
def rgb():
    return sample("coffee").pixels()[:128, :192]


@pytest.mark.parametrize("codec", [key for key, _ in available()])
def test_sweep_gives_real_files_that_rise(codec, rgb):
    files = sweep(codec, rgb, 4000)
    assert [file.bytes for file in files] == sorted(file.bytes for file in files)
    assert files[-1].bytes > 4000  # the first one over the budget is kept, the rest is not tried
    assert sum(file.bytes > 4000 for file in files) <= 1
    assert files[-1].psnr > files[0].psnr + 3
    for file in files[:: len(files) - 1]:
        assert file.image.shape == rgb.shape
        assert file.psnr == pytest.approx(psnr(rgb, file.image))


def test_within_never_exceeds_the_budget(rgb):
    files = sweep("jpeg", rgb)
    smallest = files[0].bytes
    assert within(files, smallest - 1) is None
    for budget in (smallest, 1500, 3000, 10**6):
        index = within(files, budget)
        assert files[index].bytes <= budget
        assert files[index].psnr == max(file.psnr for file in files if file.bytes <= budget)


def test_jpeg_comes_first_and_unknown_codecs_are_refused(rgb):
    assert available()[0] == ("jpeg", "JPEG")
    with pytest.raises(InputError, match="no codec 'png'"):
        sweep("png", np.zeros((8, 8, 3), np.uint8))

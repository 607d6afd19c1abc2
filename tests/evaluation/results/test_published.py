"""Published curves on Kodak: the formats we measured are as strong as others found them, and distances are what they are."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.curves import Curve, curve
from hiercodec.evaluation.results.published import Published, more_bytes, on_kodak
from hiercodec.evaluation.results.table import tables
from hiercodec.fsio import locate

MOST = 8.0
"""Per cent more bytes than published, at equal PSNR, that a rival may need before it counts as measured badly."""

FORMATS = {paper.format: paper for paper in on_kodak().values() if paper.format}


@pytest.fixture(scope="module")
def measured():
    return tables(rows.read(locate("results", "kodak.parquet")), "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_rival_is_measured_at_no_less_than_its_published_strength(name, measured):
    more = more_bytes(curve(measured[name], "psnr"), FORMATS[name])
    assert more is not None
    assert more < MOST, f"{name} needs {more:.1f} % more bytes than {FORMATS[name].name} as published"


def test_every_classical_format_that_was_published_is_a_rival(measured):
    assert set(FORMATS) == {"jpeg", "jpeg2000", "webp", "avif"} <= set(measured)
    assert all(paper.source for paper in on_kodak().values())


def line(bpp, psnr) -> Curve:
    bpp, psnr = np.array(bpp), np.array(psnr)
    return Curve("ours", ("",) * len(bpp), bpp, bpp, psnr, psnr, psnr, 24)


def test_the_distance_is_what_it_was_made_to_be():
    theirs = Published("theirs", "somewhere", True, (0.1, 0.2, 0.21, 0.4), (26.0, 28.0, 27.9, 30.0))
    double = line([0.2, 0.4, 0.8], [26, 28, 30])
    assert more_bytes(double, theirs) == pytest.approx(100)
    assert more_bytes(line([0.05, 0.1, 0.2], [26, 28, 30]), theirs) == pytest.approx(-50)
    assert more_bytes(line([0.1, 0.2], [20, 25]), theirs) is None, "no quality is common"

"""Figures of curves over rate: every point drawn is a point of a curve, told apart without colour too."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.results.bjontegaard import Delta, Lead
from hiercodec.evaluation.results.curves import Curve
from hiercodec.figures import rates
from hiercodec.figures.palette import PALETTES, palette


def made(codec, *mean):
    mean = np.array(mean)
    bpp = 0.1 * 2.0 ** np.arange(len(mean))
    return Curve(codec, tuple(f"s{i}" for i in range(len(mean))), bpp, 1000 * bpp, mean, mean - 0.1, mean + 0.1, 50)


def lines(fig):
    return [trace for trace in fig.data if trace.showlegend is not False]


def test_levels_share_an_axis_and_keep_their_marks():
    levels = {"kind": made("lite", 0.5, 0.8, 0.9), "class": made("lite", 0.1, 0.3, 0.7)}
    fig = rates.three_levels(levels, whole={"kind": 0.95, "class": 0.8}, chance={"kind": 0.1, "class": 0.001}, at=0.2)
    kind, fine = lines(fig)
    np.testing.assert_array_equal(kind.x, fine.x)
    np.testing.assert_array_equal(fine.y, [0.1, 0.3, 0.7])
    assert kind.line.dash != fine.line.dash
    assert kind.marker.symbol != fine.marker.symbol
    assert {shape.y0 for shape in fig.layout.shapes if shape.type == "line" and shape.y0 == shape.y1} == {
        0.95,
        0.8,
        0.1,
        0.001,
    }
    assert [(a.text, a.x, a.xref) for a in fig.layout.annotations] == [("95%", 1, "paper"), ("80%", 1, "paper")]
    bands = [trace for trace in fig.data if trace.fill == "toself"]
    np.testing.assert_allclose(bands[1].y, [0.2, 0.4, 0.8, 0.6, 0.2, 0.0])


def test_what_is_written_beside_level_lines_never_lies_on_itself_or_on_a_curve():
    levels = {"kind": made("lite", 0.8, 0.9), "family": made("lite", 0.8, 0.9), "class": made("lite", 0.7, 0.9)}
    fig = rates.three_levels(levels, whole={"kind": 0.91, "family": 0.9, "class": 0.89}, chance={})
    heights = [a.y for a in fig.layout.annotations]
    assert max(np.diff(heights)) <= 1e-9 - rates.APART
    assert {(a.x, a.xanchor) for a in fig.layout.annotations} == {(1, "left")}, "right of the plot"
    assert fig.layout.margin.r >= 50, "with room for it"


def test_points_say_what_they_are_and_lead_to_their_rows():
    (line,) = lines(rates.codecs([made("jpeg", 0.4, 0.6)], {"lite": 0, "jpeg": 1}, y="right", share=True))
    assert line.customdata[1] == ["jpeg", "s1", pytest.approx(0.5), pytest.approx(0.7)]


def test_a_codec_keeps_its_colour_whoever_else_is_drawn():
    looks = {"lite": 0, "jpeg": 1, "avif": 2}
    for mode in PALETTES:
        alone = lines(rates.codecs([made("avif", 0.4, 0.6)], looks, y="right", mode=mode))[0]
        among = lines(rates.codecs([made(name, 0.4, 0.6) for name in looks], looks, y="right", mode=mode))[2]
        assert (alone.line.color, alone.marker.symbol) == (among.line.color, among.marker.symbol)
        assert alone.line.color == alone.marker.color == palette(mode).group(2)


def test_published_curves_are_dashed_and_without_marks():
    papers = [{"name": "CTC", "source": "a paper", "bpp": [0.2, 0.4, 3.0], "y": [30.0, 33.0, 45.0]}]
    ours, paper = lines(rates.codecs([made("lite", 29, 31, 33)], {"lite": 0}, y="PSNR", published=papers))
    assert paper.name == "CTC (published)"
    assert (list(paper.x), list(paper.y)) == ([0.2, 0.4], [30.0, 33.0]), "not beyond the rates of ours"
    assert (paper.mode, ours.mode) == ("lines", "lines+markers")
    assert paper.line.dash != "solid"


@pytest.mark.parametrize("mode", PALETTES)
def test_a_lead_has_its_band_and_a_ring_where_it_ends(mode):
    rates_, mean = np.array([0.1, 0.2, 0.4]), np.array([0.1, 0.0 + 1e-9, -0.1])
    fig = rates.lead({"kind": Lead(rates_, mean, mean - 0.02, mean + 0.02, 9)}, rival="AVIF", percent=True, mode=mode)
    band, line, ring = fig.data
    np.testing.assert_allclose(band.y, [12, 2, -8, -12, -2, 8], atol=1e-6)
    np.testing.assert_allclose(line.y, [10, 0, -10], atol=1e-6)
    assert list(ring.x) == [pytest.approx(0.2)]
    assert ring.text == ("0.20",)
    assert fig.layout.yaxis.title.text == "more right than AVIF, of 100"


def test_gaps_that_could_not_be_worked_out_are_not_drawn():
    rows = [Delta("JPEG", "m", 0.1, 0.05, 0.2, 1.0, 9), Delta("AVIF", "m", None, None, None, 0.0, 9, "apart")]
    (line,) = lines(rates.gaps({"class": rows}, x="points", percent=True))
    assert tuple(line.x) == (10,)
    assert tuple(line.error_x.arrayminus) == (5,)
    assert rates.gaps({"class": rows}, x="points", percent=True).layout.yaxis.ticktext == ("JPEG", "AVIF")
    assert not len(lines(rates.gaps({"class": rows[1:]}, x="points", percent=True))[0].x)

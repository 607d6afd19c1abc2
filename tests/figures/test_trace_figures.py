"""Figures: what is drawn agrees with the trace, in both themes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hiercodec.evaluation.codecs.peers import places
from hiercodec.evaluation.results.curves import Curve
from hiercodec.evaluation.traces.trace import Step, Trace
from hiercodec.figures.palette import palette
from hiercodec.figures.rates import codecs
from hiercodec.figures.trace import quality_curve, template
from hiercodec.levels import DEFAULT_MODEL

LABELS = {"coarse": ("animal", "thing"), "intermediate": ("dog", "cat", "cup", "car", "tool")}


def make_step(n_bytes: int, masses: tuple[float, ...], fine: tuple[int, float]) -> Step:
    coarse = (masses[0] + masses[1], masses[2] + masses[3] + masses[4])
    top = {}
    for name, values in (("coarse", coarse), ("intermediate", masses)):
        best = sorted(range(len(values)), key=lambda i: -values[i])[:3]
        top[name] = tuple((i, LABELS[name][i], values[i]) for i in best)
    top["fine"] = ((fine[0], f"class {fine[0]}", fine[1]),)
    return Step(
        n_bytes, n_bytes / 100, 20 + n_bytes / 100, None, 0.5, top, True, {"coarse": coarse, "intermediate": masses}
    )


@pytest.fixture
def trace() -> Trace:
    steps = (
        make_step(100, (0.1, 0.2, 0.3, 0.3, 0.1), (7, 0.2)),
        make_step(400, (0.5, 0.2, 0.1, 0.1, 0.1), (9, 0.3)),
        make_step(900, (0.7, 0.1, 0.1, 0.05, 0.05), (7, 0.6)),
    )
    cuts = {"coarse": 300, "intermediate": 400, "fine": 900}
    return Trace(
        80, 60, 900, {"header": 30, "z": 70, "coarse": 200, "intermediate": 100, "fine": 500}, cuts, steps, {}, LABELS
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_template_takes_the_palette(mode):
    layout = template(mode).layout
    p = palette(mode)
    assert (layout.paper_bgcolor, layout.font.color) == (p.background, p.text)
    assert layout.colorway == p.categorical
    assert layout.font.size >= 16


def test_quality_is_bytes_against_decibels(trace):
    fig = quality_curve(trace, 1, {"jpeg": [(500, 22.0), (800, 25.0)]})
    own, jpeg = fig.data
    assert list(own.y) == [21.0, 24.0, 29.0]
    assert (list(jpeg.x), jpeg.name) == ([500, 800], "JPEG")
    assert "dB" in fig.layout.yaxis.title.text


def curve(codec: str) -> Curve:
    """Two points of a codec, whatever they are."""
    return Curve(codec, ("a", "b"), *(np.array([1.0, 2.0]) for _ in range(5)), n=3)


def test_codecs_look_as_they_do_beside_their_rivals_over_many_photographs(trace):
    named = dataclasses.replace(trace, provenance=trace.provenance | {"model": DEFAULT_MODEL})
    single = quality_curve(named, 1, {name: [(500, 22.0)] for name in ("avif", "jxl")})
    every = {name: curve(name) for name in (DEFAULT_MODEL, "avif", "jxl")}
    many = codecs(list(every.values()), places(every), y="PSNR")

    def looks(fig) -> dict[str, tuple[str, str]]:
        return {row.name: (row.line.color, row.marker.symbol) for row in fig.data if row.marker.symbol}

    assert looks(single) == looks(many)
    assert set(looks(single)) == {DEFAULT_MODEL, "AVIF", "JPEG XL"}

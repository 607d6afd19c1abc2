"""Figures of failures: which way confusion points, what axes say."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.results.failures import Severity, confusion
from hiercodec.figures import failures as figures

ROWS = [Severity("q1", 0.1, 10, 5, 0.4, 0.05, (0.6, 0.2)), Severity("q2", 0.2, 10, 0, np.nan, np.nan, (np.nan, np.nan))]

LOOKS = {"lite": 1, "jpeg": 2}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_confusion_points_down_for_the_truth_and_across_for_the_answer(mode):
    counts = confusion(np.array([0, 0, 0, 1]), np.array([2, 2, 0, 1]), 3)
    fig = figures.confusion_map(counts, ["cat", "dog", "car"], mode=mode)
    (cells,) = fig.data
    assert cells.z[0][2] == pytest.approx(2 / 3), "the first row: a cat taken for a car"
    assert np.isnan(cells.z[2][0])
    assert cells.customdata[0][2] == "0,2"
    assert cells.text[0][2] == "cat<br>taken for car"
    assert (fig.layout.yaxis.title.text, fig.layout.xaxis.title.text) == ("truth ↓", "taken for →")
    assert fig.layout.yaxis.autorange == "reversed", "the first row is at the top"
    assert list(fig.layout.yaxis.ticktext) == ["cat 1", "dog 2", "car 3"]
    assert list(fig.layout.xaxis.ticktext) == ["1", "2", "3"]
    assert [(a.y, a.x, a.text) for a in fig.layout.annotations if a.text == "2"] == [(0, 2, "2")]


def test_a_large_confusion_has_no_names_at_its_axes():
    fig = figures.confusion_map(np.eye(100, dtype=int), [str(i) for i in range(100)])
    assert not fig.layout.xaxis.showticklabels
    assert not fig.layout.annotations


def test_severity_is_drawn_with_its_error_and_gaps_where_nothing_is_wrong():
    fig = figures.severity_curves({"lite": ROWS, "jpeg": ROWS}, LOOKS)
    assert [trace.name for trace in fig.data] == ["lite", "JPEG"]
    assert fig.data[0].error_y.array[0] == 0.05
    assert np.isnan(fig.data[0].y[1])
    inside = figures.severity_curves({"lite": ROWS}, LOOKS, 1, "family")
    assert inside.data[0].y[0] == 0.2
    assert "family" in inside.layout.yaxis.title.text

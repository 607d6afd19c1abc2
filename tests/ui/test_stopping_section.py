"""The view "Stop when sure": its words and rows, and the panel's words on one trace."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hiercodec.classify import Confidence, card_of
from hiercodec.evaluation.results.stopping import controlled, fixed, sureness
from hiercodec.evaluation.traces.trace import Until, confidences, stop_step
from hiercodec.figures.rates import controller_curve
from hiercodec.figures.trace import stop_curves
from hiercodec.ui.explore.panels import stop_row, warning
from hiercodec.ui.frame import cached
from hiercodec.ui.results.stopping import about_confidence, as_rows, in_words
from tests.evaluation.results.test_stopping import cuts  # noqa: F401 (a fixture)


def test_words_and_rows_give_the_curves_numbers(cuts):  # noqa: F811
    sure = sureness(cuts, "coarse", Confidence())
    stopped, same = controlled(cuts, "coarse", sure, (0.5, 0.9)), fixed(cuts, "coarse")
    words = in_words(cuts, "coarse", sure, stopped[1], same)
    assert f"**{stopped[1].bytes:,.0f} bytes** on average" in words
    assert f"right for **{stopped[1].accuracy:.1%}** of 300 photographs" in words
    assert "better." in words or "no clear difference." in words
    rows = as_rows(stopped, same)
    assert [row["rule"] for row in rows] == ["50% sure", "90% sure", *(f"all at {name}" for name in "abcde")]
    assert rows[0]["mean bytes"] == round(stopped[0].bytes)
    fig = controller_curve(stopped, same, chosen=0.9)
    assert list(fig.data[0].x) == [row.bytes for row in stopped]
    assert (fig.data[2].x[0], fig.data[2].y[0]) == (stopped[1].bytes, stopped[1].accuracy)


def test_what_sure_means_is_said_from_the_card():
    short = card_of("lite0")["held_out_by_prefix"]["6.0%"]
    words = about_confidence("coarse", "lite0", Confidence())
    assert f"{short['ece_before']:.3f} → {short['ece_after']:.3f}" in words
    assert ("worse" if short["ece_after"] > short["ece_before"] else "better") in words
    assert "Nobody has calibrated" in about_confidence("coarse", "timm:resnet50", Confidence())


@pytest.mark.parametrize("threshold", [0.5, 0.95])
def test_one_trace(threshold):
    trace = cached.shipped_bundle("motorcycle").trace
    plain = Confidence()
    sure = {level: confidences(trace, level, plain) for level in trace.levels}
    stops = {level: stop_step(trace, Until(level, threshold), plain) for level in trace.levels}
    for level in trace.levels:
        row = stop_row(trace, level, stops[level], sure[level])
        assert (row["stops at"] == "never: reads all") == (max(sure[level]) < threshold)
        index = len(trace.steps) - 1 if stops[level] is None else stops[level]
        assert row["answer"] == trace.steps[index].top[level][0][1]
    fig = stop_curves(trace, sure, stops, threshold, position=3)
    rings = [item for item in fig.data if item.mode == "markers"]
    assert len(rings) == sum(stop is not None for stop in stops.values())
    wrong = dataclasses.replace(trace, answers=dict.fromkeys(trace.levels, (10**6,)))
    assert ("Sure is not right" in warning(wrong, stops)) == any(stop is not None for stop in stops.values())
    assert warning(dataclasses.replace(trace, answers={}), stops) == ""
    assert np.isfinite(sure["coarse"]).all()

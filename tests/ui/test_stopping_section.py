"""The section "Stop when sure" over measured rows, its words, and the panel's words on one trace."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.classify import Confidence, card_of
from hiercodec.evaluation.results.stopping import controlled, fixed, sureness
from hiercodec.evaluation.traces.until import Until, confidences, stop_step
from hiercodec.figures.stopping import controller_curve, stop_curves
from hiercodec.ui.explore.stopping import stop_row, warning
from hiercodec.ui.frame import cached
from hiercodec.ui.results.stopping import about_confidence, as_rows, in_words
from tests.evaluation.results.test_stopping import cuts  # noqa: F401 (a fixture)


def section() -> None:
    """A page of its own: rows of 40 photographs that are right the more often the surer and the longer they are."""
    import dataclasses
    from functools import partial

    import numpy as np

    from hiercodec.evaluation.results.table import tables
    from hiercodec.ui.results.stopping import stopping_section
    from tests.evaluation.some_rows import some_rows

    rng = np.random.default_rng(0)
    rows = some_rows(40, ("lite",), settings=("10%", "30%", "100%"))
    sure = rng.uniform(0.3, 1, len(rows)) * 0.9
    rows.frame["path_p"] = [np.array([p, p / 2, p / 4]) for p in sure]
    rows.frame["right"] = [np.array([rng.random() < p, False, False]) for p in sure]
    stopping_section(rows, partial(tables, rows))
    unjudged = dataclasses.replace(rows, frame=rows.frame.assign(judge=""))
    stopping_section(unjudged, partial(tables, unjudged), key="second")


def test_the_section_draws_a_curve_and_says_what_a_threshold_is_worth():
    at = AppTest.from_function(section, default_timeout=90).run()
    assert not at.exception
    text = " ".join(item.value for item in at.markdown)
    assert "Stopping when **90% sure** of the kind reads" in text
    assert "of 40 photographs" in text
    assert "These rows hold no prefixes" in text, "the second has no judge"
    assert len(at.get("plotly_chart")) == 1
    at.segmented_control[0].set_value("fine").run()
    assert "sure** of the class" in " ".join(item.value for item in at.markdown)
    assert not at.exception


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

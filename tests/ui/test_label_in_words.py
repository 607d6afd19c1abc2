"""Label and pixels in words: where they agree, and what it may mean where they do not."""

from __future__ import annotations

import json

import pytest

from hiercodec.evaluation.traces.trace import LabelAnswer, Step, Trace
from hiercodec.figures.trace import label_curves
from hiercodec.report import label
from hiercodec.report.numbers import numbers
from hiercodec.ui.explore.panels import label_row

DOG, CAT, CAR = 0, 1, 2
LABELS = ("dog", "cat", "car")


def traced(label, seen, right=(), sure=0.9, p=0.6, whole=True):
    """A file of three steps whose label says one kind, while the pixels show `seen`, one a step."""
    steps = [
        Step(
            n,
            0.1,
            20.0,
            level,
            0.5,
            {"coarse": ((kind, LABELS[kind], p),)},
            fused={"coarse": ((label, LABELS[label], 0.95),)},
        )
        for n, level, kind in zip((30, 200, 400), (None, None, "coarse" if whole else None), seen, strict=True)
    ]
    return Trace(
        1,
        1,
        400,
        {"header": 24, "label": 8, "z": 20, "coarse": 348},
        {"coarse": 400},
        tuple(steps),
        answers={"coarse": right} if right else {},
        label={"coarse": LabelAnswer(label, LABELS[label], sure, 29)},
        labeller="lite0",
    )


@pytest.mark.parametrize(
    ("trace", "index", "said"),
    [
        (traced(DOG, (CAT, DOG, DOG), (DOG,)), 1, label.SAME),
        (traced(DOG, (CAT, DOG, DOG), (DOG,)), 0, label.EARLY),
        (traced(DOG, (CAT, CAT, CAT), (DOG,)), 2, label.HARD),
        (traced(DOG, (CAR, CAT, CAT), (CAT,)), 0, label.WRONG),
        (traced(DOG, (CAR, CAR, CAR), (CAT,)), 2, label.BOTH_WRONG),
        (traced(DOG, (CAR, CAT, CAT), (DOG, CAT)), 2, label.BOTH_RIGHT),
        (traced(DOG, (CAR, CAT, CAT), (DOG, CAT)), 0, label.EARLY),
        (traced(DOG, (CAR, CAT, CAT), sure=0.35), 2, label.PERHAPS_WRONG),
        (traced(DOG, (CAR, CAT, CAT), sure=0.99), 2, label.PERHAPS_HARD),
        (traced(DOG, (CAR, CAT, CAT), whole=False), 2, label.CUT),
    ],
)
def test_a_difference_says_what_it_may_mean(trace, index, said):
    assert label.agreement(trace, index, "coarse") == said
    row = label.label_answers(trace, index)["coarse"]
    assert (row["agrees"], row["words"]) == (said.agrees, said.short)


def test_nothing_is_said_before_the_label_or_without_anybody_who_looks():
    trace = traced(DOG, (DOG, DOG, DOG))
    late = Trace(
        **{**{n: getattr(trace, n) for n in Trace.__slots__}, "label": {"coarse": LabelAnswer(DOG, "dog", 0.9, 100)}}
    )
    assert label.label_answers(late, 0) == {}
    assert label.agreement(late, 0, "coarse") is None
    blind = Trace(**{**{n: getattr(trace, n) for n in Trace.__slots__}, "steps": (Step(30, 0.1, 20.0, None, 0.0),)})
    assert label.agreement(blind, 0, "coarse") is None
    assert label.label_answers(blind, 0)["coarse"]["words"] == ""


def test_the_scrubber_is_sent_what_the_label_says_and_the_bar_says_label():
    trace = traced(DOG, (CAT, DOG, DOG), (DOG,))
    sent = json.loads(json.dumps(numbers(trace)))
    assert sent["labelled"]
    assert sent["steps"][0]["label"]["coarse"] == {
        "label": "dog",
        "chance": "90 %",
        "mark": "right",
        "agrees": False,
        "words": "too few bytes",
        "sentence": label.EARLY.sentence,
        "together": "dog 95 %",
    }
    assert [part[0] for part in sent["parts"]][:3] == ["header", "label", "z"]
    assert sent["stops"][0][:2] == ["z", 1], "the label stands before z"
    assert not numbers(Trace(1, 1, 400, {"z": 20}, {"coarse": 400}, trace.steps))["labelled"]


def test_a_row_of_the_panel_has_three_answers():
    row = label_row(traced(DOG, (CAT, DOG, DOG), (DOG,)), 0, "coarse")
    assert row == {
        "level": "kind",
        "label": "dog 90 % ✓",
        "pixels": "cat 60 % ✗",
        "together": "dog 95 % ✓",
        "": "≠ too few bytes",
    }


def test_three_curves_are_of_the_labels_own_answer():
    fig = label_curves(traced(DOG, (CAT, DOG, DOG)), "coarse", position=1)
    assert {line.name: list(line.y) for line in fig.data} == {
        "label": [0.9] * 3,
        "pixels": [0.0, 0.6, 0.6],
        "together": [0.95] * 3,
    }

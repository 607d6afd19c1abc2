"""Answers in words: the truth named, rivals judged, and the step the page opens at."""

from __future__ import annotations

import dataclasses

import pytest

from hiercodec.evaluation.traces.trace import Step, Trace, story_step, story_strength
from hiercodec.report.answers import NOTHING_YET, answers, first_right, first_right_of, one_of, percent, truth
from hiercodec.report.links import class_link, group_link

SIZES = (100, 200, 300, 400)


def traced(coarse, fine, right=((1,), (7,))) -> Trace:
    """A trace whose steps are taken for these kinds and classes."""
    steps = tuple(
        Step(n, 0.1, 20.0, None, 0.5, {"coarse": ((c, f"k{c}", 0.6),), "fine": ((f, f"c{f}", 0.5), (9, "c9", 0.2))})
        for n, c, f in zip(SIZES, coarse, fine, strict=True)
    )
    known = dict(zip(("coarse", "fine"), right, strict=True)) if right else {}
    labels = {"coarse": ("k0", "k1", "k2")}
    return Trace(1, 1, 400, {}, {"coarse": 200, "fine": 400}, steps, labels=labels, answers=known)


@pytest.mark.parametrize(
    ("coarse", "fine", "step"),
    [
        ((1, 1, 1, 1), (3, 3, 7, 7), 1),  # the class comes last: stand just before it
        ((2, 1, 1, 1), (3, 3, 3, 7), 2),
        ((2, 2, 1, 1), (3, 3, 7, 7), None),  # both at once: nothing to tell
        ((1, 1, 1, 1), (7, 7, 7, 7), None),
        ((1, 1, 1, 1), (7, 7, 7, 3), None),  # wrong in the end
        ((1, 2, 1, 1), (3, 3, 3, 7), 2),  # only from where the kind stays right
    ],
)
def test_the_story_is_told_just_before_the_class_is_right(coarse, fine, step):
    assert story_step(traced(coarse, fine)) == step
    assert story_step(traced(coarse, fine, right=None)) is None


def test_a_story_is_better_the_surer_and_the_earlier_it_is():
    early, late = traced((1, 1, 1, 1), (3, 7, 7, 7)), traced((1, 1, 1, 1), (3, 3, 3, 7))
    assert story_strength(early) == pytest.approx(0.6 * 0.75)
    assert story_strength(early) > story_strength(late) > story_strength(traced((1,) * 4, (7,) * 4)) == 0


def test_the_truth_is_named_with_all_that_count():
    assert truth(traced((1,) * 4, (7,) * 4, ((1,), (281,)))) == "Truth: k1 › tabby"
    said = truth(traced((1,) * 4, (7,) * 4, ((1,), (281, 282, 285))))
    assert said == "Truth: k1 › tabby, tiger cat or Egyptian cat (any of these 3 counts)"
    assert "not known" in truth(traced((1,) * 4, (7,) * 4, None))
    assert one_of(["a"]) == "a"


def test_an_answer_says_whether_it_is_right_and_what_comes_next():
    found = traced((2, 1, 1, 1), (3, 3, 7, 7))
    row = answers(found, found.steps[0].top, 0.5)
    assert (row["coarse"]["mark"], row["fine"]["mark"]) == ("wrong", "wrong")
    assert row["fine"]["rest"] == "then c9 20 %"
    assert (row["coarse"]["wup"], row["fine"]["wup"]) == ("", "WUP 0.50")
    assert (row["fine"]["sign"], row["fine"]["verdict"]) == ("✗", "wrong")


def test_where_nobody_knows_the_truth_nothing_is_called_right():
    blind = traced((1, 1, 1, 1), (3, 7, 7, 7), None)
    row = answers(blind, blind.steps[0].top)
    assert [row["coarse"][name] for name in ("sign", "verdict", "mark")] == ["=", "as the whole file", "same"]
    assert [row["fine"][name] for name in ("sign", "verdict", "mark")] == ["≠", "another", "other"]
    cut = dataclasses.replace(blind, file_bytes=300)
    assert answers(cut, cut.steps[0].top)["coarse"]["verdict"] == "as the last picture", "the whole file is not here"
    assert truth(cut) == "What this shows is not known: = as the last picture is taken for, ≠ another."
    seen = dataclasses.replace(blind, original={"fine": ((3, "c3", 0.9),), "coarse": ((1, "k1", 0.9),)})
    assert answers(seen, seen.steps[0].top)["fine"]["verdict"] == "as the original"
    assert first_right_of(seen, "coarse").sentence == "= as the original at every step shown from 100 bytes on"
    assert first_right_of(seen, "fine")[:3] == ("≠", "another at the end", True)
    assert "right" not in truth(seen)


def test_a_blank_picture_has_no_answer_but_says_what_it_is_taken_for():
    found = traced((1, 1, 1, 1), (7, 7, 7, 7))
    row = answers(found, found.steps[0].top, 1.0, blank=True)["fine"]
    assert row["label"] == NOTHING_YET
    assert row["rest"] == "a blank picture is taken for c7, 50 %"
    assert not any(row[name] for name in ("mark", "sign", "verdict", "chance", "chances", "wup", "link"))
    blank = dataclasses.replace(found, steps=(dataclasses.replace(found.steps[0], fraction=0.0), *found.steps[1:]))
    assert first_right_of(blank, "fine").words == "from 200 bytes"


def test_a_rival_is_told_from_how_many_of_its_own_bytes_it_is_right():
    found = traced((2, 1, 1, 1), (3, 3, 7, 3))
    sizes = [900, 1500, 2000, 2500]
    kind = first_right(found, "coarse", sizes, [2, 1, 1, 1])
    assert kind == ("✓ right", "from 1.5 kB", True, "✓ right at every step shown from 1.5 kB on")
    assert first_right(found, "fine", sizes, [3, 3, 7, 3])[:3] == ("✗", "wrong at the end", False)
    assert first_right(found, "fine", [900], [3])[:3] == ("✗", "never right", False)
    assert first_right(found, "fine", [], []) is first_right(found, "fine", [900], [None]) is None


@pytest.mark.parametrize(("p", "said"), [(0, "0 %"), (0.004, "<1 %"), (0.126, "13 %"), (0.999, ">99 %"), (1, "100 %")])
def test_percent(p, said):
    assert percent(p) == said


def test_an_answer_leads_to_its_group_on_the_map_where_the_app_knows_the_tree():
    trace = traced((1,) * 4, (7,) * 4)
    assert {row["link"] for row in answers(trace, trace.steps[0].top).values()} == {""}
    known = dataclasses.replace(trace, provenance={"hierarchy": "consensus-mended"})
    rows = answers(known, trace.steps[0].top)
    assert rows["coarse"]["link"] == group_link("consensus-mended", "coarse", "k1")
    assert rows["fine"]["link"] == class_link("consensus-mended", 7)

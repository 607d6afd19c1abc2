"""What the browser is sent: sums that come out, lanes that tell the truth, an icicle whose rows stand under each other."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.traces.trace import Step, Trace
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.report import numbers
from hiercodec.report.answers import format_bytes
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec


@pytest.fixture(scope="module")
def found():
    ramp = np.linspace(0, 255, 96 * 64 * 3).reshape(64, 96, 3).astype(np.uint8)
    evaluator = Evaluator(FakeClassifier(), load_hierarchy()).knowing([504])
    return trace(FakeCodec(), ramp, evaluator, steps=9)[0]


def lane_of(winners, answers=(), sizes=(10, 20, 40)):
    """The lane of a trace of 50 bytes with these fine winners; None: the blank picture is taken for 0."""
    steps = tuple(
        Step(n, 0.1, 20.0, None, 0.0 if w is None else 0.5, {"fine": ((w or 0, f"c{w}", 0.5),)})
        for n, w in zip(sizes, winners, strict=True)
    )
    return numbers.lane(Trace(1, 1, 50, {}, {"fine": 50}, steps, answers={"fine": answers}), "fine")


def test_everything_is_json(found):
    sent = json.loads(json.dumps(numbers.numbers(found), allow_nan=False))
    assert len(sent["steps"]) == len(found.steps)
    assert sent["steps"][-1]["quality"] == f"{found.steps[-1].psnr:.1f} dB"
    assert "mass" not in sent["steps"][0]
    assert sent["names"] == {"coarse": "kind", "intermediate": "family", "fine": "class"}


def test_no_words_on_the_screen_are_the_papers(found):
    sent = numbers.numbers(found)
    texts = [sent["truth"], sent["whole"], *(title for _, _, title in sent["stops"])]
    for step in sent["steps"]:
        texts += [step["said"], *step["arrived"].values()]
    assert not any(level in text for text in texts for level in found.levels)


def test_a_block_has_one_share_and_it_is_in_bytes(found):
    for step, sent in zip(found.steps, numbers.numbers(found)["steps"], strict=True):
        for name, start, end in numbers.segments(found)[2:]:
            got = min(step.bytes, end) - start
            words = "block complete" if got == end - start else f"{got:,} of {end - start:,} bytes"
            assert sent["arrived"][name] == (words if got > 0 else "block not yet here")


def test_the_curve_of_meaning_has_every_level_up_to_its_most(found):
    curve = numbers.numbers(found)["curve"]
    assert [line["most"] for line in curve["lines"]] == pytest.approx([math.log2(k) for k in (10, 100, 1000)], abs=1e-3)
    assert curve["called"] == "meaning"
    for line in curve["lines"]:
        assert all(0 <= bits <= line["most"] + 1e-4 for _, bits in line["points"])
        assert [x for x, _ in line["points"]] == sorted(x for x, _ in line["points"])
    told = numbers.numbers(found)["steps"][-1]["told"]
    assert told == f"{found.steps[-1].meaning['fine']:.1f} of 10.0 bits"
    blind = Trace.from_json({**found.to_json(), "answers": {}})
    assert numbers.numbers(blind)["curve"]["called"] == "how sure"
    assert numbers.numbers(Trace.from_json({**found.to_json(), "groups": {}}))["curve"] is None


def test_notches_are_where_the_blocks_end(found):
    names = [name for name, _, _ in numbers.stops(found)]
    assert names == ["z", "coarse", "intermediate", "fine"]
    for name, index, _ in numbers.stops(found)[1:]:
        assert found.steps[index].bytes == found.cuts[name]
    empty = Trace.from_json({**found.to_json(), "parts": {**found.parts, "z": 2}})
    assert [name for name, _, _ in numbers.stops(empty)] == ["coarse", "intermediate", "fine"], (
        "a checksum alone says nothing"
    )


def test_a_sentence_says_where_we_stand(found):
    said = numbers.sentence(found, 2)
    assert said.startswith("Step 3 of ")
    assert "decibels, kind " in said
    identical = Trace(1, 1, 9, {}, {"fine": 9}, (Step(9, 1.0, math.inf, "fine", 1.0),))
    assert numbers.sentence(identical, 0) == "Step 1 of 1, 9 bytes, identical to the original"


def test_without_the_original_nothing_is_called_quality():
    steps = tuple(Step(n, 1.0, psnr, "coarse", 0.5) for n, psnr in ((900, 21.04), (3000, math.inf)))
    cut = Trace(1, 1, 3000, {}, {"coarse": 500, "fine": 3500}, steps, {"reference": "last decoded frame"})
    sent = numbers.numbers(cut)
    assert sent["quality"] == "against the last"
    assert [step["quality"] for step in sent["steps"]] == ["21.0 dB", "as the last picture"]
    assert "21.0 decibels from the last picture" in sent["steps"][0]["said"]
    assert "the last picture" in sent["steps"][1]["said"]
    assert sent["whole"] == "the 3.0 kB left by the cut"


def test_a_complete_file_is_called_by_its_size(found):
    sent = numbers.numbers(found)
    assert sent["whole"] == format_bytes(found.file_bytes)
    assert sent["quality"] == "quality"


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 byte"), (999, "999 bytes"), (1940, "1.9 kB"), (123_456, "123 kB"), (99_949, "99.9 kB")]
)
def test_bytes_in_words(n, said):
    assert format_bytes(n) == said


@pytest.mark.parametrize(
    ("winners", "answers", "note", "wrong"),
    [
        ((1, 2, 2), (2,), "✓ right from 20 bytes", False),
        ((1, 2, 2), (), "= same from 20 bytes", False),
        ((2, 2, 1), (2,), "✗ wrong at the end", True),
        ((1, 3, 1), (2,), "✗ never right", True),
    ],
)
def test_a_lane_says_from_when_on_it_is_right(winners, answers, note, wrong):
    lane = lane_of(winners, answers)
    verdict, words, ever, _ = lane["first"]
    assert (f"{verdict} {words}", not ever) == (note, wrong)
    assert [bar[3] for bar in lane["bars"]] == [w in (answers or winners[-1:]) for w in winners]


def test_a_lane_s_stretches_cover_the_file_from_the_first_step():
    lane, blank = lane_of((1, 2, 2)), lane_of((None, 0, 0), (0,))
    (first, width, label, _), (second, rest, other, _) = lane["runs"]
    assert (label, other) == ("c1", "c2")
    assert lane["bars"][0][:3] == (first, width, 0.5)
    assert (first + width, second + rest) == pytest.approx((second, 1), abs=1e-4)
    assert [run[0] for run in blank["runs"]] == [second]
    assert blank["first"].words == "from 20 bytes", "what a blank picture is taken for is not right"
    assert lane_of((None, None, None), (0,)) == {"level": "fine", "bars": [], "runs": [], "first": None}


def test_the_icicle_adds_up_and_children_stand_under_their_parents(found):
    upper, lower = numbers.icicle(found)
    hierarchy = load_hierarchy()
    assert (upper["level"], lower["level"]) == ("coarse", "intermediate")
    assert lower["groups"] == sorted(lower["groups"])  # families in the order of their kinds
    parents = hierarchy.parents("intermediate")[0]
    names = hierarchy.level("intermediate").labels
    assert all(
        parents[names.index(label)] == group for label, group in zip(lower["labels"], lower["groups"], strict=True)
    )
    for step in range(len(found.steps)):
        for group in range(10):
            children = [m for m, g in zip(lower["masses"][step], lower["groups"], strict=True) if g == group]
            assert sum(children) == pytest.approx(upper["masses"][step][group], abs=1 + len(children) / 2)
        assert sum(upper["masses"][step]) == pytest.approx(1000, abs=5)


def test_without_a_tree_or_a_classifier_there_is_no_order_to_show(found):
    flat = Trace.from_json({**found.to_json(), "parents": {}})
    assert numbers.icicle(flat)[1]["groups"] == list(range(100))
    bare = trace(FakeCodec(), np.zeros((16, 16, 3), np.uint8), steps=4)[0]
    assert numbers.numbers(bare)["icicle"] == numbers.numbers(bare)["lanes"] == []
    assert numbers.numbers(bare)["truth"] == ""


def test_a_file_that_was_cut_says_what_of_its_blocks_is_missing():
    steps = (Step(300, 0.1, 20.0, None, 0.5), Step(500, 0.2, 20.0, None, 0.7))
    cut = Trace(1, 1, 500, {"header": 25, "z": 75, "coarse": 400, "fine": 0}, {"coarse": 600, "fine": 900}, steps)
    assert numbers.arrived(cut, 500) == {"coarse": "400 of 500 bytes", "fine": "block not yet here"}
    assert numbers.arrived(cut, 300) == {"coarse": "200 of 500 bytes", "fine": "block not yet here"}


def test_the_axis_gives_every_doubling_of_bytes_the_same_room(found):
    places = [numbers.place(found, n * found.steps[0].bytes) for n in (1, 2, 4, 8)]
    assert np.diff(places) == pytest.approx([places[1] - places[0]] * 3, abs=1e-4)
    assert places[0] > 0 == numbers.place(found, 0)
    assert numbers.place(found, found.file_bytes) == 1
    sent = numbers.numbers(found)
    assert [step["at"] for step in sent["steps"]] == sorted({numbers.place(found, step.bytes) for step in found.steps})
    lefts = [left for _, left, _ in sent["parts"]]
    assert lefts == sorted(lefts)
    assert sent["parts"][-1][1] + sent["parts"][-1][2] == pytest.approx(1)


def test_the_ruler_says_round_numbers_of_bytes_where_they_lie(found):
    marks = numbers.ruler(found)
    assert len(marks) >= 3
    for at, text in marks:
        n = float(text.split()[0]) * (1000 if text.endswith("kB") else 1)
        assert at == numbers.place(found, n)
        assert 0 <= at <= 1
        assert str(int(n)).strip("0") in ("1", "2", "5")


def test_the_map_puts_every_class_into_the_cell_of_its_family(found):
    tree, drawn = load_hierarchy(), numbers.numbers(found)["map"]
    families = numbers.icicle(found)[-1]
    assert [families["labels"][cell] for cell in drawn["cells"]] == [tree.path(i)[1] for i in range(1000)]
    points = np.array(drawn["points"])
    assert points.shape == (1000, 2)
    assert points.min() == 0
    assert points.max(0).tolist() == [drawn["width"], drawn["height"]]
    own = dataclasses.replace(found, provenance={**found.provenance, "hierarchy": "my own"})
    assert numbers.numbers(own)["map"] is None, "nobody knows which classes its groups hold"


def test_a_picture_of_one_colour_is_blank_and_no_answer_on_it_counts(found):
    flat = dataclasses.replace(found.steps[-1], flat=True)
    assert flat.blank
    trace = dataclasses.replace(found, steps=(*found.steps[:-1], flat))
    assert not trace.holds(len(trace.steps) - 1, "fine")
    assert numbers.numbers(trace)["steps"][-1]["blank"]

"""Stop when sure: where one stream, one trace and many photographs stop, against loops written out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import hiercodec as hc
from hiercodec.classify import Confidence
from hiercodec.errors import HierarchyError, InputError
from hiercodec.evaluation import Judging, trace
from hiercodec.evaluation.rows import Rows
from hiercodec.evaluation.stopping import (
    Ladder,
    Outcome,
    Until,
    bytes_for,
    confidences,
    controlled,
    decode_until,
    fixed,
    gain,
    ladder,
    parse_until,
    stop_step,
    stopped_at,
)
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec

PLAIN = Confidence()


@pytest.fixture(scope="module")
def cuts():
    """300 photographs at 5 cuts; the surer, the likelier right; the two middle cuts change places in some."""
    rng = np.random.default_rng(0)
    n_bytes = rng.integers(500, 2000, (300, 1)) * np.array([[0.1, 0.3, 0.35, 0.6, 1.0]])
    swap = rng.random(300) < 0.3
    n_bytes[swap, 1:3] = n_bytes[swap, 2:0:-1]
    ease = rng.normal(0, 3, (300, 1))
    sure = 1 / (1 + np.exp(-(ease + np.array([[-2.0, 0, 0.3, 1, 2]]))))
    return Ladder(tuple("abcde"), n_bytes.astype(int), sure, rng.random((300, 5)) < sure)


def by_hand(cuts: Ladder, threshold: float) -> list[int]:
    """The column every photograph stops at."""
    found = []
    for sizes, sure in zip(cuts.bytes, cuts.confidence, strict=True):
        rising = sorted(range(len(sizes)), key=lambda i: sizes[i])
        found.append(next((i for i in rising if sure[i] >= threshold), rising[-1]))
    return found


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.9, 0.999])
def test_it_stops_at_the_shortest_cut_that_is_sure_enough(cuts, threshold):
    assert stopped_at(cuts, threshold).tolist() == by_hand(cuts, threshold)


def test_the_curve_counts_what_was_read_and_what_was_right(cuts):
    for outcome in controlled(cuts, (0.5, 0.9)):
        at = by_hand(cuts, outcome.rule)
        assert outcome.bytes == pytest.approx(np.mean([cuts.bytes[i, j] for i, j in enumerate(at)]))
        assert outcome.accuracy == pytest.approx(np.mean([cuts.right[i, j] for i, j in enumerate(at)]))
        assert outcome.low < outcome.accuracy < outcome.high
        assert outcome.early == pytest.approx(np.mean([j != 4 for j in at]))
    assert [row.rule for row in fixed(cuts)] == list("abcde")
    assert fixed(cuts)[-1].early == 0
    assert fixed(cuts)[2].accuracy == pytest.approx(cuts.right[:, 2].mean())


def test_stopping_when_sure_is_worth_it_where_sureness_tells_right_from_wrong(cuts):
    more, low, high = gain(cuts, 0.8, resamples=200)
    assert low <= more <= high
    assert low > 0
    shuffled = np.random.default_rng(1).permuted(cuts.confidence, axis=0)
    assert gain(dataclasses.replace(cuts, confidence=shuffled), 0.8, resamples=50)[0] < more


def test_bytes_for_an_accuracy_lie_between_the_cuts_around_it():
    rows = [Outcome(str(n), n, a, 0, 1, 0) for n, a in ((100, 0.2), (200, 0.6), (300, 0.5), (400, 0.8))]
    assert bytes_for(rows, 0.4) == 150
    assert bytes_for(rows, 0.7) == 350
    assert bytes_for(rows, 0.1) == 100
    assert bytes_for(rows, 0.9) is None


# ---- measured rows -----------------------------------------------------------------------------------------------------
def some_rows():
    """Three photographs at two cuts, one of them without a truth and one that lacks a cut."""
    import pandas as pd

    rows = [
        ("a.jpg", 3, "half", 50, [0.9, 0.4], [True, False]),
        ("a.jpg", 3, "whole", 100, [0.8, 0.7], [True, True]),
        ("b.jpg", 4, "half", 60, [0.3, 0.2], [False, False]),
        ("b.jpg", 4, "whole", 200, [0.6, 0.5], [True, False]),
        ("c.jpg", 5, "whole", 200, [0.6, 0.5], [True, False]),
        ("d.jpg", -1, "half", 60, [0.3, 0.2], []),
        ("d.jpg", -1, "whole", 200, [0.6, 0.5], []),
    ]
    frame = pd.DataFrame(rows, columns=["photo", "label", "setting", "bytes", "path_p", "right"])
    frame = frame.assign(codec="lite", judge="lite0", path_p=[np.array(p, np.float32) for p in frame["path_p"]])

    return Rows(frame, {"levels": {"coarse": 10, "fine": 1000}})


def test_rows_become_a_ladder():
    found = ladder(some_rows(), "coarse", "lite", "lite0", Confidence({"coarse": (1, 0, 1)}))
    assert found.settings == ("half", "whole")
    assert found.bytes.tolist() == [[50, 100], [60, 200]]
    assert found.right.tolist() == [[True, True], [False, True]]
    assert found.confidence[:, 1] == pytest.approx([0.8, 0.6])
    assert (found.confidence[:, 0] < [0.9, 0.3]).all(), "half of the file: less sure than its probability"
    assert ladder(some_rows(), "fine", "lite", "lite0", PLAIN).right.tolist() == [[False, True], [False, False]]


def test_rows_that_say_nothing_are_refused():
    with pytest.raises(InputError, match="levels coarse, fine, not 'kind'"):
        ladder(some_rows(), "kind", "lite", "lite0", PLAIN)
    with pytest.raises(InputError, match="no rows of 'avif'"):
        ladder(some_rows(), "coarse", "avif", "lite0", PLAIN)


# ---- one stream and one trace ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def made():
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    judging = Judging(FakeClassifier(), load_hierarchy())
    data = FakeCodec().encode(rgb)
    return data, judging, trace(FakeCodec(), rgb, judging, data=data)[0]


def test_decoding_stops_where_the_trace_does_and_looks_no_further(made):
    data, judging, found = made
    sure = confidences(found, "intermediate", PLAIN)
    assert sure == [pytest.approx(step.top["intermediate"][0][2]) for step in found.steps]
    threshold = sorted(sure)[len(sure) // 2]
    index = stop_step(found, Until("intermediate", threshold), PLAIN)
    assert index == next(i for i, p in enumerate(sure) if p >= threshold)
    judging.classifier.calls = 0
    stop = decode_until(FakeCodec(), data, Until("intermediate", threshold), judging, PLAIN)
    assert (stop.point.bytes, stop.reached) == (found.steps[index].bytes, True)
    assert judging.classifier.calls == index + 1
    assert stop.confidence == pytest.approx(sure[index])


def test_what_is_never_sure_enough_is_read_whole(made):
    data, judging, found = made
    assert stop_step(found, Until("fine", 0.999), PLAIN) is None
    stop = decode_until(FakeCodec(), data, Until("fine", 0.999), judging, PLAIN)
    assert (stop.point.bytes, stop.reached) == (len(data), False)
    with pytest.raises(HierarchyError, match="no level"):
        decode_until(FakeCodec(), data, Until("poodle", 0.5), judging, PLAIN)
    blind = dataclasses.replace(found, steps=tuple(dataclasses.replace(step, top={}) for step in found.steps))
    assert confidences(blind, "fine", PLAIN) == []
    assert stop_step(blind, Until("fine", 0.1), PLAIN) is None


def test_a_short_prefix_of_a_cut_file_is_as_short_as_of_the_whole(made):
    _, _, found = made
    rule = Confidence({"coarse": (1.0, 0.0, 1.0)})
    left = dataclasses.replace(found, steps=found.steps[:5], file_bytes=found.steps[4].bytes)
    assert confidences(left, "coarse", rule) == confidences(found, "coarse", rule)[:5]


@pytest.mark.parametrize("text", ["coarse", "coarse:", ":0.9", "coarse:1", "coarse:0", "coarse:nan", "coarse:sure"])
def test_a_rule_in_words_is_checked(text):
    with pytest.raises(InputError, match=r"coarse:0\.9"):
        parse_until(text)


def test_the_front_door_and_the_command_stop_at_the_same_byte(tiny_lite, photo, tmp_path, monkeypatch, capsys):
    import json

    from PIL import Image

    from hiercodec import models
    from hiercodec.classify import loading
    from hiercodec.cli.main import main

    data = tiny_lite.encode(photo)
    judge = FakeClassifier()
    probabilities = [judge.probabilities([tiny_lite.decode(data[:n]).image]) for n in (len(data) // 2, len(data))]
    groups = load_hierarchy().level("coarse").assignment
    threshold = (
        float(np.bincount(groups, weights=probabilities[1][0]).max()) - 1e-4
    )  # reached at the end, if not before
    seen = hc.decode_until(data, f"coarse:{threshold:.5f}", classifier=judge, codec=tiny_lite, steps=6)
    assert seen.reached
    assert seen.confidence >= threshold - 1e-5
    assert seen.answer == seen.prediction.path["coarse"][0][1]
    assert np.array_equal(seen.decoded.image, tiny_lite.decode(data[: seen.bytes]).image)
    with pytest.raises(hc.BadMagic):
        hc.decode_until(b"not a stream at all", "coarse:0.9")

    Image.fromarray(photo).save(tmp_path / "photo.png")
    monkeypatch.setattr(models, "load", lambda name: tiny_lite)
    monkeypatch.setattr(loading, "load", lambda spec: judge)
    argv = ["trace", str(tmp_path / "photo.png"), "--steps", "6", "--until"]
    assert main([*argv, f"coarse:{threshold:.5f}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["until"]
    assert (told["bytes"], told["answer"], told["reached"]) == (seen.bytes, seen.answer, True)
    assert told["calibrated"] is False
    assert main([*argv, "coarse:0.99999"]) == 0
    assert "no prefix is 100.0 % sure; the whole file: coarse" in capsys.readouterr().out
    assert main([*argv, "kind:0.9"]) == 2
    assert main([*argv, "coarse:0.9", "--classifier", "none"]) == 2
    assert "--classifier none" in capsys.readouterr().err

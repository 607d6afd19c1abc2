"""Stop when sure: where one stream and one trace stop."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import hiercodec as hc
from hiercodec.classify import Confidence
from hiercodec.errors import HierarchyError, InputError
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.traces.trace import Until, confidences, parse_until, stop_step
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec

PLAIN = Confidence()


@pytest.fixture(scope="module")
def made():
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    evaluator = Evaluator(FakeClassifier(), load_hierarchy())
    data = FakeCodec().encode(rgb)
    return data, evaluator, trace(FakeCodec(), rgb, evaluator, data=data)[0]


def test_decoding_stops_where_the_trace_does_and_looks_no_further(made):
    data, evaluator, found = made
    sure = confidences(found, "intermediate", PLAIN)
    assert sure == [pytest.approx(step.top["intermediate"][0][2]) for step in found.steps]
    threshold = sorted(sure)[len(sure) // 2]
    index = stop_step(found, Until("intermediate", threshold), PLAIN)
    assert index == next(i for i, p in enumerate(sure) if p >= threshold)
    evaluator.classifier.calls = 0
    stop = hc.decode_until(data, f"intermediate:{threshold}", classifier=evaluator.classifier, codec=FakeCodec())
    assert (stop.bytes, stop.reached) == (found.steps[index].bytes, True)
    assert evaluator.classifier.calls == index + 1
    assert stop.confidence == pytest.approx(sure[index])


def test_what_is_never_sure_enough_is_read_whole(made):
    data, evaluator, found = made
    assert stop_step(found, Until("fine", 0.999), PLAIN) is None
    stop = hc.decode_until(data, "fine:0.999", classifier=evaluator.classifier, codec=FakeCodec())
    assert (stop.bytes, stop.reached) == (len(data), False)
    with pytest.raises(HierarchyError, match="no level"):
        hc.decode_until(data, "poodle:0.5", classifier=evaluator.classifier, codec=FakeCodec())
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
    monkeypatch.setattr(models, "load", lambda name, **where: tiny_lite)
    monkeypatch.setattr(loading, "load", lambda spec: judge)
    argv = ["trace", str(tmp_path / "photo.png"), "--steps", "6", "--until"]
    assert main([*argv, f"coarse:{threshold:.5f}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["until"]
    assert (told["bytes"], told["answer"], told["reached"]) == (seen.bytes, seen.answer, True)
    assert told["calibrated"] is False
    assert main([*argv, "kind:0.99999"]) == 0
    assert "no prefix is 100.0 % sure; the whole file: kind" in capsys.readouterr().out
    assert main([*argv, "species:0.9"]) == 2
    assert main([*argv, "coarse:0.9", "--classifier", "none"]) == 2
    assert "--classifier none" in capsys.readouterr().err

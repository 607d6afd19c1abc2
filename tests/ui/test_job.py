"""The rest of a trace in the background: it ends with the whole trace, stops when told, and never takes the first steps."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.traces import bundle as bundles
from hiercodec.evaluation.traces.tracing import budgets_of, extend, trace, turning_points
from hiercodec.stream import parse
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.explore.subject import AT_ONCE, TURNS, Refinement
from hiercodec.workers.tasks import few
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec

JUDGING = Evaluator(FakeClassifier(), load_hierarchy())


@pytest.fixture(scope="module")
def begun():
    """A first view of few steps, the budgets of the others, and the trace of all."""
    codec, rgb = FakeCodec(), np.linspace(0, 255, 64 * 96 * 3).reshape(64, 96, 3).astype(np.uint8)
    data = codec.encode(rgb)
    whole, decoded = trace(codec, rgb, JUDGING, data=data)
    budgets = budgets_of(parse(data), 24)
    first = few(budgets, list(whole.cuts.values()))
    found, pictures = trace(codec, rgb, JUDGING, data=data, budgets=first)
    view = bundles.make(found, data, rgb, pictures)
    return view, [n for n in budgets if n not in first], bundles.make(whole, data, rgb, decoded)


@pytest.fixture(scope="module")
def more(begun):
    view = begun[0]
    return lambda found, budgets: extend(FakeCodec(), found, view.stream, view.original_pixels(), budgets, JUDGING)


def test_the_first_view_has_both_ends_and_the_end_of_every_block(begun):
    view, rest, whole = begun
    sizes = [step.bytes for step in view.trace.steps]
    assert len(sizes) == 6
    assert set(whole.trace.cuts.values()) | {whole.trace.steps[0].bytes, whole.trace.file_bytes} <= set(sizes)
    assert sorted([*sizes, *rest]) == [step.bytes for step in whole.trace.steps]


def test_it_ends_with_the_trace_made_at_once_and_more_steps_where_answers_change(begun, more):
    view, rest, whole = begun
    job = Refinement(view, rest, more)
    job.wait(60)
    assert job.finished
    turns = turning_points(whole.trace, TURNS)
    assert job.done == job.total == len(rest) + len(turns)
    steps = {step.bytes: (step, frame) for step, frame in zip(job.bundle.trace.steps, job.bundle.frames(), strict=True)}
    assert sorted(steps) == sorted([*turns, *(step.bytes for step in whole.trace.steps)])
    for step, frame in zip(whole.trace.steps, whole.frames(), strict=True):
        assert steps[step.bytes][0] == step
        assert np.array_equal(steps[step.bytes][1], frame)


def test_it_stops_when_told_and_keeps_what_is_there(begun, more):
    view, rest, _ = begun
    running, go_on = threading.Event(), threading.Event()

    def slow(found, budgets):
        running.set()
        assert go_on.wait(60)
        return more(found, budgets)

    job = Refinement(view, rest, slow)
    assert running.wait(60)
    assert not job.finished
    job.cancel()
    go_on.set()
    job.wait(60)
    assert job.finished
    assert job.done == AT_ONCE
    assert len(job.bundle.trace.steps) == len(view.trace.steps) + AT_ONCE


def test_a_failure_is_logged_and_the_first_view_stands(begun, caplog):
    view, rest, _ = begun

    def fail(found, budgets):
        raise MemoryError("no memory")

    with caplog.at_level(logging.ERROR):
        job = Refinement(view, rest, fail)
        job.wait(60)
    assert job.bundle is view
    assert "no memory" in caplog.text

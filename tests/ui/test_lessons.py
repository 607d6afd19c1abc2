"""Every figure of a lesson is that of the shipped traces, found here in another way; other traces give other words."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from PIL import Image

from hiercodec.evaluation.samples import sample, samples
from hiercodec.ui.frame import cached
from hiercodec.ui.learn import lessons


@pytest.fixture(scope="module")
def traces():
    return {row: cached.shipped_bundle(row.id).trace for row in samples()}


def figures(text: str) -> list[float]:
    """The numbers of a sentence."""
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text.replace(", ", " "))]


def titled(traces, title):
    return next((photo, trace) for photo, trace in traces.items() if photo.title == title)


def winners(trace, level):
    return [step.top[level][0][0] for step in trace.steps]


def test_the_prefixes_are_those_of_the_trace(traces):
    lesson = lessons.cut(traces)
    _, trace = titled(traces, lesson.photo)
    first, last = trace.steps[0], trace.steps[-1]
    assert figures(lesson.measured) == pytest.approx([first.bytes, first.psnr, last.bytes, last.psnr], abs=0.051)


def test_the_blocks_end_where_the_trace_says_and_the_view_is_at_the_first_end(traces):
    lesson = lessons.blocks(traces)
    _, trace = titled(traces, lesson.photo)
    numbers = figures(lesson.measured)
    assert numbers[0] == trace.file_bytes
    assert [n for n in numbers[1:] if n > 100] == list(trace.cuts.values())
    assert trace.steps[lesson.step - 1].bytes == trace.cuts["coarse"]


def test_the_kind_comes_before_the_class_by_the_greatest_factor(traces):
    lesson = lessons.meaning(traces)
    shares = {}
    for photo, trace in traces.items():
        from_ = {}
        for level in ("coarse", "fine"):
            right = [w in trace.answers.get(level, ()) for w in winners(trace, level)]
            if right[-1]:
                from_[level] = next(i for i in range(len(right)) if all(right[i:]))
        if len(from_) == 2:
            shares[photo.title] = trace.steps[from_["coarse"]].bytes / trace.steps[from_["fine"]].bytes, from_
    title = min(shares, key=lambda name: shares[name][0])
    share, from_ = shares[title]
    _, trace = titled(traces, title)
    assert lesson.photo == title
    shown = trace.steps[lesson.step - 1]
    assert [shown.top[level][0][0] in trace.answers[level] for level in trace.levels] == [True, True, False]
    early, late, percent = figures(lesson.measured)
    assert (early, late) == (trace.steps[from_["coarse"]].bytes, trace.steps[from_["fine"]].bytes)
    assert percent == round(100 * share)
    assert share < 1


def test_half_the_first_block_brings_what_is_said(traces):
    lesson = lessons.order(traces)
    _, trace = titled(traces, lesson.photo)
    block = [step for step in trace.steps if step.bytes <= trace.cuts["coarse"]]
    half = (block[0].bytes + block[-1].bytes) / 2
    step = min(block, key=lambda row: abs(row.bytes - half))
    gain = (step.psnr - block[0].psnr) / (block[-1].psnr - block[0].psnr)
    assert figures(lesson.measured) == [round(100 * gain)]
    assert trace.steps[lesson.step - 1] == step
    assert gain > 0.5  # what the lesson is about


def test_jpeg_cannot_make_the_picture_as_small_as_the_view(traces):
    lesson = lessons.rival(traces)
    photo, trace = titled(traces, lesson.photo)
    sizes = []
    for quality in range(1, 10):
        out = io.BytesIO()
        Image.fromarray(photo.pixels()).save(out, "JPEG", quality=quality, optimize=True)
        sizes.append(out.tell())
    smallest, here = figures(lesson.measured)
    assert smallest == min(sizes)
    assert here == trace.steps[lesson.step - 1].bytes < smallest


def test_the_failure_is_one(traces):
    lesson = lessons.failure(traces)
    photo, trace = titled(traces, lesson.photo)
    group, label, chance = trace.steps[-1].top["fine"][0]
    assert group not in photo.truth
    assert f"“{label}”, {chance:.0%} sure" in lesson.measured
    assert ("no class among" in lesson.measured) == (not photo.truth)


def test_when_nothing_fails_and_nothing_comes_first_the_lessons_say_so(traces):
    photo, trace = titled(traces, "Cat")
    last = trace.steps[-1]
    right = dataclasses.replace(trace, steps=(dataclasses.replace(last, bytes=trace.cuts["coarse"]), last))
    assert last.top["fine"][0][0] in photo.truth  # else this test needs another photograph
    assert "Every photograph here is answered rightly" in lessons.failure({photo: right}).measured
    assert "On none of these" in lessons.meaning({photo: right}).measured
    horse = sample("horse")
    assert "On none of these" in lessons.meaning({horse: traces[horse]}).measured

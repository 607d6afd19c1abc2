"""The view a lesson opens: which photograph and which step of its trace, found when it is shown.

A photograph that is named stays; one that is described ("best story") is looked for, so that a lesson still shows what it
says when other weights are shipped.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hiercodec.errors import CourseError
from hiercodec.evaluation.codecs.peers import rival
from hiercodec.evaluation.metrics import psnr
from hiercodec.evaluation.photos.samples import Sample
from hiercodec.evaluation.traces.trace import Trace, opening_step, story_strength
from hiercodec.ui.learn.courses import Lesson

Traces = Mapping[Sample, Trace]


@dataclass(frozen=True, slots=True)
class Place:
    """A photograph, its trace, and the index of a step."""

    photo: Sample
    trace: Trace
    index: int


def widest_gap(traces: Traces) -> Sample:
    """The photograph on which the first level needs the smallest share of the bytes that the last one needs."""

    def share(photo: Sample) -> float:
        top, *_, last = traces[photo].levels
        early, late = (traces[photo].right_from(level) for level in (top, last))
        return early / late if early and late else 2.0

    return min(traces, key=share)


def open_class(traces: Traces) -> Sample:
    """The photograph on which, where the first block ends, the kind is right and likelier than the class by most."""

    def lead(photo: Sample) -> float:
        trace = traces[photo]
        top, *_, last = trace.levels
        index = block_end(trace, top)
        right = trace.known and trace.holds(index, top)
        return trace.steps[index].top[top][0][2] - trace.steps[index].top[last][0][2] if right else -1.0

    return max(traces, key=lead)


def surest_mistake(traces: Traces) -> Sample:
    """The photograph whose whole file gets the most confident wrong answer at the last level; the first if none does."""

    def wrong(photo: Sample) -> float:
        trace = traces[photo]
        ranked = trace.steps[-1].top.get(trace.levels[-1], ())
        return ranked[0][2] if ranked and ranked[0][0] not in photo.truth else 0.0

    return max(traces, key=wrong)


PHOTOS: dict[str, Callable[[Traces], Sample]] = {
    "best story": lambda traces: max(traces, key=lambda photo: story_strength(traces[photo])),
    "widest gap": widest_gap,
    "open class": open_class,
    "surest mistake": surest_mistake,
    "no class": lambda traces: next((photo for photo in traces if not photo.truth), surest_mistake(traces)),
}
"""Descriptions of a photograph that a lesson may give instead of a title."""


def block_end(trace: Trace, level: str) -> int:
    """The step at which the block of a level is complete; the last if the file ends before."""
    return next((i for i, step in enumerate(trace.steps) if step.bytes >= trace.cuts[level]), len(trace.steps) - 1)


def middle_of(trace: Trace, level: str) -> int:
    """The step nearest to half of the block of a level."""
    start = max((cut for cut in trace.cuts.values() if cut < trace.cuts[level]), default=trace.steps[0].bytes)
    half = (start + trace.cuts[level]) / 2
    return min(range(len(trace.steps)), key=lambda i: abs(trace.steps[i].bytes - half))


def first_shown(trace: Trace) -> int:
    """The first step whose picture shows anything; the last if none does."""
    return next((i for i, step in enumerate(trace.steps) if not step.blank), len(trace.steps) - 1)


def all_but_last(trace: Trace) -> int:
    """The first step in the gap at which all levels but the last are right; else the last before the last is.

    Where there is no gap, the first step that shows anything.
    """
    *others, last = trace.levels
    top, late = (trace.settled(level) if trace.known else None for level in [*(others or [last])[:1], last])
    if top is None or late is None or top >= late:
        return first_shown(trace)
    telling = (i for i in range(top, late) if all(trace.holds(i, lv) for lv in others) and not trace.holds(i, last))
    return next(telling, late - 1)


def below(trace: Trace, size: int) -> int:
    """The last step smaller than `size` bytes, else the first."""
    return max((i for i, step in enumerate(trace.steps) if step.bytes < size), default=0)


def from_size(trace: Trace, size: int) -> int:
    """The first step of at least `size` bytes, else the last."""
    return next((i for i, step in enumerate(trace.steps) if step.bytes >= size), len(trace.steps) - 1)


@functools.lru_cache(maxsize=32)
def smallest_file(photo: Sample, codec: str) -> int:
    """Bytes of the smallest file that a format (jpeg, webp, avif, …) makes of a photograph at the working size."""
    format_ = rival(codec)
    return len(format_.encode(photo.pixels(), next(iter(format_.fine.values()))))


@functools.lru_cache(maxsize=32)
def best_quality(photo: Sample, codec: str, budget: int) -> float:
    """PSNR in dB of a format's largest file of a photograph in at most `budget` bytes; −∞ if none fits.

    Found by halving, as files grow from setting to setting: to encode at all of them takes seconds.
    """
    rgb, format_ = photo.pixels(), rival(codec)
    settings = list(format_.fine.values())
    fitting = bisect.bisect_right(settings, budget, key=lambda setting: len(format_.encode(rgb, setting)))
    return psnr(rgb, format_.decode(format_.encode(rgb, settings[fitting - 1]))) if fitting else -math.inf


def step_of(lesson: Lesson, photo: Sample, trace: Trace) -> int:
    """The index of the step a lesson asks for; `CourseError` where there is no such place."""
    asked = lesson.head.step
    if isinstance(asked, int):
        if not 1 <= asked <= len(trace.steps):
            raise CourseError(
                f"{lesson.spot('step')}: {photo.title} has the steps 1 to {len(trace.steps)}, not {asked}"
            )
        return asked - 1
    fixed = {
        "opening": opening_step,
        "first": first_shown,
        "last": lambda t: len(t.steps) - 1,
        "all but the last": all_but_last,
    }
    if asked in fixed:
        return fixed[asked](trace)
    kind, _, name = asked.partition(" of ") if " of " in asked else asked.partition(" ")
    if kind in ("end", "middle") and name in trace.cuts:
        return (block_end if kind == "end" else middle_of)(trace, name)
    if kind in ("below", "from"):
        return (below if kind == "below" else from_size)(trace, smallest_file(photo, name))
    raise CourseError(
        f"{lesson.spot('step')}: no step {asked!r}; a step is a number, {', '.join(fixed)}, end of LEVEL, middle of LEVEL "
        f"(levels: {', '.join(trace.levels)}), below FORMAT or from FORMAT (such as jpeg)"
    )


def place_of(lesson: Lesson, traces: Traces) -> Place:
    """Where a lesson stands; `CourseError` for a photograph or a step that does not exist."""
    asked = lesson.head.photo
    photo = PHOTOS[asked](traces) if asked in PHOTOS else next((row for row in traces if row.title == asked), None)
    if photo is None:
        known = ", ".join([*(row.title for row in traces), *PHOTOS])
        raise CourseError(f"{lesson.spot('photo')}: no photograph {asked!r}; there are {known}")
    return Place(photo, traces[photo], step_of(lesson, photo, traces[photo]))

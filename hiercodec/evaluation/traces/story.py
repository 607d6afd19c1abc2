"""Which step of a trace, and which trace, tells best what the codec is for."""

from __future__ import annotations

from hiercodec.evaluation.traces.trace import Trace


def story_step(trace: Trace) -> int | None:
    """The step that shows the idea best: all levels but the last are right and stay so, the last is right from the next on.

    None if there is no such step, or the truth is not known.
    """
    settled = [trace.settled(level) for level in trace.levels] if trace.known else []
    known = [index for index in settled if index is not None]
    if len(known) < len(settled) or len(known) < 2 or max(known[:-1]) >= known[-1]:
        return None
    return known[-1] - 1


def opening_step(trace: Trace) -> int:
    """The step a picture opens at: its story (see `story_step`), else where the first block is complete, else the last."""
    end = next(iter(trace.cuts.values()), 0)
    complete = next((index for index, step in enumerate(trace.steps) if step.bytes >= end), len(trace.steps) - 1)
    story = story_step(trace)
    return complete if story is None else story


def story_strength(trace: Trace) -> float:
    """How well a trace tells the story, 0…1: how sure the last level but one is there, and how early in the file it is."""
    index = story_step(trace)
    if index is None:
        return 0.0
    step = trace.steps[index]
    return step.top[trace.levels[-2]][0][2] * (1 - step.bytes / trace.file_bytes)

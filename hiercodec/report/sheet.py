"""The summary of a trace for one sheet of A4, which the page to take away prints and shows where scripts are off.

What takeaway.html draws as plain HTML and SVG. No Streamlit.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from hiercodec.evaluation.traces.trace import Trace, story_step
from hiercodec.figures.palette import LEVEL_GLYPHS
from hiercodec.levels import spoken
from hiercodec.report.answers import answers, format_bytes, truth
from hiercodec.report.numbers import curve, decibels, quality, whole

WIDE, HIGH, LEFT, RIGHT, TOP, LOW = 720, 250, 30, 132, 10, 34
"""The chart and its margins, in its own units."""

COUNT = {1: "One cut", 2: "Two cuts", 3: "Three cuts"}
DASHES = ("", "7 4", "2 4", "9 3 2 3", "12 5", "4 2")


def moments(trace: Trace) -> list[int]:
    """The three steps that a summary shows, rising: the story (see `story_step`), the end of the first block, the last.

    Where there is no story, or two of these are one: the first from which all answers are right, then what lies farthest
    from those chosen. Fewer than three where the trace has fewer.
    """
    steps = range(len(trace.steps))
    end = next(iter(trace.cuts.values()), 0)
    complete = next((index for index in steps if trace.steps[index].bytes >= end), steps[-1])
    settled = [trace.settled(level) for level in trace.levels]
    right = max((index for index in settled if index is not None), default=None)
    chosen = [steps[-1]]
    for index in (story_step(trace), complete, right):
        if index is not None and index not in chosen and len(chosen) < 3:
            chosen.append(index)
    while len(chosen) < min(3, len(steps)):
        chosen.append(max(steps, key=lambda index: min(abs(index - other) for other in chosen)))
    return sorted(chosen)


def sheet(trace: Trace, pictures: Mapping[int, bytes]) -> dict[str, Any]:
    """What takeaway.html draws: the prefixes with what they are taken for, and the curve of meaning, where there is one.

    `pictures` are WebP files by step, those of `moments`.
    """
    drawn = curve(trace)
    return {
        "count": COUNT[len(pictures)],
        "whole": whole(trace),
        "many": len(trace.levels) > 3,  # many answers have a line each
        "figures": [_figure(trace, index, picture) for index, picture in pictures.items()],
        "truth": truth(trace),
        "chart": _chart(trace, drawn, list(pictures)) if drawn else None,
    }


def _figure(trace: Trace, index: int, picture: bytes) -> dict[str, Any]:
    """One prefix: picture, size, and an answer a level."""
    step = trace.steps[index]
    numbers = {level: number % 6 for number, level in enumerate(trace.levels)}
    return {
        "source": base64.b64encode(picture).decode("ascii"),
        "width": trace.width,
        "height": trace.height,
        "bytes": step.bytes,
        "size": format_bytes(step.bytes),
        "quality": f"{step.bpp:.3f} bit/pixel · {decibels(step.psnr, quality(trace)['same'])}",
        "rows": [
            {"number": numbers[level], "glyph": LEVEL_GLYPHS[numbers[level]], "name": spoken(level), **row}
            for level, row in answers(trace, step.top, blank=step.blank).items()
        ],
    }


def _chart(trace: Trace, drawn: Mapping[str, Any], shown: Sequence[int]) -> dict[str, Any]:
    """Bits of meaning (upwards) against bytes (rightwards): a line a level, named at its end; the shown cuts as posts."""
    most = max(1.0, drawn["most"])

    def x(share: float) -> float:
        return round(LEFT + share * (WIDE - LEFT - RIGHT), 1)

    def y(bits: float) -> float:
        return round(TOP + (1 - bits / most) * (HIGH - TOP - LOW), 1)

    ticks = [
        {"bits": bits, "x": LEFT - 6, "y": y(bits) + 4, "path": f"M{x(0)} {y(bits)}H{x(1)}"}
        for bits in range(0, int(most) + 1, 2)
    ]
    posts = []
    for step in (trace.steps[index] for index in shown):
        at = x(step.bytes / trace.file_bytes)
        path = f"M{at} {y(most)}V{y(0) + 5}"
        posts.append({"x": at, "y": HIGH - 14, "words": format_bytes(step.bytes), "path": path})
    lines, floor = [], float(HIGH)
    for number, line in reversed(list(enumerate(drawn["lines"]))):
        points = "L".join(f"{x(share)} {y(bits)}" for share, bits in line["points"])
        last = line["points"][-1][1]
        floor = y(last) + 4 if floor == HIGH else max(floor + 15, y(last) + 4)  # names never lie on one another
        words = f"{LEVEL_GLYPHS[number % 6]} {spoken(line['level'])} {last:.1f} of {line['most']:.1f}"
        row = {"number": number % 6, "dashes": DASHES[number % 6], "path": f"M{points}"}
        lines.append(row | {"words": words, "x": x(1) + 7, "y": floor})
    heading = {"meaning": "Bits of meaning", "how sure": "How sure the answer is, in bits,"}[drawn["called"]]
    return {
        "alt": f"{heading} against bytes received",
        "wide": WIDE,
        "high": HIGH,
        "axis": f"M{x(0)} {y(most)}V{y(0)}H{x(1)}",
        "ticks": ticks,
        "posts": posts,
        "lines": lines,
    }

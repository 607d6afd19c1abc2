"""The summary of a trace for one sheet of A4, as plain HTML and SVG: what the page to take away prints. No Streamlit.

Nothing here runs: it is also what the page shows where scripts are switched off.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hiercodec.evaluation.traces.story import story_step
from hiercodec.evaluation.traces.trace import Trace
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


def sheet(trace: Trace, title: str, about: Mapping[str, str], pictures: Mapping[int, bytes]) -> str:
    """The summary as an HTML element: prefixes with what they are taken for, the curve of meaning, the making.

    `pictures` are WebP files by step, those of `moments`.
    """
    figures = "".join(_figure(trace, index, picture) for index, picture in pictures.items())
    drawn = curve(trace)
    rows = "".join(f"<p><b>{escape(name)}.</b> {escape(said)}.</p>" for name, said in about.items())
    chart = _chart(trace, drawn, list(pictures)) if drawn else ""
    shape = "cuts many" if len(trace.levels) > 3 else "cuts"  # many answers have a line each
    return (
        f'<article class="sheet"><h1>{escape(title)}</h1>'
        "<p>One file, cut anywhere: its first block is meant for the kind of thing, the next for its family, the last for "
        "its class. "
        f"{COUNT[len(pictures)]} of {escape(whole(trace))}:</p>"
        f'<div class="{shape}">{figures}</div><p class="truth">{escape(truth(trace))}</p>{chart}'
        f'<section class="making">{rows}</section></article>'
    )


def _figure(trace: Trace, index: int, picture: bytes) -> str:
    """One prefix: picture, size, and an answer a level."""
    step = trace.steps[index]
    source = f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"
    named, rows = quality(trace), answers(trace, step.top, blank=step.blank)
    said = f"{step.bpp:.3f} bit/pixel · {decibels(step.psnr, named['same'])}"
    lines = "".join(
        f'<li class="level-{trace.levels.index(level) % 6}"><b>{LEVEL_GLYPHS[trace.levels.index(level) % 6]} '
        f"{escape(spoken(level))}</b> <em>{row['chance']} {row['sign']} {row['verdict']}</em> "
        f"<span>{escape(row['label'])}</span></li>"
        for level, row in rows.items()
    )
    alt = escape(f"The picture after {step.bytes} bytes", quote=True)
    return (
        f'<figure><img alt="{alt}" width="{trace.width}" height="{trace.height}" src="{source}">'
        f"<figcaption><strong>{escape(format_bytes(step.bytes))}</strong><span>{escape(said)}</span>"
        f"<ul>{lines}</ul></figcaption></figure>"
    )


def _chart(trace: Trace, drawn: Mapping[str, Any], shown: Sequence[int]) -> str:
    """Bits of meaning (upwards) against bytes (rightwards): a line a level, named at its end; the shown cuts as posts."""
    most = max(1.0, drawn["most"])
    x = lambda share: round(LEFT + share * (WIDE - LEFT - RIGHT), 1)  # noqa: E731
    y = lambda bits: round(TOP + (1 - bits / most) * (HIGH - TOP - LOW), 1)  # noqa: E731
    parts = [f'<path class="axis" d="M{x(0)} {y(most)}V{y(0)}H{x(1)}"/>']
    for bits in range(0, int(most) + 1, 2):
        parts.append(f'<text x="{LEFT - 6}" y="{y(bits) + 4}" text-anchor="end">{bits}</text>')
        parts.append(f'<path class="grid" d="M{x(0)} {y(bits)}H{x(1)}"/>')
    for index in shown:
        share = trace.steps[index].bytes / trace.file_bytes
        parts.append(f'<path class="post" d="M{x(share)} {y(most)}V{y(0) + 5}"/>')
        said = escape(format_bytes(trace.steps[index].bytes))
        parts.append(f'<text x="{x(share)}" y="{HIGH - 14}" text-anchor="middle">{said}</text>')
    floor = float(HIGH)
    for number, line in reversed(list(enumerate(drawn["lines"]))):
        points = "L".join(f"{x(share)} {y(bits)}" for share, bits in line["points"])
        style = f'class="level-{number % 6}" stroke-dasharray="{DASHES[number % 6]}"'
        parts.append(f'<path {style} d="M{points}"/>')
        told = line["points"][-1][1]
        floor = y(told) + 4 if floor == HIGH else max(floor + 15, y(told) + 4)  # names never lie on one another
        words = f"{LEVEL_GLYPHS[number % 6]} {spoken(line['level'])} {told:.1f} of {line['most']:.1f}"
        parts.append(f'<text class="level-{number % 6}" x="{x(1) + 7}" y="{floor}">{escape(words)}</text>')
    heading = {"meaning": "Bits of meaning", "how sure": "How sure the answer is, in bits,"}[drawn["called"]]
    alt = f"{heading} against bytes received"
    return f'<h2>{alt}</h2><svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{alt}">{"".join(parts)}</svg>'

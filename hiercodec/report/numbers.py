"""What the browser needs of a trace: plain numbers and words, ready to draw. No Streamlit.

Everything that does not depend on the scrubber's position is worked out here, so that the page only draws.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any
from urllib.parse import urlencode

import numpy as np

from hiercodec import values
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.levels import spoken
from hiercodec.report.answers import NOTHING_YET, answers, first_right_of, format_bytes, truth
from hiercodec.report.label import label_answers
from hiercodec.report.links import LEVEL, TREE, title
from hiercodec.taxonomy import available_hierarchies, load_hierarchy
from hiercodec.taxonomy.shipped import available_layouts, load_layout


def numbers(trace: Trace) -> dict[str, Any]:
    """A trace for the scrubber, JSON-ready; probabilities are kept in full only where the icicle shows them."""
    return {
        **{name: getattr(trace, name) for name in ("width", "height", "file_bytes", "cuts")},
        "size": format_bytes(trace.file_bytes),
        "levels": list(trace.levels),
        "names": {level: spoken(level) for level in trace.levels},
        "whole": whole(trace),
        "quality": quality(trace)["label"],
        "parts": [(name, *_stretch(trace, start, end)) for name, start, end in segments(trace)],
        "ruler": ruler(trace),
        "stops": stops(trace),
        "steps": [_step(trace, index) for index in range(len(trace.steps))],
        "original": answers(trace, trace.original),
        "truth": truth(trace),
        "lanes": [lane(trace, level) for level in trace.levels if trace.steps[0].top.get(level)],
        "curve": curve(trace),
        "labelled": bool(trace.label),
        "icicle": (rows := icicle(trace)),
        "map": class_map(trace, rows),
    }


def _step(trace: Trace, index: int) -> dict[str, Any]:
    """One step: what is drawn of it, in words."""
    step = trace.steps[index]
    level, bits = next(reversed(step.meaning.items()), ("", 0.0))
    return {
        "bytes": step.bytes,
        "at": place(trace, step.bytes),
        "blank": step.blank,
        "size": format_bytes(step.bytes),
        "rate": f"{step.bpp:.3f} bit/pixel",
        "quality": decibels(step.psnr, quality(trace)["same"]),
        "told": f"{bits:.1f} of {math.log2(trace.groups[level]):.1f} bits" if level in trace.groups else "",
        "said": sentence(trace, index),
        "answers": answers(trace, step.top, step.wup, blank=step.blank),
        "label": label_answers(trace, index),
        "arrived": arrived(trace, step.bytes),
        "consistent": step.consistent or step.blank,
    }


def decibels(value: float, same: str = values.IDENTICAL) -> str:
    """PSNR in words; `same` is said of two equal pictures."""
    return values.shown(value, 1, " dB", infinite=same)


def quality(trace: Trace) -> dict[str, str]:
    """What PSNR is called, what stands there for two equal pictures, and how both are said.

    Without the original it is the distance from the last picture there is, and no quality.
    """
    if trace.provenance.get("reference"):
        return {
            "label": "against the last",
            "same": "as the last picture",
            "said": "the last picture",
            "after": " from the last picture",
        }
    return {"label": "quality", "same": "identical", "said": "identical to the original", "after": ""}


def whole(trace: Trace) -> str:
    """The file's size in words; of one that was cut, what is left of it."""
    size = format_bytes(trace.file_bytes)
    return f"the {size} left by the cut" if trace.is_cut else size


def sentence(trace: Trace, index: int) -> str:
    """What a step shows in one sentence, for those who cannot see it."""
    step, named = trace.steps[index], quality(trace)
    close = named["said"] if math.isinf(step.psnr) else f"{step.psnr:.1f} decibels{named['after']}"
    ranked = [f"{spoken(level)} {top[0][1]} {top[0][2]:.0%}" for level, top in step.top.items()]
    ranked = [NOTHING_YET] if step.blank else ranked
    size = format_bytes(step.bytes).replace("kB", "kilobytes")
    return ", ".join([f"Step {index + 1} of {len(trace.steps)}", size, close, *ranked])


ROOM = 0.85
"""Where the axis of bytes begins, of the first step: a little before it."""


def place(trace: Trace, n_bytes: float) -> float:
    """Where on the page's axis a number of bytes lies, 0…1: twice the bytes are everywhere as far apart.

    Answers change where bytes are few: on an even axis they all would within its first tenth.
    """
    start = ROOM * trace.steps[0].bytes
    return round(max(0.0, math.log(n_bytes / start) / math.log(trace.file_bytes / start)), 5) if n_bytes > 0 else 0.0


def _stretch(trace: Trace, start: float, end: float) -> tuple[float, float]:
    """Left edge and width on the axis of the bytes from `start` to `end`."""
    left = place(trace, start)
    return left, round(place(trace, end) - left, 5)


def ruler(trace: Trace) -> list[tuple[float, str]]:
    """Round numbers of bytes and where they lie on the axis: 1, 2 and 5 of every power of ten."""
    start, end = ROOM * trace.steps[0].bytes, trace.file_bytes
    round_numbers = [m * 10**power for power in range(len(str(end))) for m in (1, 2, 5)]
    return [(place(trace, n), f"{n} B" if n < 1000 else f"{n // 1000} kB") for n in round_numbers if start <= n <= end]


def segments(trace: Trace) -> list[tuple[str, int, int]]:
    """The file's parts as (name, start, end) in bytes, in file order."""
    parts, start = [], 0
    for name, size in trace.parts.items():
        parts.append((name, start, start + size))
        start += size
    return parts


def arrived(trace: Trace, n_bytes: int) -> dict[str, str]:
    """Level → how much of its block the first `n_bytes` hold, in bytes as everywhere on the page."""
    words = {}
    start = trace.start
    for name, end in trace.cuts.items():  # not `parts`: of a file that was cut they hold only what is left
        done = f"{n_bytes - start:,} of {end - start:,} bytes" if n_bytes > start else "block not yet here"
        words[name] = "block complete" if n_bytes >= end else done
        start = end
    return words


def stops(trace: Trace) -> list[tuple[str, int, str]]:
    """(name, step, words) where z, if it holds anything, and each block that is there end: the notches of the track."""
    steps = trace.steps
    ends = [(name, next((i for i, s in enumerate(steps) if s.bytes >= cut), None)) for name, cut in trace.cuts.items()]
    z = next((i for i, s in enumerate(steps) if s.bytes >= trace.start), None) if trace.has_z else None
    there = [(name, index) for name, index in [("z", z), *ends] if index is not None]
    return [(name, i, f"{spoken(name)} is complete at {format_bytes(steps[i].bytes)}") for name, i in there]


def lane(trace: Trace, level: str) -> dict[str, Any]:
    """The decision timeline of one level along the axis (see `place`), from the first step that shows anything.

    `bars` are (left, width, height, solid): a step's winner as high as it is likely, solid where it is right (`holds`);
    `runs` are (left, width, label, title): stretches that keep a winner; `first` says from where on it is right (`First`).
    """
    shown = [index for index, step in enumerate(trace.steps) if not step.blank]
    steps = [trace.steps[index] for index in shown]
    winners = [step.top[level][0] for step in steps]
    edges = [*(place(trace, step.bytes) for step in steps), 1.0]
    bars = [
        (round(edges[i], 5), round(max(edges[i + 1] - edges[i], 0.004), 5), round(p, 4), trace.holds(index, level))
        for i, (index, (_, _, p)) in enumerate(zip(shown, winners, strict=True))
    ]
    starts = [i for i, winner in enumerate(winners) if i == 0 or winner[0] != winners[i - 1][0]]
    runs = [
        (
            round(edges[i], 5),
            round(edges[j] - edges[i], 5),
            winners[i][1],
            f"{winners[i][1]}, from {format_bytes(steps[i].bytes)}",
        )
        for i, j in itertools.pairwise([*starts, len(steps)])
    ]
    return {"level": level, "bars": bars, "runs": runs, "first": first_right_of(trace, level)}


def curve(trace: Trace) -> dict[str, Any] | None:
    """Bits of meaning against bytes, a line a level: its most (log2 K) and (place on the axis, bits) at every step.

    None where the trace holds none; `called` is what the bits are without and with a known truth.
    """
    if not trace.groups or not trace.steps[0].meaning:
        return None
    lines = [
        {
            "level": level,
            "most": round(math.log2(trace.groups[level]), 4),
            "points": [(place(trace, step.bytes), step.meaning[level]) for step in trace.steps],
        }
        for level in trace.steps[0].meaning
    ]
    most = max(line["most"] for line in lines)
    return {"called": "meaning" if trace.known else "how sure", "most": most, "lines": lines}


def icicle(trace: Trace) -> list[dict[str, Any]]:
    """Where the probability lies at every step: one row a level, groups in a fixed order, children under their parents.

    `masses` holds thousandths, a list a step; `groups` says which group of the first row each belongs to (itself, where
    the hierarchy is no tree).
    """
    rows, place = [], None
    for level, labels in trace.labels.items():
        parents = trace.parents.get(level)
        family = list(range(len(labels))) if place is None or parents is None else [place[parent] for parent in parents]
        order = sorted(range(len(labels)), key=lambda group: (family[group], group))
        masses = [[round(1000 * step.mass[level][group]) for group in order] for step in trace.steps if step.mass]
        if masses:
            named = [labels[group] for group in order]
            rows.append({"level": level, "labels": named, "groups": [family[g] for g in order], "masses": masses})
        place = family
    return rows


MAP_WIDTH = 1000
"""Of the map of the classes, in units of its own: whole numbers are exact enough to draw."""


def class_map(trace: Trace, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Where the classes lie on the map of the page Groups, and which cell of the icicle's last row each belongs to.

    None where the trace's groups are not those of a shipped hierarchy, so that nobody knows which classes they hold.
    """
    name = str(trace.provenance.get("hierarchy"))
    tree = _shipped(name) if rows and name in available_hierarchies() else None
    if tree is None or tree.digest != trace.provenance.get("hierarchy_digest"):
        return None
    level, points = rows[-1]["level"], _points()
    corner, size = points.min(0), np.ptp(points, 0)
    placed = np.rint((points - corner) * [1, -1] * MAP_WIDTH / size[0]).astype(int)  # the page counts from the top
    placed[:, 1] += round(MAP_WIDTH * size[1] / size[0])
    cell = {label: index for index, label in enumerate(rows[-1]["labels"])}
    labels = tree.level(level).labels
    return {
        "width": MAP_WIDTH,
        "height": int(placed[:, 1].max()),
        "points": placed.tolist(),
        "cells": [cell[labels[group]] for group in tree.level(level).assignment],
        "link": f"groups?{urlencode({TREE: title(name), LEVEL: spoken(level)})}",
    }


_shipped = functools.cache(load_hierarchy)


@functools.cache
def _points() -> np.ndarray:
    """The places of the first of the maps that the page Groups offers."""
    return load_layout(available_layouts()[0]).points

"""What the browser needs of a trace: plain numbers and words, ready to draw. No Streamlit.

Everything that does not depend on the scrubber's position is worked out here, so that the page only draws.
"""

from __future__ import annotations

import math
from typing import Any

from hiercodec.evaluation.trace import Step, Trace


def numbers(trace: Trace) -> dict[str, Any]:
    """A trace for the scrubber, JSON-ready; probabilities are kept in full only where the icicle shows them."""
    plain = trace.to_json()
    steps = [{name: step[name] for name in step if name != "mass"} for step in plain["steps"]]
    for index, step in enumerate(steps):
        step |= {"said": sentence(trace, index), "where": where(trace, trace.steps[index].bytes)}
    return {
        **{name: plain[name] for name in ("width", "height", "file_bytes", "cuts", "answers")},
        "levels": list(trace.levels),
        "whole": whole(trace),
        "quality": quality(trace),
        "parts": segments(trace),
        "stops": stops(trace),
        "steps": steps,
        "known": any(trace.answers.values()),
        "lanes": [lane(trace, level) for level in trace.levels if trace.steps[0].top.get(level)],
        "icicle": icicle(trace),
    }


def format_bytes(n: int) -> str:
    """Bytes in words: 1 byte, 640 bytes, 1.9 kB (SI).

    >>> format_bytes(640), format_bytes(1940), format_bytes(123456)
    ('640 bytes', '1.9 kB', '123 kB')
    """
    if n < 1000:
        return "1 byte" if n == 1 else f"{n} bytes"
    return f"{n / 1000:.{1 if n < 99950 else 0}f} kB"


def decibels(value: float, same: str = "identical") -> str:
    """PSNR in words; `same` is said of two equal pictures."""
    return same if math.isinf(value) else f"{value:.1f} dB"


def quality(trace: Trace) -> dict[str, str]:
    """What PSNR is called, what stands there for two equal pictures, and how both are said.

    Without the original it is the distance from the last picture there is, and no quality.
    """
    if trace.provenance.get("reference"):
        return {
            "label": "against the last",
            "same": "itself",
            "said": "the last picture",
            "after": " from the last picture",
        }
    return {"label": "quality", "same": "identical", "said": "identical to the original", "after": ""}


def whole(trace: Trace) -> str:
    """The file's size in words; of one that was cut, what is left of it."""
    cut = trace.steps[-1].level != trace.levels[-1]
    return f"{'the ' if cut else ''}{format_bytes(trace.file_bytes)}{' left by the cut' if cut else ''}"


def sentence(trace: Trace, index: int) -> str:
    """What a step shows in one sentence, for those who cannot see it."""
    step, named = trace.steps[index], quality(trace)
    said = named["said"] if math.isinf(step.psnr) else f"{step.psnr:.1f} decibels{named['after']}"
    answers = [f"{level} {top[0][1]} {top[0][2]:.0%}" for level, top in step.top.items()]
    size = format_bytes(step.bytes).replace("kB", "kilobytes")
    return ", ".join([f"Step {index + 1} of {len(trace.steps)}", size, said, *answers])


def segments(trace: Trace) -> list[tuple[str, int, int]]:
    """The file's parts as (name, start, end) in bytes, in file order."""
    found, start = [], 0
    for name, size in trace.parts.items():
        found.append((name, start, start + size))
        start += size
    return found


def where(trace: Trace, n_bytes: int) -> str:
    """What the first `n_bytes` are for, as a sum that comes out."""
    rows = [(name, end - start, min(n_bytes, end) - start) for name, start, end in segments(trace) if start < n_bytes]
    said = (f"{name} {got:,}" if got == size else f"{name} {got:,}/{size:,}" for name, size, got in rows if got)
    return f"{' + '.join(said)} = {n_bytes:,} bytes"


def stops(trace: Trace) -> list[tuple[str, int]]:
    """(name, step) where z and each block that is there end: the notches of the track."""
    ends = (
        (name, next((i for i, s in enumerate(trace.steps) if s.bytes >= cut), None)) for name, cut in trace.cuts.items()
    )
    return [("z", 0), *((name, index) for name, index in ends if index is not None)]


def lane(trace: Trace, level: str) -> dict[str, Any]:
    """The decision timeline of one level, in shares of the file.

    `bars` are (left, width, height, solid): a step's winner as high as it is likely, solid where it is right; `runs` are
    (left, width, label, title): stretches that keep a winner; `note` says from where on it is right, `wrong` if never.
    """
    steps, answers = trace.steps, trace.answers.get(level) or None
    winners = [step.top[level][0] for step in steps]
    right = set(answers or [winners[-1][0]])
    edges = [*(step.bytes / trace.file_bytes for step in steps), 1.0]
    bars = [
        (round(edges[i], 5), round(max(edges[i + 1] - edges[i], 0.004), 5), round(p, 4), group in right)
        for i, (group, _, p) in enumerate(winners)
    ]
    starts = [i for i, winner in enumerate(winners) if i == 0 or winner[0] != winners[i - 1][0]]
    runs = [
        (round(edges[i], 5), round(edges[j] - edges[i], 5), winners[i][1], f"{winners[i][1]}, {_from(steps[i])}")
        for i, j in zip(starts, [*starts[1:], len(steps)], strict=True)
    ]
    settled = trace.settled(level, answers)
    if settled is None:
        note = "✗ right, then wrong" if any(winner[0] in right for winner in winners) else "✗ never right"
    else:
        note = f"{'✓ right' if answers else '▸ settled'} {_from(steps[settled])}"
    return {"level": level, "bars": bars, "runs": runs, "note": note, "wrong": settled is None}


def _from(step: Step) -> str:
    return f"from {format_bytes(step.bytes)}"


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

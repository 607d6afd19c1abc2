"""What another format makes of the picture in the same bytes, and what the classifier says of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.traces.bundle import to_webp
from hiercodec.report.answers import answers, first_right, format_bytes
from hiercodec.report.numbers import decibels
from hiercodec.ui.explore.subject import Subject
from hiercodec.ui.frame import cached, state

if TYPE_CHECKING:
    import numpy as np

    from hiercodec.evaluation.traces.trace import Ranked


def names(shown: Subject) -> dict[str, str]:
    """Key → name of the formats to compare with; none where the original is not at hand."""
    from hiercodec.evaluation.codecs.peers import available

    known = not shown.bundle.trace.provenance.get("reference")
    return {rival.name: rival.title for rival in available()} if known else {}


def asked(shown: Subject) -> tuple[dict[str, Any] | None, list[bytes]]:
    """The format that was asked for: what it gives at every step, and its pictures on their way to the browser."""
    codec = state.codec_asked()
    if codec is None or codec not in names(shown):
        return None, []
    from hiercodec.evaluation.measure import best_within

    trace = shown.bundle.trace
    sha, rgb = trace.provenance["image_sha256"], shown.bundle.original_pixels()
    rows = cached.rival_rows(codec, sha, trace.file_bytes, rgb)
    indexes = [best_within(rows, step.bytes) for step in trace.steps]
    used = [rows[index] for index in sorted({index for index in indexes if index is not None})]
    seen = _seen(shown, codec, [row.point.picture for row in used])
    told = [
        {
            "size": format_bytes(row.point.bytes),
            "quality": decibels(row.psnr),
            "frame": frame,
            "answers": answers(trace, *seen[frame]),
        }
        for frame, row in enumerate(used)
    ]
    points = [None if index is None else told[used.index(rows[index])] for index in indexes]
    sizes = [row.point.bytes for row in used]
    tops = [top for top, _ in seen]
    first = {
        level: first_right(trace, level, sizes, [top[level][0][0] for top in tops])
        for level in (tops[-1] if tops else ())
    }
    facts = {"codec": codec, "label": names(shown)[codec], "points": points, "first": first}
    facts |= {"smallest": format_bytes(rows[0].point.bytes), "id": f"{shown.identity}-{codec}"}
    return facts, [to_webp(row.point.picture, 1) for row in used]


def _seen(shown: Subject, codec: str, pictures: list[np.ndarray]) -> list[tuple[dict[str, Ranked], float | None]]:
    """(ranked groups, WUP) of every picture; nothing where there is no classifier to ask."""
    trace, (classifier, hierarchy) = shown.bundle.trace, shown.judge
    nothing: list[tuple[dict[str, Ranked], float | None]] = [({}, None)] * len(pictures)
    if classifier is None or not trace.steps[-1].top:
        return nothing
    truth = shown.sample.truth if shown.sample else ()
    key = f"{codec} {trace.provenance['image_sha256']} {trace.file_bytes} {len(pictures)}"
    try:
        return cached.ranked(key, classifier, hierarchy, truth, pictures)
    except HiercodecError:
        return nothing

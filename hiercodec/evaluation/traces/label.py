"""A stream's label, what a classifier sees of its pixels, and both as one answer.

    stream ──── label_in ──► LabelReading ────┐
    picture ── classifier ──► Verdict (seen) ─┴─ fused ──► Verdict

A label is read in the hierarchy it was written in; in any other it says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hiercodec import stream
from hiercodec.classify import LabelReading, level_probabilities, ranked, read_label
from hiercodec.classify.fusion import INDEPENDENT, Pool, fuse, label_classes, pools_of
from hiercodec.errors import HierarchyError
from hiercodec.evaluation.codecs.peers import Prefix
from hiercodec.evaluation.measure import Evaluator, Right, Verdict
from hiercodec.evaluation.traces.trace import LabelAnswer, Ranked
from hiercodec.protocols import OperatingPoint
from hiercodec.taxonomy import Hierarchy, find_hierarchy

LABEL_ONLY, FUSED = ", label only", ", fused"
"""What rows put behind a codec's name for the answers of its label alone, and for those of label and pixels together."""


def label_in(parsed: stream.Stream, hierarchy: Hierarchy) -> LabelReading | None:
    """What the label of a stream, whole or cut, tells in this hierarchy; None without a label, or where it is another's.

    Raises `CorruptStream` for a label that no encoder writes.
    """
    label = parsed.label
    if label is None or not hierarchy.digest.startswith(label.mark.hierarchy):
        return None
    return read_label(label, hierarchy)


def arrivals(parsed: stream.Stream, hierarchy: Hierarchy) -> dict[str, int]:
    """Level → the length in bytes from which on a cut of the stream tells it; empty where `label_in` is None."""
    first: dict[str, int] = {}
    if parsed.label_section is not None:
        for n in range(parsed.label_section.start, min(parsed.label_section.end, parsed.size) + 1):
            so_far = label_in(parsed.cut(n), hierarchy)
            for level in so_far.path if so_far else ():
                first.setdefault(level, n)
    return first


@dataclass(frozen=True, slots=True, eq=False)
class FileLabel:
    """The label of one file, for whoever looks at its cuts: what it tells, from which byte on, and all bytes of the file."""

    reading: LabelReading
    arrivals: Mapping[str, int]
    total: int

    @classmethod
    def of(cls, parsed: stream.Stream, hierarchy: Hierarchy | None = None) -> FileLabel | None:
        """The label of a stream in `hierarchy`, or in the shipped one it names (None); None where it cannot be read so."""
        if parsed.label is None:
            return None
        try:
            label = label_in(parsed, hierarchy or find_hierarchy(parsed.label.mark.hierarchy))
        except HierarchyError:
            return None
        return label and cls(label, arrivals(parsed, label.hierarchy), parsed.total_bytes)

    @property
    def answers(self) -> dict[str, LabelAnswer]:
        """Level → what it tells there."""
        guesses = {level: guess for level, (guess,) in self.reading.path.items()}
        return {level: LabelAnswer(*guess, self.arrivals[level]) for level, guess in guesses.items()}

    def fused(self, seen: Verdict, viewer: str, n_bytes: int) -> dict[str, Ranked]:
        """Level → what the label and a verdict of `viewer` on the first `n_bytes` say together, likeliest first."""
        pools = pools_of(self.reading.classifier, viewer, self.reading.hierarchy.name)
        masses = fused(seen, self.reading, pools, n_bytes / self.total).masses
        return {
            level.name: ranked(masses[level.name], level.labels)
            for level in self.reading.hierarchy.levels
            if self.arrivals.get(level.name, n_bytes + 1) <= n_bytes
        }


def label_verdict(label: LabelReading, right: Right) -> Verdict:
    """The label's own answer, as probabilities of all classes and groups (see `classify.fusion`)."""
    levels = [level.assignment for level in label.hierarchy.levels]
    classes = label_classes([(group, p) for group, _, p in label.path.winners], levels)
    return Verdict(classes.astype(np.float32), level_probabilities(classes, label.hierarchy), right)


def fused(seen: Verdict, label: LabelReading, pools: Mapping[str, Pool], share: float) -> Verdict:
    """What a verdict on the pixels and the label say together (see `classify.fusion`).

    `share` is how much of the whole file, 0…1, the pixels were decoded from.
    """
    alone = label_verdict(label, seen.right)
    masses = {
        level: fuse(alone.masses[level], mass, pools.get(level, INDEPENDENT), share)
        for level, mass in seen.masses.items()
    }
    return Verdict(next(reversed([*masses.values()])).astype(np.float32), masses, seen.right)


def witnesses(point: OperatingPoint, seen: Verdict, evaluator: Evaluator) -> Iterator[tuple[str, Verdict]]:
    """(what rows put behind the codec's name, verdict) of a point's label, and of label and pixels; nothing without a label.

    The label's own answer comes once a file, with the cut that ends where the label does.
    """
    label = label_in(point.whole, evaluator.hierarchy) if isinstance(point, Prefix) else None
    if label is None:
        return
    assert isinstance(point, Prefix)
    assert point.whole.label_section is not None
    if point.bytes == point.whole.label_section.end:
        yield LABEL_ONLY, label_verdict(label, seen.right)
    pools = pools_of(label.classifier, evaluator.classifier.name, evaluator.hierarchy.name)
    yield FUSED, fused(seen, label, pools, point.bytes / point.whole.total_bytes)

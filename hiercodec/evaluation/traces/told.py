"""Told, seen, fused: what a stream's core says a picture is, what a classifier sees of its pixels, and both as one answer.

    stream ──── told_in ────► Told ──────────┐
    picture ── classifier ──► Verdict (seen) ─┴─ fused ──► Verdict

A core is read in the hierarchy it was written in; in any other it says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hiercodec import stream
from hiercodec.classify import Told, level_probabilities, ranked, told
from hiercodec.classify.fusion import INDEPENDENT, Pool, fuse, pools_of, told_classes
from hiercodec.errors import HierarchyError
from hiercodec.evaluation.codecs.peers import Prefix
from hiercodec.evaluation.measure import Judging, Right, Verdict
from hiercodec.evaluation.traces.trace import CoreAnswer, Ranked
from hiercodec.protocols import OperatingPoint
from hiercodec.taxonomy import Hierarchy, find_hierarchy

CORE_ONLY, FUSED = ", core only", ", fused"
"""What rows put behind a codec's name for the answers of its core alone, and for those of core and pixels together."""


def told_in(parsed: stream.Stream, hierarchy: Hierarchy) -> Told | None:
    """What the core of a stream, whole or cut, tells in this hierarchy; None without a core, or where it is another's.

    Raises `CorruptStream` for a core that no encoder writes.
    """
    core = parsed.told
    if core is None or not hierarchy.digest.startswith(core.mark.hierarchy):
        return None
    return told(core, hierarchy)


def arrivals(data: bytes, hierarchy: Hierarchy) -> dict[str, int]:
    """Level → the length in bytes from which on a cut of the stream tells it; empty where `told_in` is None."""
    parsed, found = stream.parse(data), {}
    if parsed.core is not None:
        for n in range(parsed.core.start, min(parsed.core.end, len(data)) + 1):
            so_far = told_in(stream.parse(data[:n]), hierarchy)
            for level in so_far.path if so_far else ():
                found.setdefault(level, n)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class FileCore:
    """The core of one file, for whoever looks at its cuts: what it tells, from which byte on, and all bytes of the file."""

    told: Told
    arrivals: Mapping[str, int]
    total: int

    @classmethod
    def of(cls, data: bytes, hierarchy: Hierarchy | None = None) -> FileCore | None:
        """The core of a stream in `hierarchy`, or in the shipped one it names (None); None where it cannot be read so."""
        parsed = stream.parse(data)
        if parsed.told is None:
            return None
        try:
            core = told_in(parsed, hierarchy or find_hierarchy(parsed.told.mark.hierarchy))
        except HierarchyError:
            return None
        return core and cls(core, arrivals(data, core.hierarchy), parsed.total_bytes)

    @property
    def answers(self) -> dict[str, CoreAnswer]:
        """Level → what it tells there."""
        guesses = {level: guess for level, (guess,) in self.told.path.items()}
        return {level: CoreAnswer(*guess, self.arrivals[level]) for level, guess in guesses.items()}

    def fused(self, seen: Verdict, viewer: str, n_bytes: int) -> dict[str, Ranked]:
        """Level told → what the core and a verdict of `viewer` on the first `n_bytes` say together, likeliest first."""
        pools = pools_of(self.told.classifier, viewer, self.told.hierarchy.name)
        masses = fused(seen, self.told, pools, n_bytes / self.total).masses
        return {
            level.name: ranked(masses[level.name], level.labels)
            for level in self.told.hierarchy.levels
            if self.arrivals.get(level.name, n_bytes + 1) <= n_bytes
        }


def core_verdict(core: Told, right: Right) -> Verdict:
    """The core's own answer, as probabilities of all classes and groups (see `classify.fusion`)."""
    levels = [level.assignment for level in core.hierarchy.levels]
    classes = told_classes([(group, p) for group, _, p in core.path.winners], levels)
    return Verdict(classes.astype(np.float32), level_probabilities(classes, core.hierarchy), right)


def fused(seen: Verdict, core: Told, pools: Mapping[str, Pool], share: float) -> Verdict:
    """What a verdict on the pixels and the core say together (see `classify.fusion`).

    `share` is how much of the whole file, 0…1, the pixels were decoded from.
    """
    told = core_verdict(core, seen.right)
    masses = {
        level: fuse(told.masses[level], mass, pools.get(level, INDEPENDENT), share)
        for level, mass in seen.masses.items()
    }
    return Verdict(next(reversed([*masses.values()])).astype(np.float32), masses, seen.right)


def witnesses(point: OperatingPoint, seen: Verdict, judging: Judging) -> Iterator[tuple[str, Verdict]]:
    """(what rows put behind the codec's name, verdict) of a point's core, and of core and pixels; nothing without a core.

    The core's own answer comes once a file, with the cut that ends where the core does.
    """
    core = told_in(point.whole, judging.hierarchy) if isinstance(point, Prefix) else None
    if core is None:
        return
    assert isinstance(point, Prefix)
    assert point.whole.core is not None
    if point.bytes == point.whole.core.end:
        yield CORE_ONLY, core_verdict(core, seen.right)
    pools = pools_of(core.classifier, judging.classifier.name, judging.hierarchy.name)
    yield FUSED, fused(seen, core, pools, point.bytes / point.whole.total_bytes)

"""The label: what a picture is, in the first bytes of its stream (FORMAT.md, version 2).

    groups and confidences, coarse first ──Label.of──► Label ──write──► .hc ──(cut anywhere)──► parse ──► Label.path

A path is told class by class: all classes are possible at first, a level's group leaves those that it holds, and each group
is as likely as it has classes still possible. So a whole path costs log2 of the number of classes in any hierarchy, nested
or not, and two bits of confidence a level. Reading needs the hierarchy; a stream only names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.stream.coder import SymbolReader, SymbolWriter
from hiercodec.stream.tables import Tables, quantize_pmf

EDGES = (0.5, 0.8, 0.95)
"""Probabilities at which a confidence becomes 1, 2 and 3; below the first it is 0."""

MAX_PAYLOAD = 7
HIERARCHY, CLASSIFIER = 4, 3
"""Hex digits of a SHA-256 by which a stream names each."""

_CONFIDENCES = Tables.from_pmfs([(0, np.ones(len(EDGES) + 1))])
_ONE = np.zeros(1, np.uint8)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a label is about, by the first hex digits of digests: hierarchy (4) and classifier (3).

    `ValueError` for anything but that many digits.
    """

    hierarchy: str
    classifier: str

    def __post_init__(self) -> None:
        for name, size in {"hierarchy": HIERARCHY, "classifier": CLASSIFIER}.items():
            digits = getattr(self, name)
            if len(digits) != size or set(digits) - set("0123456789abcdef"):
                raise ValueError(f"a {name} is named by {size} hex digits, got {digits!r}")


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture was taken for when it was encoded, or the part of it that a cut left: its `mark` and its payload."""

    mark: Mark
    payload: bytes
    complete: bool = True

    @classmethod
    def of(cls, mark: Mark, path: Sequence[tuple[int, int]], levels: Sequence[np.ndarray]) -> Label:
        """The label that tells `path`, one (group, confidence 0…3) a level, coarse first.

        `levels` are the hierarchy's, each the group number of every class, int[classes]. `ValueError` for a group that
        holds no class which the groups before it left, or a path too long for a label (56 bits).
        """
        writer, possible = SymbolWriter(), np.arange(len(levels[0]))
        for (group, confidence), level in zip(path, levels, strict=True):
            groups, table = _choice(level[possible])
            place = np.flatnonzero(groups == group)
            if not len(place):
                raise ValueError(f"group {group} has no class in common with the groups before it")
            writer.write(place, _ONE, table)
            writer.write(np.array([confidence]), _ONE, _CONFIDENCES)
            possible = possible[level[possible] == group]
        payload = writer.payload()
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"a label holds {MAX_PAYLOAD} bytes, this path takes {len(payload)}")
        return cls(mark, payload)

    def path(self, levels: Sequence[np.ndarray]) -> tuple[tuple[int, int], ...]:
        """(group, confidence 0…3) of every level whose bits are there, coarse first.

        `levels` as for `of`. `CorruptStream` where no encoder can have written a whole payload.
        """
        return tuple(self._read(levels))

    def _read(self, levels: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
        reader, possible = SymbolReader(self.payload, complete=self.complete), np.arange(len(levels[0]))
        for level in levels:
            groups, table = _choice(level[possible])
            if not len(choice := reader.read(_ONE, table)):
                return
            if not len(confidence := reader.read(_ONE, _CONFIDENCES)):
                return
            group = int(groups[choice[0]])
            yield group, int(confidence[0])
            possible = possible[level[possible] == group]


def confidence_step(probability: float) -> int:
    """The step, 0…3, that stands for a probability.

    >>> [confidence_step(p) for p in (0.3, 0.5, 0.94, 1.0)]
    [0, 1, 2, 3]
    """
    return int(np.searchsorted(EDGES, probability, side="right"))


def _choice(groups: np.ndarray) -> tuple[np.ndarray, Tables]:
    """The groups of the classes that are possible, rising, and the table that codes which of them it is."""
    there, counts = np.unique(groups, return_counts=True)
    return there, Tables.from_pmfs([(0, quantize_pmf(counts))])

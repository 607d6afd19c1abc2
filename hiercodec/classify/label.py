"""Between a classifier's answer and the label of a stream: made when a picture is encoded, read when it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hiercodec.classify.catalog import PACKAGED
from hiercodec.classify.probabilities import Path, level_probabilities
from hiercodec.errors import HierarchyError
from hiercodec.stream import Label, Mark, confidence_step
from hiercodec.stream.label import CLASSIFIER, HIERARCHY
from hiercodec.taxonomy import Hierarchy, find_hierarchy

TYPICAL = (0.35, 0.65, 0.9, 0.99)
"""The probability that stands for each of a label's four confidences."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelReading:
    """What a label tells, as far as its bits are there.

    `path` has one guess a level, (group, label, typical probability of its confidence), `confidences` the confidences
    themselves, 0…3, coarse first; both are empty where not one level arrived. `classifier` is who said so: the name of a
    packaged classifier, else the first digits of its SHA-256. `complete` says that all of the label is there.
    """

    path: Path
    confidences: tuple[int, ...]
    hierarchy: Hierarchy
    classifier: str
    complete: bool

    def __repr__(self) -> str:
        return f"LabelReading({self.path!r} by {self.classifier!r}, {self.hierarchy.name!r})"


def label_of(probabilities: np.ndarray, hierarchy: Hierarchy, sha256: str) -> Label:
    """The label that tells a classifier's answer: class probabilities [classes] on the original, and its `sha256` (hex).

    Its path is one branch, coarse first: at every level the likeliest group of those that the group above leaves. A
    confidence is the probability of the whole group.
    """
    masses = level_probabilities(probabilities, hierarchy)
    possible, path = np.arange(hierarchy.n_classes), []
    for level in hierarchy.levels:
        groups, members = np.unique(level.assignment[possible], return_inverse=True)
        group = int(groups[np.bincount(members, probabilities[possible]).argmax()])
        path.append((group, confidence_step(float(masses[level.name][group]))))
        possible = possible[level.assignment[possible] == group]
    return label_of_path(path, hierarchy, sha256)


def label_of_path(path: Sequence[tuple[int, int]], hierarchy: Hierarchy, sha256: str) -> Label:
    """The label that tells (group, confidence 0…3) at every level, coarse first; `ValueError` off one branch."""
    mark = Mark(hierarchy.digest[:HIERARCHY], sha256[:CLASSIFIER])
    return Label.of(mark, path, [level.assignment for level in hierarchy.levels])


def read_label(label: Label, hierarchy: Hierarchy | None = None) -> LabelReading:
    """What a label tells in the words of its hierarchy: the shipped one that it names, or `hierarchy` if that is the one.

    `HierarchyError` where it is not here, `CorruptStream` where no encoder can have written the label.
    """
    mark = label.mark
    if hierarchy is None:
        hierarchy = find_hierarchy(mark.hierarchy)
    if not hierarchy.digest.startswith(mark.hierarchy):
        raise HierarchyError(f"the label tells groups of another hierarchy than {hierarchy.name!r}: {mark.hierarchy}")
    answers = label.path([level.assignment for level in hierarchy.levels])
    guesses = {
        level.name: ((group, level.labels[group], TYPICAL[confidence]),)
        for level, (group, confidence) in zip(hierarchy.levels, answers, strict=False)
    }
    name = next((name for name, known in PACKAGED.items() if known.sha256.startswith(mark.classifier)), mark.classifier)
    return LabelReading(Path(guesses, True), tuple(c for _, c in answers), hierarchy, name, label.complete)

"""What a label in a file cannot do and its pixels can, measured on real files: the experiment behind "why send pixels?".

Three ways to ask a file for more than its label holds. Each compares the label alone with a classifier on the pixels:

    absent      the encoder's list of answers lacks the family of what the photograph shows
    pairs       two photographs side by side: the label names one thing, crops of the decoded picture show both
    questions   asked after encoding: groups of another hierarchy, another classifier's labels, colour and light

Where the label can only guess, it guesses what was most often right for the same family among training photographs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hiercodec import stream
from hiercodec.classify import LabelReading, label_of, level_probabilities, read_label
from hiercodec.evaluation.codecs.peers import Labeller, at_rates, prefixes
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.photos.samples import samples
from hiercodec.models.common import EmbeddedCodec
from hiercodec.taxonomy import Hierarchy

ENOUGH = 5
"""Training photographs of a family that are needed before its own majority counts; below, that of its kind does."""

SURE = 2
"""A label is called sure from this confidence (of 0…3) on: 80 % or more."""

COLOURS = {
    "black": (20, 20, 20), "grey": (128, 128, 128), "white": (238, 238, 238), "red": (170, 45, 40),
    "brown": (125, 90, 60), "yellow": (215, 185, 70), "green": (85, 120, 60), "blue": (90, 130, 180),
}  # fmt: skip


def colour(rgb: np.ndarray) -> str:
    """The colour of `COLOURS` that most pixels of a picture, uint8 (H, W, 3), are nearest to.

    >>> colour(np.full((4, 4, 3), (80, 125, 190), np.uint8))
    'blue'
    """
    named = np.array(list(COLOURS.values()), float)
    near = ((rgb.reshape(-1, 1, 3).astype(float) - named) ** 2).sum(2).argmin(1)
    return list(COLOURS)[int(np.bincount(near).argmax())]


def lighter(rgb: np.ndarray) -> str:
    """Which half of a picture is lighter on average, "left" or "right"."""
    half = rgb.shape[1] // 2
    return "left" if rgb[:, :half].mean() >= rgb[:, -half:].mean() else "right"


LOOKS: Mapping[str, Callable[[np.ndarray], str]] = {
    "Which colour fills most of the picture?": colour,
    "Which half is lighter, left or right?": lighter,
}
"""Questions that the pixels themselves answer; right is what the original says."""


@dataclass(eq=False)
class Tally:
    """Right and wrong answers by name, in the order in which they are first asked."""

    hits: dict[tuple[str, ...], list[bool]] = field(default_factory=lambda: defaultdict(list))

    def add(self, *name: str, right: bool) -> None:
        """Count an answer."""
        self.hits[name].append(bool(right))

    def shares(self) -> list[dict[str, Any]]:
        """Plain rows: `name`, the share that is right, its 95 % Wilson interval, and how many were asked."""
        rows = []
        for name, hits in self.hits.items():
            ends = (min(1.0, max(0.0, end)) for end in wilson(sum(hits), len(hits)))
            share, low, high = (round(value, 4) for value in (sum(hits) / len(hits), *ends))
            rows.append({"name": list(name), "share": share, "low": low, "high": high, "n": len(hits)})
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class Lab:
    """What the experiment is made with: a codec, who writes labels, who looks at pixels, and rates in bits a pixel."""

    codec: EmbeddedCodec
    labeller: Labeller
    viewer: Evaluator
    rates: Sequence[float]

    @property
    def tree(self) -> Hierarchy:
        """The hierarchy of the labels."""
        return self.labeller.hierarchy

    def cuts(self, rgb: np.ndarray, written: stream.Label) -> Iterator[tuple[str, np.ndarray]]:
        """(rate in words, picture) of a file with this label at every rate."""
        data = self.codec.encode(rgb, label=written)
        found = at_rates(self.rates)(stream.parse(data, self.codec.plan))
        lengths = {setting: n for setting, n in found.items() if setting != "label"}
        for point in prefixes(self.codec, data, lengths):
            yield point.setting, point.picture


def one_object(photos: Photos, lab: Lab, other: Hierarchy, guesses: Mapping[str, Guesses],
               progress: Callable[[int], object] = lambda done: None) -> tuple[Tally, Tally]:  # fmt: skip
    """Tallies of `absent` and of `questions` over labelled photographs, uint8 (H, W, 3); `other` is another hierarchy."""
    absent, asked = Tally(), Tally()
    for i, (rgb, label) in enumerate(zip(photos.pixels, photos.labels.tolist(), strict=True)):
        p = lab.labeller.classifier.probabilities([rgb])[0]
        written = label_of(p, lab.tree, lab.labeller.classifier.sha256)
        cuts = dict(lab.cuts(rgb, written))
        original, *seen = lab.viewer.classifier.probabilities([rgb, *cuts.values()])
        _absent(absent, lab, p, label, dict(zip(cuts, seen, strict=True)))
        said = read_label(written, lab.tree)
        _groups(asked, said, other, label, dict(zip(cuts, seen, strict=True)))
        name = f"What would {lab.viewer.classifier.name} call it?"
        asked.add(name, "label", right=said.path.winners[-1][0] == original.argmax())
        for rate, row in zip(cuts, seen, strict=True):
            asked.add(name, rate, right=row.argmax() == original.argmax())
        for name, look in LOOKS.items():
            asked.add(name, "label", right=guesses[name].of(said) == look(rgb))
            for rate, picture in cuts.items():
                asked.add(name, rate, right=look(picture) == look(rgb))
        progress(i + 1)
    return absent, asked


def _absent(tally: Tally, lab: Lab, p: np.ndarray, label: int, seen: Mapping[str, np.ndarray]) -> None:
    """The label's answers where its list lacks the photograph's family, beside those of whoever looks at the pixels."""
    *_, family, _ = lab.tree.levels
    rest = np.where(family.assignment == family.assignment[label], 0, p)
    reading = read_label(label_of(rest / rest.sum(), lab.tree, lab.labeller.classifier.sha256), lab.tree)
    for level, guess in reading.path.items():
        tally.add("label", level, right=guess[0][0] == lab.tree.level(level).assignment[label])
    wrong = next(c for level, c in zip(reading.path, reading.confidences, strict=True) if level == family.name)
    tally.add("label", "sure of a wrong family", right=wrong >= SURE)
    for rate, row in seen.items():
        for level, mass in level_probabilities(row, lab.tree).items():
            tally.add(rate, level, right=mass.argmax() == lab.tree.level(level).assignment[label])


def _groups(tally: Tally, reading: LabelReading, other: Hierarchy, label: int, seen: Mapping[str, np.ndarray]) -> None:
    """Another hierarchy's groups: from the whole label, from the label without its class, and from the pixels."""
    *above, last = reading.hierarchy.levels
    within = np.ones(last.k, bool)
    for level in above:
        within &= level.assignment == reading.path[level.name][0][0]
    for level in other.levels[:-1]:
        name, truth = f"Which of {level.k} groups of {other.name}?", level.assignment[label]
        tally.add(name, "label", right=level.assignment[reading.path.winners[-1][0]] == truth)
        tally.add(name, "label without its class", right=np.bincount(level.assignment[within]).argmax() == truth)
        for rate, row in seen.items():
            tally.add(name, rate, right=level_probabilities(row, other)[level.name].argmax() == truth)


def pairs(photos: Photos, lab: Lab, progress: Callable[[int], object] = lambda done: None) -> Tally:
    """Two photographs of different kinds side by side: does the label name both things; does a viewer of two crops?

    The first half of `photos`, all of one height, goes with the second.
    """
    tally, half, kinds = Tally(), len(photos) // 2, lab.tree.levels[0].assignment[photos.labels]
    for i in np.flatnonzero(kinds[:half] != kinds[half : 2 * half]).tolist():
        two, labels = [photos.pixels[i], photos.pixels[i + half]], photos.labels[[i, i + half]]
        rgb, width = np.hstack(two), two[0].shape[1]
        written = lab.labeller(rgb)
        said = read_label(written, lab.tree)
        for level in lab.tree.levels:
            right = [said.path[level.name][0][0] == level.assignment[label] for label in labels]
            tally.add("label", level.name, "one of the two", right=any(right))
            tally.add("label", level.name, "both", right=all(right))
        for rate, picture in lab.cuts(rgb, written):
            p = lab.viewer.classifier.probabilities([picture[:, :width], picture[:, width:]])
            for name, mass in level_probabilities(p, lab.tree).items():
                right = mass.argmax(1) == lab.tree.level(name).assignment[labels]
                tally.add(rate, name, "one of the two", right=right.any())
                tally.add(rate, name, "both", right=right.all())
        progress(i + 1)
    return tally


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """The most frequent answer to a question by the label's family, its kind, and of all: `of` takes the nearest."""

    by_group: Mapping[tuple[str, int], str]
    overall: str

    @classmethod
    def learn(cls, readings: Sequence[LabelReading], answers: Sequence[str]) -> Guesses:
        """From training photographs: what their labels tell, and what is right of each."""
        counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for reading, answer in zip(readings, answers, strict=True):
            for level, ((group, _, _),) in reading.path.items():
                counts[level, group][answer] += 1
        often = {key: count.most_common(1)[0][0] for key, count in counts.items() if count.total() >= ENOUGH}
        return cls(often, Counter(answers).most_common(1)[0][0])

    def of(self, reading: LabelReading) -> str:
        """The best guess for a photograph of which only this label is known."""
        for level, ((group, _, _),) in reversed([*reading.path.items()]):
            if (level, group) in self.by_group:
                return self.by_group[level, group]
        return self.overall


def learned(photos: Photos, labeller: Labeller) -> dict[str, Guesses]:
    """The best guesses for every question of `LOOKS`, from training photographs."""
    readings = [read_label(labeller(rgb), labeller.hierarchy) for rgb in photos.pixels]
    return {name: Guesses.learn(readings, [look(rgb) for rgb in photos.pixels]) for name, look in LOOKS.items()}


def strangers(labeller: Labeller) -> list[dict[str, Any]]:
    """What labels say of the sample photographs that show none of the classes: the labels, and the confidences, 0…3."""
    rows = []
    for row in samples():
        if not row.truth:
            reading = read_label(labeller(row.pixels()), labeller.hierarchy)
            labels = [label for _, label, _ in reading.path.winners]
            rows.append({"id": row.id, "title": row.title, "labels": labels, "confidences": list(reading.confidences)})
    return rows

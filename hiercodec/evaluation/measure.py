"""The one place where pictures are measured: encode → cut → decode → classify.

    rgb ── peer.points ──► OperatingPoint × n ──► Evaluator (one batch) ──► Row × n

`evaluate`, traces, training's validation, ablations and the app's comparison all read the same rows. Nothing here
imports torch; a classifier that is given may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from hiercodec.classify import level_probabilities
from hiercodec.evaluation.metrics import psnr
from hiercodec.protocols import Classifier, OperatingPoint, Peer
from hiercodec.taxonomy import Hierarchy

ORIGINAL = "original"
"""What the uncompressed picture is called as a peer; its setting is empty."""

P = TypeVar("P", bound=OperatingPoint)
Right = Mapping[str, tuple[int, ...]]
"""Level → the groups that are right there; at the last level these are classes. Empty where nothing is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What a classifier says of one picture: class probabilities (1000,), and those of the groups at every level.

    `blank`: the picture is one that nothing has reached yet (`OperatingPoint.blank`), so that no answer counts as right.
    """

    probabilities: np.ndarray
    masses: Mapping[str, np.ndarray]
    right: Right
    blank: bool = False

    @property
    def winners(self) -> dict[str, int]:
        """The likeliest group at every level."""
        return {level: int(mass.argmax()) for level, mass in self.masses.items()}

    @property
    def hits(self) -> dict[str, bool]:
        """Whether each level's winner is right; empty where the truth is not known."""
        return {level: not self.blank and self.winners[level] in groups for level, groups in self.right.items()}

    @property
    def wup(self) -> float | None:
        """NLTK's WUP: `similarity` by default."""
        return self.similarity()

    def similarity(self, measure: str = "nltk") -> float | None:
        """WUP, 0…1, of the likeliest class and the nearest right one; 1 for a right one; None if none is known.

        `measure` as in `taxonomy.similarity`. (NLTK itself gives 107 of the classes less than 1 to themselves.)
        """
        if not self.right:
            return None
        from hiercodec.taxonomy.similarity import wup_matrix

        (*_, answer), (*_, classes) = self.winners.values(), self.right.values()
        return 1.0 if answer in classes else float(wup_matrix(measure)[answer, list(classes)].max())


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """A classifier, the hierarchy its answers are read in, and what is right."""

    classifier: Classifier
    hierarchy: Hierarchy
    right: Right = field(default_factory=dict)

    def knowing(self, classes: Sequence[int]) -> Evaluator:
        """The same where these classes are right; where there are none, nothing is known."""
        groups = {
            level.name: tuple(sorted({int(level.assignment[index]) for index in classes}))
            for level in self.hierarchy.levels
        }
        return replace(self, right=groups if classes else {})

    def trusting(self, rgb: np.ndarray) -> Evaluator:
        """The same where the classifier's own answer on the original uint8 (H, W, 3) counts as right, at every level."""
        (own,) = replace(self, right={}).verdicts([rgb])
        return replace(self, right={level: (winner,) for level, winner in own.winners.items()})

    def verdicts(self, pictures: Sequence[np.ndarray]) -> list[Verdict]:
        """What the classifier says of every picture, uint8 (H, W, 3) each, from one batch."""
        p = self.classifier.probabilities(pictures)
        masses = level_probabilities(p, self.hierarchy)
        return [Verdict(row, {name: mass[i] for name, mass in masses.items()}, self.right) for i, row in enumerate(p)]


@dataclass(frozen=True, slots=True, eq=False)
class Row(Generic[P]):
    """One picture × peer × operating point: bits a pixel, PSNR in dB, and a verdict by each classifier's name."""

    point: P
    bpp: float
    psnr: float
    verdicts: Mapping[str, Verdict]
    peer: str = ""


def measure(rgb: np.ndarray, points: Iterable[P], judges: Sequence[Evaluator] = (), *, peer: str = "") -> list[Row[P]]:
    """Rows of the operating points of one picture, in their order.

    rgb: uint8 (H, W, 3), what PSNR is measured against. All points are decoded before they are classified in one batch.
    """
    cut = list(points)
    pictures = [point.picture for point in cut]
    verdicts = {judge.classifier.name: judge.verdicts(pictures) for judge in judges} if cut else {}
    for by_point in verdicts.values():
        by_point[:] = [replace(verdict, blank=point.blank) for verdict, point in zip(by_point, cut, strict=True)]
    area = rgb.shape[0] * rgb.shape[1]
    return [
        Row(
            point,
            8 * point.bytes / area,
            psnr(rgb, point.picture),
            {name: by_point[i] for name, by_point in verdicts.items()},
            peer,
        )
        for i, point in enumerate(cut)
    ]


def measure_peers(
    rgb: np.ndarray, label: int, peers: Sequence[Peer], judges: Sequence[Evaluator]
) -> Iterator[Row[OperatingPoint]]:
    """Rows of one photograph under every peer, after one of the original.

    Right is its class `label`; where there is none (< 0), what each classifier says of the original.
    """
    knowing = [judge.knowing([label]) if label >= 0 else judge.trusting(rgb) for judge in judges]
    yield from measure(rgb, [OperatingPoint("", rgb.nbytes, rgb)], knowing, peer=ORIGINAL)
    for peer in peers:
        yield from measure(rgb, peer.points(rgb), knowing, peer=peer.name)


def best_within(rows: Sequence[Row[P]], budget: int) -> int | None:
    """Index of the row of the highest PSNR among those of at most `budget` bytes; None if there is none."""
    fitting = [index for index, row in enumerate(rows) if row.point.bytes <= budget]
    return max(fitting, key=lambda index: rows[index].psnr, default=None)

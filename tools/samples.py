"""Choosing the app's samples by measurement: things in photographs that installed wheels carry, and crops of them.

    subjects.json ──► views (crops around a thing) ──► the original's class right by both judges? ──► encode, cut finely
        ──► kind, family and class right from which byte on, by both judges ──► the view of each thing that tells it best

Nothing is staged: every view is a rectangle of a photograph as its package has it, and what is not right in order is not
called a story.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec import stream
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.peers import prefixes
from hiercodec.evaluation.measure import Evaluator, measure
from hiercodec.evaluation.photos.samples import HIDDEN, Sample
from hiercodec.evaluation.traces.trace import settles
from hiercodec.models.common import EmbeddedCodec

JUDGES = ("lite0", "lite2")
SUBJECTS = Path(__file__).with_name("subjects.json")
APART = 1.5
"""How many times as many bytes one level is to need as the one before it."""
FINE, COARSE = 1.1, 1.33
"""Bytes from one step to the next, in the measurement that counts and in the one that only looks where that is worth it."""
STORIES, SMALLEST = 8, 128
"""How many stories are wanted; pixels that the shorter side of a view has at least."""
SCALES, ASPECTS, SHIFTS = (
    (0.7, 0.85, 1.0, 1.2, 1.5, 1.9, 9.0),
    (1.0, 1.5, 2 / 3),
    ((0, 0), (-0.25, 0), (0.25, 0), (0, -0.25), (0, 0.25)),
)

ROLES = ("story", "part", "unlearned", "plain")
KEPT = ("cat", "coffee", "rocket", "tower", "motorcycle")
"""What addresses that people keep name: shown whether it tells a story or not."""

WORK_SIZE = "short side at most 224, centre-cropped to at most 336 on the long side"
ELSE = "\n\n{{ if not CLAIM }} WORDS Of the {{ groups(fine) }} classes, {{ right_groups(fine) }} would be right."
STORY = (
    "{{ if right_before(coarse, fine) }} WORDS Its kind is right at every step shown from {{ right_from(coarse) }} on, its "
    "family from {{ right_from(intermediate) }} on, its class from {{ right_from(fine) }} on."
    + ELSE.replace("CLAIM", "right_before(coarse, fine)")
)
UNLEARNED = (
    "{{ if unlearned(fine) }} WORDS More bytes can unlearn: the class was right on the way, and with all {{ file_bytes }} "
    "it is {{ last_answer(fine) }}, which is wrong." + ELSE.replace("CLAIM", "unlearned(fine)")
)
UNLISTED = (
    "{{ if not truth_known }} WORDS None of the {{ groups(fine) }} classes is right, and yet with all bytes the classifier "
    "says {{ last_answer(fine) }}, {{ last_chance(fine) }} sure."
)
"""Lessons by role: what the photograph shows (WORDS), and what its trace says of it where it says so."""

Box = tuple[int, int, int, int]
Say = Callable[[str], object]
Levels = tuple[int | None, ...]
"""Bytes from which on each level is right at every step, coarse first; None where it is wrong in the end."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One view, and by every judge's name: from which byte on each level is right, and the bytes at which the class was."""

    sample: Sample
    settled: Mapping[str, Levels]
    was_right: Mapping[str, tuple[int, ...]]

    def gap(self, judge: str) -> float:
        """The smallest factor of bytes from one level to the next; 0 where a level is wrong in the end."""
        found = self.settled[judge]
        if None in found:
            return 0.0
        return min(later / first for first, later in itertools.pairwise(found))  # pyright: ignore[reportOperatorIssue]

    def last(self, judge: str) -> float:
        """How many times as many bytes the class needs as all levels above it; 0 where a level is wrong in the end."""
        *above, finest = self.settled[judge]
        return 0.0 if None in (*above, finest) else finest / max(above)  # pyright: ignore

    @property
    def role(self) -> str:
        """What this view shows: a "story", a "part" of one, that more bytes "unlearned" it, or nothing of these: "plain".

        A story: by the first judge every level is right `APART` times as many bytes after the one before, and by all the
        class that long after the others. A part of one: by all judges the class that long after the others.
        """
        if not self.settled:
            return "plain"
        first, *_ = self.settled
        if all(self.last(judge) >= APART for judge in self.settled):
            return "story" if self.gap(first) >= APART else "part"
        return "unlearned" if self.unlearned >= APART else "plain"

    @property
    def strength(self) -> float:
        """How clearly it shows that, the larger the clearer: the smallest of the factors that count."""
        if self.role in ("unlearned", "plain"):
            return self.unlearned
        first, *_ = self.settled
        return min(self.gap(first) if self.role == "story" else math.inf, *map(self.last, self.settled))

    @property
    def unlearned(self) -> float:
        """How long the class was right before it was wrong for good, as a factor of bytes, by the judge that saw it less."""
        spans = [
            max(sizes) / min(sizes) if sizes and self.settled[judge][-1] is None else 0.0
            for judge, sizes in self.was_right.items()
        ]
        return min(spans, default=0.0)


def subjects(names: Sequence[str] = ()) -> list[tuple[Sample, Box]]:
    """The things called `names`, or all there are, each as a sample of the whole photograph and the box it stands in."""
    known = json.loads(SUBJECTS.read_text(encoding="utf-8"))
    found = []
    for row in known["subjects"]:
        left, top, right, bottom = row["region"]
        text = {name: row[name] for name in ("id", "title", "lesson")}
        whole = Sample(**known["photographs"][row["photograph"]], **text, truth=tuple(row["truth"]))
        found.append((whole, (left, top, right, bottom)))
    if missing := set(names) - {whole.id for whole, _ in found}:
        raise InputError(f"no subject {min(missing)!r}; there are {', '.join(whole.id for whole, _ in found)}")
    return [(whole, region) for whole, region in found if not names or whole.id in names]


def sure(sample: Sample, codec: EmbeddedCodec, judge: Evaluator) -> float:
    """How sure a judge is of the class that it gives the whole file of a sample."""
    seen = codec.decode(codec.encode(sample.pixels())).image
    return float(judge.verdicts([seen])[0].probabilities.max())


def views(size: tuple[int, int], region: Box, count: int) -> list[Box]:
    """Up to `count` rectangles of a photograph of `size` (width, height) around a region, spread over all there are."""
    width, height = size
    left, top, right, bottom = region
    found: dict[Box, None] = {}
    for scale in SCALES:
        for aspect in ASPECTS:
            h = min(max((right - left) / aspect, bottom - top) * scale, height, width / aspect)
            w = h * aspect
            for dx, dy in SHIFTS:
                x = min(max((left + right) / 2 + dx * w - w / 2, 0), width - w)
                y = min(max((top + bottom) / 2 + dy * h - h / 2, 0), height - h)
                box = (round(x), round(y), round(x + w), round(y + h))
                if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST:
                    found[box] = None
    boxes = list(found)
    return [boxes[i] for i in sorted(np.random.default_rng(0).permutation(len(boxes))[:count])]


def budgets(data: bytes, codec: EmbeddedCodec, ratio: float) -> list[int]:
    """Where a stream is cut: from the end of what belongs to no level to its own, each `ratio` times the one before."""
    start, end = stream.parse(data, codec.plan).z.end, len(data)
    count = math.ceil(math.log(end / start) / math.log(ratio))
    return sorted({round(start * (end / start) ** (i / count)) for i in range(count + 1)})


def measured(sample: Sample, codec: EmbeddedCodec, judges: Sequence[Evaluator], ratio: float) -> Measured:
    """One view cut finely: what each judge says at every cut, against the truth."""
    rgb = sample.pixels()
    data = codec.encode(rgb)
    sizes = budgets(data, codec, ratio)
    knowing = [judge.knowing(sample.truth) for judge in judges]
    rows = measure(rgb, prefixes(codec, data, {str(n): n for n in sizes}), knowing)
    settled, was_right = {}, {}
    for judge in judges:
        name, levels = judge.classifier.name, judge.hierarchy.names
        hits = [row.verdicts[name].hits for row in rows]
        ends = [settles([hit[level] for hit in hits]) for level in levels]
        settled[name] = tuple(None if end is None else sizes[end] for end in ends)
        was_right[name] = tuple(n for n, hit in zip(sizes, hits, strict=True) if hit[levels[-1]])
    return Measured(sample, settled, was_right)


def best_views(
    subject: Sample, region: Box, codec: EmbeddedCodec, judges: Sequence[Evaluator], count: int, say: Say
) -> Iterator[Measured]:
    """The views of a thing that are worth a fine measurement, finely measured.

    A first look with few cuts and the first judge leaves those in which the class comes last, and those that unlearn it.
    """
    known = 0
    height, width = subject.file_pixels().shape[:2]
    for box in views((width, height), region, count):
        view = replace(subject, crop=box)
        if not any(judge.verdicts([view.pixels()])[0].probabilities.argmax() in subject.truth for judge in judges):
            continue
        known += 1
        look = measured(view, codec, judges[:1], COARSE)
        if look.last(judges[0].classifier.name) > 1 or look.unlearned >= APART:
            yield measured(view, codec, judges, FINE)
    say(f"{subject.id}: a judge knows the class in {known} views")


def chosen(things: Sequence[Sample], found: Sequence[Measured], unlisted: Mapping[Sample, float]) -> list[Measured]:
    """The samples to show, in their order: stories, parts of stories, what stays in any case, and the two limits.

    One view a thing, the clearest of its best role, `STORIES` with those that are kept, none that is mostly another.
    `unlisted` maps photographs of what is none of the classes to how sure the first judge is of the class it gives the
    whole file: the surest is taken.
    """
    best = {one.sample.id: one for one in sorted(found, key=_worth, reverse=True)}
    kept = [best.get(thing.id, Measured(thing, {}, {})) for thing in things if thing.id in KEPT]
    told = sorted((one for one in best.values() if one.role in ("story", "part") and one not in kept), key=_worth)
    shown = list(kept)
    for one in told:
        if len(shown) < STORIES and not any(_alike(one.sample, other.sample) for other in shown):
            shown.append(one)
    shown.sort(key=_worth)
    ids = {one.sample.id for one in shown}
    lost = [one for one in sorted(found, key=_worth) if one.role == "unlearned" and one.sample.id not in ids]
    strange = [Measured(max(unlisted, key=unlisted.__getitem__), {}, {})] if unlisted else []
    return shown + lost[:1] + strange


def _alike(one: Sample, other: Sample) -> bool:
    """Whether two crops of one photograph have more than half of what they show in common."""
    if (one.package, one.file) != (other.package, other.file) or not (one.crop and other.crop):
        return False
    (x0, y0, x1, y1), (u0, v0, u1, v1) = one.crop, other.crop
    both = max(min(x1, u1) - max(x0, u0), 0) * max(min(y1, v1) - max(y0, v0), 0)
    return both > 0.5 * ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - both)


def _worth(one: Measured) -> tuple[int, float]:
    """Sorts the clearest of the best role first."""
    return ROLES.index(one.role), -one.strength


def manifest(rows: Sequence[Measured], things: Sequence[Sample], model: str) -> dict[str, Any]:
    """The manifest's content: what is shown, with what it was chosen by, and the other whole photographs, hidden.

    `measured` gives by judge the bytes from which on each level is right.
    """
    samples = []
    for one in rows:
        role = one.role if one.sample.truth else "unlisted"
        lesson = {"unlearned": UNLEARNED, "unlisted": UNLISTED}.get(role, STORY).replace("WORDS", one.sample.lesson)
        by = {"model": model, **{judge: list(levels) for judge, levels in one.settled.items()}}
        samples.append(asdict(replace(one.sample, lesson=lesson, role=role, measured=by)))
    ids = {row["id"] for row in samples}
    samples += [asdict(replace(thing, role=HIDDEN)) for thing in things if thing.id not in ids]
    return {"schema": 2, "work_size": WORK_SIZE, "samples": samples}


def table(rows: Sequence[Measured]) -> str:
    """What was chosen, for people."""
    lines = []
    for one in rows:
        said = ", ".join(f"{judge} {' '.join(str(n or '–') for n in found)}" for judge, found in one.settled.items())
        role = one.role if one.sample.truth else "unlisted"
        lines.append(f"{one.sample.title:14} {role:10} {one.strength:5.2f}  {one.sample.crop or 'whole'}  {said}")
    return "\n".join(lines)

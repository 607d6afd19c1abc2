"""Facts that lessons state: a small closed set of names, worked out from shipped traces and cards when a lesson is shown.

    {{ right_from(coarse) }}                    becomes a number with its unit; the photograph and step are the lesson's
    {{ if right_before(coarse, fine) }} Text …  a paragraph that is left out where the claim does not hold
    {{ if not right_before(coarse, fine) }} …   and one that stands in its place

Nothing is evaluated: names are looked up in `FACTS` and `CLAIMS`, arguments are words. An unknown name, a wrong number of
arguments or one that makes no sense is a `CourseError` with file and line.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from hiercodec import values
from hiercodec.classify import DEFAULT, card_of, confidence_of
from hiercodec.errors import CourseError, HiercodecError
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.photos.samples import Sample
from hiercodec.evaluation.provenance import in_loss
from hiercodec.evaluation.traces.label import FUSED, LABEL_ONLY
from hiercodec.evaluation.traces.trace import Step, Trace, Until, stop_step
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.report.cards import results
from hiercodec.taxonomy import class_of
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.frame import cached
from hiercodec.ui.learn.courses import Lesson, Text, spot
from hiercodec.ui.learn.places import Place, best_quality, first_shown, middle_of, place_of, smallest_file

_TOKEN = re.compile(r"\{\{\s*(?:(if)\s+(?:(not)\s+)?)?(\w+)\s*(?:\(([^(){}]*)\))?\s*\}\}")
VALIDATION = "ImageNet validation, 224×224"
"""The data set of the codec's card that `accuracy` reads."""


class Call(NamedTuple):
    """A fact or a claim as it stands in a text: its name, its arguments, and the line."""

    name: str
    arguments: tuple[str, ...]
    line: int
    condition: bool
    negated: bool


# ---- what a text holds -------------------------------------------------------------------------------------------------
def calls(text: Text) -> Iterator[Call]:
    """Every fact and claim of a text, checked: known, and with as many arguments as it takes."""
    for number, line in enumerate(text.words.splitlines(), start=text.line):
        if line.count("{{") != len(_TOKEN.findall(line)):
            raise CourseError(
                f"{spot(text.path, number)}: a fact is written {{{{ name }}}} or {{{{ name(word, word) }}}}"
            )
        for match in _TOKEN.finditer(line):
            yield _call(match, text, number)


def _call(match: re.Match[str], text: Text, line: int) -> Call:
    condition, negated, name, words = match.groups()
    arguments = tuple(word.strip().strip("\"'") for word in words.split(",")) if words and words.strip() else ()
    table: Mapping[str, Callable[..., Any]] = CLAIMS if condition else FACTS
    if name not in table:
        raise CourseError(
            f"{spot(text.path, line)}: no {'claim' if condition else 'fact'} {name!r}; there are {', '.join(table)}"
        )
    wanted = list(inspect.signature(table[name]).parameters)[1:]
    if len(arguments) != len(wanted):
        raise CourseError(f"{spot(text.path, line)}: {name}({', '.join(wanted)}) got {len(arguments)} words")
    return Call(name, arguments, line, bool(condition), bool(negated))


def filled(text: Text, place: Place) -> str:
    """The text with its facts, without the paragraphs whose claims do not hold."""
    kept, line = [], text.line
    for paragraph in text.words.split("\n\n"):
        part = Text(paragraph, text.path, line)
        if all(_worked_out(call, CLAIMS, place, text) != call.negated for call in calls(part) if call.condition):
            facts = iter([_worked_out(call, FACTS, place, text) for call in calls(part) if not call.condition])
            kept.append(_TOKEN.sub(lambda match, facts=facts: "" if match.group(1) else next(facts), paragraph).strip())
        line += paragraph.count("\n") + 2
    return "\n\n".join(filter(None, kept))


def _worked_out(call: Call, table: Mapping[str, Callable[..., Any]], place: Place, text: Text) -> Any:
    try:
        return table[call.name](place, *call.arguments)
    except (HiercodecError, KeyError, ValueError) as error:
        why = f"there is no {error}" if isinstance(error, KeyError) else error
        raise CourseError(f"{spot(text.path, call.line)}: {call.name}({', '.join(call.arguments)}): {why}") from None


def check(lesson: Lesson, traces: Mapping[Sample, Trace]) -> None:
    """Raise a `CourseError` for what can be seen without working the facts out: their names, and the place."""
    for text in lesson.texts():
        list(calls(text))
    place_of(lesson, traces)


# ---- words for numbers -------------------------------------------------------------------------------------------------
def _bytes(n: int | None) -> str:
    return "no number of bytes" if n is None else f"{n:,} bytes"


def _percent(share: float | None) -> str:
    return "no share" if share is None else f"{share:.0%}".replace("%", " %")


def _decibels(value: float) -> str:
    return values.shown(value, 1, " dB")


def _step(place: Place) -> Step:
    return place.trace.steps[place.index]


def _first(place: Place) -> Step:
    return place.trace.steps[first_shown(place.trace)]


def _right_share(place: Place, level: str) -> float | None:
    n = place.trace.right_from(level)
    return None if n is None else n / place.trace.file_bytes


def _gap(place: Place, level: str, other: str) -> float | None:
    early, late = (place.trace.right_from(name) for name in (level, other))
    return early / late if early and late else None


def _right(place: Place, index: int, level: str) -> bool:
    return place.trace.known and place.trace.holds(index, level)


def _within(place: Place, level: str) -> bool:
    n = place.trace.right_from(level)
    return n is not None and n < place.trace.cuts[level]


def _changes(place: Place, level: str) -> int:
    shown = [step.top[level][0][0] for step in place.trace.steps if not step.blank]
    return sum(a != b for a, b in itertools.pairwise(shown))


def _lead(place: Place, codec: str, budget: int, quality: float) -> float:
    """How many dB a format is ahead, as far as two figures of one decimal show it."""
    return round(best_quality(place.photo, codec, budget), 1) - round(quality, 1)


def _half_gain(place: Place, level: str) -> float:
    steps, cut = place.trace.steps, place.trace.cuts[level]
    before = max((n for n in place.trace.cuts.values() if n < cut), default=steps[0].bytes)
    start, end = (next(step for step in steps if step.bytes >= n) for n in (before, cut))
    half = steps[middle_of(place.trace, level)]
    return (half.psnr - start.psnr) / (end.psnr - start.psnr)


def _wup(a: str, b: str) -> float:
    first, second = class_of(a), class_of(b)
    return float(wup_matrix()[first.index, second.index])


def _accuracy(setting: str, level: str, judge: str) -> Mapping[str, float] | None:
    """{top1, low, high} of the codec's card on validation photographs at a setting ("original": uncompressed)."""
    measured = (cached.models().get(DEFAULT_MODEL, {}).get("measured") or {}).get(VALIDATION) or {}
    points = {str(row.get("setting")): row for row in measured.get("points", ()) if row.get("codec") == DEFAULT_MODEL}
    points["original"] = measured.get("uncompressed") or {}
    return points[setting].get("accuracy", {}).get(judge, {}).get(level) if setting in points else None


def _said_accuracy(place: Place, setting: str, level: str, judge: str) -> str:
    found = _accuracy(setting, level, judge)
    if found is None:
        return "(not measured)"
    return f"{_percent(found['top1'])} ({100 * found['low']:.0f} to {100 * found['high']:.0f} %)"


def _ece(level: str, prefix: str, when: str) -> float:
    card = card_of(DEFAULT)
    rows = card["confidence"]["levels"][level]
    row = rows["held_out"] if prefix == "all" else rows["held_out_by_prefix"][prefix]
    return row[f"ece_{when}"]


def _temperature_ece(prefix: str, when: str) -> float:
    card = card_of(DEFAULT)
    return (card["held_out"] if prefix == "all" else card["held_out_by_prefix"][prefix])[f"ece_{when}"]


def _stop(place: Place, level: str, percent: str) -> int | None:
    said = place.trace.provenance
    curves = confidence_of(card_of(str(said.get("classifier"))), str(said.get("hierarchy")))
    return stop_step(place.trace, Until(level, float(percent) / 100), curves)


def _said_stop(place: Place, level: str, percent: str) -> str:
    at = _stop(place, level, percent)
    return "never before the end" if at is None else f"at {_bytes(place.trace.steps[at].bytes)}"


def _interval(place: Place, hits: str, n: str) -> str:
    low, high = wilson(int(hits), int(n))
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _training_photos() -> str:
    n = cached.models().get(DEFAULT_MODEL, {}).get("photos")
    return f"{n:,}" if isinstance(n, int) else "(not recorded how many)"


# ---- labels in files: what they tell beside what pixels show, and what they cannot do -----------------------------------
ROWS, LIMITS, JUDGE = "label-val", "label-limits", "lite2"
"""The files, and who looks at the pixels: neither the label's own classifier nor one in the codec's loss."""

WAYS = {"label": LABEL_ONLY, "both": FUSED}


def _share(way: str, level: str, bpp: str) -> Mapping[str, float] | None:
    """{top1, low, high} of the label, the pixels or both at a rate; None where nothing was measured."""
    for row in cached.measured(ROWS).get("points", ()):
        codec, setting = str(row["codec"]), str(row["setting"])
        mine = codec.endswith(WAYS[way]) if way in WAYS else "," not in codec and "+" not in codec
        if mine and setting == ("label" if way == "label" else f"{bpp} bpp"):
            return row["accuracy"][JUDGE][level]
    return None


def _said_label(way: str, level: str, bpp: str = "") -> str:
    found = _share(way, level, bpp)
    if found is None:
        return "(not measured)"
    return f"{100 * found['top1']:.0f} of 100 ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def _limit(experiment: str, about: str, who: str) -> Mapping[str, float] | None:
    """The share of right answers of `who` ("label", "0.2 bpp") in an experiment, where its name holds the words `about`."""
    for row in results(LIMITS).get(experiment, ()):
        if row["name"].count(who) and all(word in " ".join(row["name"]) for word in about.split()):
            return row
    if results(LIMITS):
        raise CourseError(f"no answers of {who!r} on {about!r} in {experiment!r}")
    return None


def _said_limit(place: Place, experiment: str, about: str, who: str) -> str:
    found = _limit(experiment, about, who)
    return "(not measured)" if found is None else f"{100 * found['share']:.0f} %"


def _stranger(place: Place) -> str:
    """What the label calls the lesson's photograph, which shows none of the classes."""
    return next(
        (row["labels"][-1] for row in results(LIMITS).get("strangers", ()) if row["id"] == place.photo.id),
        "(not asked)",
    )


def _wins(place: Place, level: str, bpp: str) -> bool:
    label, pixels = _share("label", level, ""), _share("pixels", level, bpp)
    return label is not None and pixels is not None and label["top1"] > pixels["top1"]


FACTS: dict[str, Callable[..., str]] = {
    "photo": lambda place: place.photo.title,
    "file_bytes": lambda place: _bytes(place.trace.file_bytes),
    "here_bytes": lambda place: _bytes(_step(place).bytes),
    "here_share": lambda place: _percent(_step(place).bytes / place.trace.file_bytes),
    "here_quality": lambda place: _decibels(_step(place).psnr),
    "first_bytes": lambda place: _bytes(_first(place).bytes),
    "first_quality": lambda place: _decibels(_first(place).psnr),
    "whole_quality": lambda place: _decibels(place.trace.steps[-1].psnr),
    "block_ends": lambda place, level: _bytes(place.trace.cuts[level]),
    "block_share": lambda place, level: _percent(place.trace.cuts[level] / place.trace.file_bytes),
    "right_from": lambda place, level: _bytes(place.trace.right_from(level)),
    "right_groups": lambda place, level: f"{len(place.trace.answers.get(level, ()))}",
    "changes": lambda place, level: f"{_changes(place, level)}",
    "right_share": lambda place, level: _percent(_right_share(place, level)),
    "gap": lambda place, level, other: _percent(_gap(place, level, other)),
    "answer": lambda place, level: _step(place).top[level][0][1],
    "chance": lambda place, level: _percent(_step(place).top[level][0][2]),
    "last_answer": lambda place, level: place.trace.steps[-1].top[level][0][1],
    "last_chance": lambda place, level: _percent(place.trace.steps[-1].top[level][0][2]),
    "meaning": lambda place, level: f"{_step(place).meaning[level]:.1f} bits",
    "most_meaning": lambda place, level: f"{math.log2(place.trace.groups[level]):.1f} bits",
    "groups": lambda place, level: f"{place.trace.groups[level]:,}",
    "half_gain": lambda place, level: _percent(_half_gain(place, level)),
    "smallest": lambda place, codec: _bytes(smallest_file(place.photo, codec)),
    "rival_quality": lambda place, codec: _decibels(best_quality(place.photo, codec, place.trace.file_bytes)),
    "rival_here": lambda place, codec: _decibels(best_quality(place.photo, codec, _step(place).bytes)),
    "stops": _said_stop,
    "wup": lambda place, a, b: f"{_wup(a, b):.2f}",
    "accuracy": _said_accuracy,
    "ece": lambda place, level, prefix, when: f"{_ece(level, prefix, when):.3f}",
    "training_photos": lambda place: _training_photos(),
    "temperature": lambda place: f"{card_of(DEFAULT)['temperature']:.2f}",
    "temperature_ece": lambda place, prefix, when: f"{_temperature_ece(prefix, when):.3f}",
    "interval": _interval,
    "label_right": lambda place, level: _said_label("label", level),
    "pixels_right": lambda place, level, bpp: _said_label("pixels", level, bpp),
    "both_right": lambda place, level, bpp: _said_label("both", level, bpp),
    "limit": _said_limit,
    "stranger": _stranger,
}
"""What a lesson may state. `level` is coarse, intermediate or fine; the photograph and the step are the lesson's own."""

CLAIMS: dict[str, Callable[..., bool]] = {
    "right_before": lambda place, level, other: (_gap(place, level, other) or 1.0) < 1,
    "right_within": _within,
    "right_here": lambda place, level: _right(place, place.index, level),
    "right_at_the_end": lambda place, level: _right(place, -1, level),
    "unlearned": lambda place, level: (
        not _right(place, -1, level) and any(_right(place, index, level) for index in range(len(place.trace.steps)))
    ),
    "truth_known": lambda place: place.trace.known,
    "half_is_most": lambda place, level: _half_gain(place, level) > 0.5,
    "below_smallest": lambda place, codec: _step(place).bytes < smallest_file(place.photo, codec),
    "sharper": lambda place, codec: _lead(place, codec, place.trace.file_bytes, place.trace.steps[-1].psnr) > 0,
    "sharper_here": lambda place, codec: _lead(place, codec, _step(place).bytes, _step(place).psnr) > 0,
    "blurrier_here": lambda place, codec: _lead(place, codec, _step(place).bytes, _step(place).psnr) < 0,
    "nearer": lambda place, a, b, other: _wup(a, b) > _wup(a, other),
    "one_path": lambda place: _step(place).consistent,
    "stops_early": lambda place, level, percent: _stop(place, level, percent) is not None,
    "measured": lambda place, setting, level, judge: _accuracy(setting, level, judge) is not None,
    "temperature_helps": lambda place, prefix: _temperature_ece(prefix, "after") < _temperature_ece(prefix, "before"),
    "calibrated": lambda place, level: level in (card_of(DEFAULT).get("confidence") or {}).get("levels", {}),
    "in_loss": lambda place, judge: in_loss(judge, cached.models().get(DEFAULT_MODEL, {})) is True,
    "label_wins": _wins,
    "limits_known": lambda place: bool(results(LIMITS)),
}
"""What a paragraph may depend on."""

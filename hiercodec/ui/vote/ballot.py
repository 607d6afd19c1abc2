"""What a hall is asked about a trace: cuts, choices, what the classifier says and what is right. No Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from hiercodec.evaluation.traces.trace import Trace
from hiercodec.levels import spoken
from hiercodec.report.answers import answers, format_bytes

SIZES = (200, 400, 800)
"""Bytes that are asked about; a trace has cuts near them."""

UNSURE = "I cannot tell"
MAX_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Ballot:
    """Questions about one trace.

    `steps` are the steps asked about, rising; `choices` the groups of the first level and, last, that one cannot tell;
    `machine` the classifier's probability of every choice at every step; `right` the choices that are right (none where
    the truth is not known).
    """

    steps: tuple[int, ...]
    sizes: tuple[str, ...]
    choices: tuple[str, ...]
    machine: tuple[tuple[float, ...], ...]
    right: frozenset[int]

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked at each step."""
        return tuple(f"What is it, at {size}?" for size in self.sizes)


def ballot(trace: Trace) -> Ballot | None:
    """The questions; None where there is nothing to vote against: no classifier, or too many groups at the first level."""
    level = trace.levels[0]
    labels = trace.labels.get(level, ())
    if not 2 <= len(labels) < MAX_CHOICES:
        return None
    steps = _near(trace)
    return Ballot(
        steps,
        tuple(format_bytes(trace.steps[index].bytes) for index in steps),
        (*labels, UNSURE),
        tuple((*trace.steps[index].mass[level], 0.0) for index in steps),
        frozenset(trace.answers.get(level, ())),
    )


def _near(trace: Trace) -> tuple[int, ...]:
    """The steps nearest to SIZES, each after the one before; fewer where the trace has fewer."""
    found: list[int] = []
    for size in SIZES:
        later = range(found[-1] + 1 if found else 0, len(trace.steps))
        if later:
            found.append(min(later, key=lambda index: abs(trace.steps[index].bytes - size)))
    return tuple(found)


def machine_says(trace: Trace, step: int) -> str:
    """The classifier's answers at a step in one line: kind, family, class, each with its chance and whether it is right."""
    rows = answers(trace, trace.steps[step].top, blank=trace.steps[step].blank)
    return " · ".join(
        f"{spoken(name)} {row['label']} {row['chance']} {row['sign']} {row['verdict']}".strip()
        for name, row in rows.items()
    )


def hall_says(asked: Ballot, tally: list[int]) -> str:
    """The hall's most frequent answer to one question, in words."""
    votes = sum(tally)
    if not votes:
        return "nobody voted"
    most = max(tally)
    first = [index for index, count in enumerate(tally) if count == most]
    named = " and ".join(asked.choices[index] for index in first)
    mark = "" if not asked.right else " ✓ right" if asked.right.issuperset(first) else " ✗ wrong"
    return f"{named}, {most} of {votes} {'vote' if votes == 1 else 'votes'}{mark}"

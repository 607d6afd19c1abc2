"""What a hall is asked about a trace: cuts, choices, what the classifier says and what is right. No Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from hiercodec.evaluation.traces.trace import Trace
from hiercodec.report.answers import format_bytes
from hiercodec.report.glossary import verdict

SIZES = (200, 400, 800)
"""Bytes that are asked about; a trace has cuts near them."""

UNSURE = "I cannot tell"
MAX_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Ballot:
    """Questions about one trace.

    `steps` are the steps asked about, rising; `choices` the groups of the first level and, last, that one cannot tell;
    `right` those that answers are held to (`Trace.measure_of`).
    """

    steps: tuple[int, ...]
    sizes: tuple[str, ...]
    choices: tuple[str, ...]
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
        trace.measure_of(level),
    )


def _near(trace: Trace) -> tuple[int, ...]:
    """The steps nearest to SIZES, each after the one before; fewer where the trace has fewer."""
    found: list[int] = []
    for size in SIZES:
        later = range(found[-1] + 1 if found else 0, len(trace.steps))
        if later:
            found.append(min(later, key=lambda index: abs(trace.steps[index].bytes - size)))
    return tuple(found)


def hall_says(trace: Trace, asked: Ballot, tally: list[int]) -> str:
    """The hall's most frequent answer to one question, in words, and what becomes of it where it is one answer."""
    votes = sum(tally)
    if not votes:
        return "nobody voted"
    most = max(tally)
    first = [index for index, count in enumerate(tally) if count == most]
    named = " and ".join(asked.choices[index] for index in first)
    said = (
        str(verdict(trace, trace.levels[0], first[0])) if len(first) == 1 and asked.choices[first[0]] != UNSURE else ""
    )
    return f"{named}, {most} of {votes} {'vote' if votes == 1 else 'votes'} {said}".rstrip()

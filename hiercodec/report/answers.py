"""What a classifier's answers look like in words, for the prefix, the original and every rival alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hiercodec.evaluation.traces.trace import Ranked, Trace, settles
from hiercodec.report.glossary import held_to, verdict
from hiercodec.report.links import class_link, group_link
from hiercodec.taxonomy import available_hierarchies


def format_bytes(n: int) -> str:
    """Bytes in words: 1 byte, 640 bytes, 1.9 kB (SI).

    >>> format_bytes(640), format_bytes(1940), format_bytes(123456)
    ('640 bytes', '1.9 kB', '123 kB')
    """
    if n < 1000:
        return "1 byte" if n == 1 else f"{n} bytes"
    return f"{n / 1000:.{1 if n < 99950 else 0}f} kB"


def percent(p: float) -> str:
    """A probability as a whole per cent that never rounds up to certainty or down to none.

    >>> percent(0.126), percent(0.999), percent(0.004)
    ('13 %', '>99 %', '<1 %')
    """
    if 0 < p < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < p < 1 else f"{p:.0%}".replace("%", " %")


NOTHING_YET = "nothing arrived yet"


def answers(
    trace: Trace, top: Mapping[str, Ranked], wup: float | None = None, *, blank: bool = False
) -> dict[str, dict[str, Any]]:
    """Level → its answer, ready to draw: label, what becomes of it (`verdict`), how likely, and what comes next.

    `link` is the address that lights the answer on the map. Of a `blank` picture, which no block has reached, the answers
    say that nothing arrived, and what the blank is taken for only beside it.
    """
    return {level: _blank(ranked) if blank else _answer(trace, level, ranked, wup) for level, ranked in top.items()}


def _answer(trace: Trace, level: str, ranked: Ranked, wup: float | None) -> dict[str, Any]:
    (group, label, p), *others = ranked
    judged, last = verdict(trace, level, group), level == trace.levels[-1]
    return {
        "label": label,
        "link": answer_link(trace.provenance.get("hierarchy"), level, group, label, last=last),
        "mark": judged.kind,
        "sign": judged.sign,
        "verdict": judged.words,
        "chance": percent(p),
        "chances": [round(q, 4) for _, _, q in ranked],
        "rest": "then " + ", ".join(f"{name} {percent(q)}" for _, name, q in others) if others else "",
        "wup": f"WUP {wup:.2f}" if wup is not None and last else "",
    }


def _blank(ranked: Ranked) -> dict[str, Any]:
    _, label, p = ranked[0]
    words = ("link", "mark", "sign", "verdict", "chance", "wup")
    rest = f"a blank picture is taken for {label}, {percent(p)}"
    return {**dict.fromkeys(words, ""), "label": NOTHING_YET, "chances": [], "rest": rest}


def answer_link(tree: str | None, level: str, group: int, label: str, *, last: bool) -> str:
    """Where Clusters shows this answer: its group in `tree`, or the class itself; "" where the app knows no such tree."""
    if tree not in available_hierarchies():
        return ""
    return class_link(tree, group) if last else group_link(tree, level, label)


class First(NamedTuple):
    """From where on answers are right at every step shown: a verdict ("✓ right"), "from 346 bytes", whether they are so in
    the end or nobody knows, and all of it as a sentence."""

    verdict: str
    words: str
    well: bool
    sentence: str


def first_right(trace: Trace, level: str, sizes: Sequence[int], groups: Sequence[int | None]) -> First | None:
    """From how many bytes on the answer of a level is right, or that on the original, at every step shown.

    `sizes` are the bytes of each step, rising, `groups` the answers there, None on a picture that no block has reached.
    None where nothing was classified.
    """
    if not groups or groups[-1] is None:
        return None
    holds = [group is not None and group in trace.measure_of(level) for group in groups]
    index, known = settles(holds), trace.known
    same = "right" if known else "as the original" if trace.original else "settled"
    if index is None:
        wrong = ("never right", "wrong at the end") if known else ("never the same", "another at the end")
        return First("✗" if known else "≠", wrong[any(holds)], not known, wrong[any(holds)])
    sign, size = "✓" if known else "=", format_bytes(sizes[index])
    every = f"{sign} {same} at every step shown from {size} on"
    return First(f"{sign} {'right' if known else 'same'}", f"from {size}", True, every)


def first_right_of(trace: Trace, level: str) -> First | None:
    """The same of a trace's own steps."""
    steps = trace.steps
    groups = [step.top[level][0][0] if step.top.get(level) and not step.blank else None for step in steps]
    return first_right(trace, level, [step.bytes for step in steps], groups)


def truth(trace: Trace) -> str:
    """What is in the picture, by its right answers; that it is not known, where it is not."""
    if not trace.known:
        words = f"What this shows is not known: = as {held_to(trace)} is taken for, ≠ another."
        return words if trace.steps[-1].top else ""
    path = [one_of([_label(trace, level, group) for group in groups]) for level, groups in trace.answers.items()]
    many = len(next(reversed(trace.answers.values())))
    return f"Truth: {' › '.join(path)}{'' if many < 2 else f' (any of these {many} counts)'}"


def one_of(names: Sequence[str]) -> str:
    """Names as a choice.

    >>> one_of(["tabby", "tiger cat", "Egyptian cat"])
    'tabby, tiger cat or Egyptian cat'
    """
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _label(trace: Trace, level: str, group: int) -> str:
    if level in trace.labels:
        return trace.labels[level][group]
    from hiercodec.taxonomy.classes import classes

    return classes()[group].name

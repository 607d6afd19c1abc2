"""What a classifier's answers look like in words, for the prefix, the original and every rival alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hiercodec.evaluation.trace import Ranked, Trace, settles
from hiercodec.levels import spoken
from hiercodec.taxonomy import available_hierarchies
from hiercodec.ui.taxonomy.links import class_link, group_link


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


def answers(trace: Trace, top: Mapping[str, Ranked], wup: float | None = None) -> dict[str, dict[str, Any]]:
    """Level → its answer, ready to draw: label, whether it is right, how likely, and what comes next.

    `mark` is "right", "wrong" or "" where the truth is not known; `link` is the address that lights the answer on the map.
    """
    rows, tree = {}, trace.provenance.get("hierarchy")
    for level, ranked in top.items():
        (group, label, p), *others = ranked
        known = trace.answers.get(level)
        lead = round(100 * (p - (others[0][2] if others else 0.0)))
        rows[level] = {
            "label": label,
            "link": answer_link(tree, level, group, label, last=level == trace.levels[-1]),
            "mark": "" if not known else "right" if group in known else "wrong",
            "chance": percent(p),
            "chances": [round(q, 4) for _, _, q in ranked],
            "rest": "then " + ", ".join(f"{name} {percent(q)}" for _, name, q in others) if others else "",
            "margin": f"margin {lead} {'point' if lead == 1 else 'points'}",
            "wup": "" if wup is None or level != trace.levels[-1] else f"WUP {wup:.2f}",
        }
    return rows


def answer_link(tree: str | None, level: str, group: int, label: str, *, last: bool) -> str:
    """Where Clusters shows this answer: its group in `tree`, or the class itself; "" where the app knows no such tree."""
    if tree not in available_hierarchies():
        return ""
    return class_link(tree, group) if last else group_link(tree, level, label)


class First(NamedTuple):
    """From where on answers are right: a verdict ("✓ right"), the rest of the sentence, and whether they ever are."""

    verdict: str
    words: str
    ever: bool


def first_right(trace: Trace, sizes: Sequence[int], tops: Sequence[Mapping[str, Ranked]]) -> dict[str, First]:
    """Level → from how many bytes on its answer is right, or settled where the truth is not known.

    `sizes` are the bytes of each file, rising, `tops` what each is taken for.
    """
    said = {}
    for level in tops[-1] if tops else ():
        winners = [top[level][0][0] if top.get(level) else None for top in tops]
        known = set(trace.answers.get(level, ()))
        index = settles(winners, known or {group for group in winners[-1:] if group is not None})
        if index is not None:
            said[level] = First("✓ right" if known else "▸ settled", f"from {format_bytes(sizes[index])}", True)
        else:
            said[level] = First("✗", "right, then wrong" if known & set(winners) else "never right", False)
    return said


def truth(trace: Trace) -> str:
    """What is in the picture, by its right answers; that it is not known, where it is not."""
    if not trace.answers:
        return "What the picture shows is not known here, so no answer is called right." if trace.steps[-1].top else ""
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


def spoken_levels(trace: Trace) -> dict[str, str]:
    """Level → what the page calls it."""
    return {level: spoken(level) for level in trace.levels}

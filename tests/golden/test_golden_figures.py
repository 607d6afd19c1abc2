"""Every figure that pages, commands and cards give for the files that ship is what it was."""

from __future__ import annotations

import json
import math

import pytest

from tests.golden import measured, pages

pytestmark = pytest.mark.slow
NEAR = 1e-9
"""Relative: sums in another order may differ in the last digits that are kept."""


def differing(then, now, where=""):
    """Where two nested figures differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from differing(then.get(key), now.get(key), f"{where} › {key}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for a, b in zip(then, now, strict=True):
            if isinstance(a, list):
                yield from differing(a, b, where)
            elif not (a == b or (numbers(a, b) and math.isclose(a, b, rel_tol=NEAR, abs_tol=NEAR))):
                yield f"{where}: {then} → {now}"
                return
    elif then != now:
        yield f"{where}: {then} → {now}"


def numbers(*values) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


@pytest.mark.parametrize("part", [measured, pages], ids=lambda part: part.__name__.rpartition(".")[2])
def test_figures_are_what_they_were(part):
    """After a change that an issue asks for: `python -m tests.golden`, and say in the commit what moved and why."""
    then = json.loads(part.FILE.read_text(encoding="utf-8"))
    moved = list(differing(then, json.loads(json.dumps(part.everything()))))
    assert not moved, f"{len(moved)} figures moved:\n" + "\n".join(moved[:60])


def test_a_figure_that_moves_is_seen():
    rows = [0.1 * i for i in range(200)]
    other = [*rows[:50], rows[50] + 1e-3, *rows[51:]]
    assert list(differing({"a": measured.sketch(rows)}, {"a": measured.sketch(other)}))
    assert list(differing({"a": measured.sketch(rows)}, {"a": measured.sketch(rows[::-1])}))
    assert not list(differing({"a": measured.sketch(rows)}, {"a": measured.sketch([x * (1 + 1e-12) for x in rows])}))

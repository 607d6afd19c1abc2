"""A measured value that is no ordinary number, and how it is spelt: the one place that writes it and reads it.

    state                                               Python    Parquet   JSON          CSV      for people
    infinite: PSNR of a picture reproduced exactly      inf       inf       "Infinity"    inf      identical
    undefined: measured, and there is no value          nan       nan       "NaN"         nan      undefined
    missing: not measured                               None      null      null          empty    -

JSON has no infinity and no NaN (RFC 8259); the strings are those of Protocol Buffers' JSON mapping, and `float` in Python
and `Number` in JavaScript read them. In an array, or a column of numbers, a missing value is NaN: only a column that has
no value at all is missing as a whole. On a chart only numbers are points.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from hiercodec.errors import InputError

SPELT = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
IDENTICAL, UNDEFINED, MISSING = "identical", "undefined", "-"


def plain(tree: Any) -> Any:
    """A tree of mappings, sequences and values as JSON has them: numpy's numbers as Python's, states as their strings.

    >>> plain({"psnr": math.inf, "wup": [math.nan, None, 0.5]})
    {'psnr': 'Infinity', 'wup': ['NaN', None, 0.5]}
    """
    if isinstance(tree, Mapping):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [plain(value) for value in tree]
    if hasattr(tree, "dtype"):
        tree = tree.item()
    if isinstance(tree, float) and not math.isfinite(tree):
        return "NaN" if math.isnan(tree) else "Infinity" if tree > 0 else "-Infinity"
    return tree


def dumps(tree: Any, *, indent: int | None = None) -> str:
    """JSON text that every reader takes (RFC 8259); keys keep their order."""
    return json.dumps(plain(tree), indent=indent, ensure_ascii=False, allow_nan=False)


def loads(text: str | bytes) -> Any:
    """What `dumps` wrote, its states as the values they are, and Python's bare tokens too; `ValueError` for what is no JSON.

    >>> loads('{"psnr": ["Infinity", 31.5, Infinity]}')
    {'psnr': [inf, 31.5, inf]}
    """
    return restored(json.loads(text))


def restored(tree: Any) -> Any:
    """The inverse of `plain`: strings that spell a state are that state."""
    if isinstance(tree, dict):
        return {key: restored(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [restored(value) for value in tree]
    return SPELT.get(tree, tree) if isinstance(tree, str) else tree


def number(value: Any) -> float | None:
    """One value of what `loads` gave: a number or a state, None for null; `InputError` for anything else."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1000:
        return float(value)
    raise InputError(f"{value!r:.40} is no number, nor Infinity, NaN or null")


def shown(value: float | None, digits: int = 2, unit: str = "", *, infinite: str = IDENTICAL) -> str:
    """A value for people; `infinite` is said of an infinite one.

    >>> [shown(v, 1, " dB") for v in (30.25, math.inf, math.nan, None)]
    ['30.2 dB', 'identical', 'undefined', '-']
    """
    if value is None:
        return MISSING
    if math.isnan(value):
        return UNDEFINED
    return infinite if math.isinf(value) else f"{value:.{digits}f}{unit}"

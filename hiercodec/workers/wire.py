"""What a worker sends the server, as plain data: nothing in it is run, whatever a file of a stranger did to the worker.

    value ── packed ──► bytes ── pipe ──► unpacked ──► an equal value

msgpack carries numbers, text, bytes, lists and dicts; tuples, arrays, errors of ours and the records listed here travel
as its extension types. A pickle would let whoever writes it call any function of the server's.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgpack
import numpy as np

from hiercodec import errors
from hiercodec.errors import HiercodecError

MAX_BYTES = 512 * 2**20
"""Bytes of one message that the server reads; the largest trace of a stream that is let in has a quarter of that."""

MAX_DEPTH = 32
"""Extension types within one another; unbounded they would use up the C stack, and the server with it."""

TUPLE, ARRAY, ERROR, RECORD = range(4)
NUMBERS = "biuf"
"""Kinds of arrays that cross, as numpy names them: truth values, whole numbers, fractions."""

RECORDS = frozenset({
    "hiercodec.evaluation.traces.bundle:Bundle", "hiercodec.evaluation.traces.bundle:Seen",
    "hiercodec.evaluation.measure:Row", "hiercodec.evaluation.measure:Verdict",
    "hiercodec.evaluation.traces.trace:LabelAnswer", "hiercodec.evaluation.traces.trace:Step",
    "hiercodec.evaluation.traces.trace:Trace",
    "hiercodec.protocols:OperatingPoint",
    "hiercodec.taxonomy.hierarchy:Hierarchy", "hiercodec.taxonomy.hierarchy:HierarchyLevel",
    "hiercodec.workers.gallery:Traced", "hiercodec.workers.tasks:Opened",
})  # fmt: skip
"""Dataclasses and named tuples that cross, as module:name: data without behaviour of its own when it is made."""


class NotPlain(Exception):
    """Bytes that `packed` does not write, or a value that it has no form for."""


def packed(value: Any) -> bytes:
    """A value as bytes; `NotPlain` names a type that is no data here."""
    return msgpack.Packer(default=_extended, strict_types=True).pack(value)


def unpacked(data: bytes, *, depth: int = 0) -> Any:
    """The inverse; `NotPlain` for anything else. Arrays are new and writeable. `depth` counts extensions within others."""
    if depth > MAX_DEPTH:
        raise NotPlain(f"more than {MAX_DEPTH} values within one another")
    try:
        return msgpack.unpackb(data, ext_hook=functools.partial(_restored, depth=depth + 1), strict_map_key=False)
    except NotPlain:
        raise
    except Exception as error:  # whatever it is, the sender made it up
        raise NotPlain(f"{type(error).__name__}: {error}") from None


def _extended(value: Any) -> Any:
    kind, name = type(value), f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in NUMBERS:
        return msgpack.ExtType(ARRAY, packed([value.dtype.str, list(value.shape), value.tobytes()]))
    if isinstance(value, HiercodecError):
        return msgpack.ExtType(ERROR, packed([kind.__name__, list(value.args), dict(value.__dict__)]))
    if name in RECORDS:
        named = [f.name for f in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else None
        fields = named or value._fields  # pyright: ignore[reportAttributeAccessIssue] (a named tuple)
        return msgpack.ExtType(RECORD, packed([name, {field: getattr(value, field) for field in fields}]))
    if kind is tuple:
        return msgpack.ExtType(TUPLE, packed(list(value)))
    raise NotPlain(f"{name} is no data that a worker may send")


def _restored(code: int, data: bytes, depth: int) -> Any:
    parts = unpacked(data, depth=depth)
    return tuple(parts) if code == TUPLE else _READERS[code](*parts)


def _array(dtype: str, shape: list[int], data: bytes) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind not in NUMBERS:
        raise NotPlain(f"an array of {dtype}")
    return np.frombuffer(data, kind).reshape(shape).copy()


def _error(name: str, args: list[Any], state: dict[str, Any]) -> HiercodecError:
    kind = getattr(errors, name)
    if not issubclass(kind, HiercodecError):
        raise NotPlain(f"{name} is no error of ours")
    return errors.as_it_was(kind, tuple(args), state)


def _record(name: str, fields: dict[str, Any]) -> Any:
    if name not in RECORDS:
        raise NotPlain(f"{name} is no record that crosses")
    module, _, kind = name.partition(":")
    return getattr(import_module(module), kind)(**fields)


_READERS: dict[int, Callable[..., Any]] = {ARRAY: _array, ERROR: _error, RECORD: _record}

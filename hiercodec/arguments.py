"""What callers hand in at the front door: the thing itself, or one line that says what it should be."""

from __future__ import annotations

import os
from typing import Any, TypeAlias, TypeVar

from hiercodec.errors import InputError
from hiercodec.fsio import read_bytes

Kind = TypeVar("Kind")
Source: TypeAlias = "bytes | str | os.PathLike[str]"
"""A stream, whole or cut: its bytes, or the path of the file that holds them."""


def shown(value: object) -> str:
    """What something is, in one short line, for messages.

    >>> shown(2.5), shown("lite")
    ('float 2.5', "'lite'")
    """
    if isinstance(value, str):
        return repr(value[:40])
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        dtype, shape = value.dtype, value.shape  # pyright: ignore[reportAttributeAccessIssue]
        return f"{type(value).__name__} {dtype}{list(shape)}"
    literal = repr(value) if isinstance(value, (bytes, int, float)) else ""
    return f"{type(value).__name__} {literal[:40]}".strip()


def expect(value: Any, kinds: type[Kind] | tuple[type[Kind], ...], words: str) -> Kind:
    """`value` if it is of one of these kinds (no bool for a number); `InputError` says in `words` what it should be."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise InputError(f"{words}, got {shown(value)}")
    return value


def expect_method(value: Any, method: str, words: str) -> Any:
    """`value` if it has the method by which such a thing is used; `InputError` in `words` otherwise."""
    if isinstance(value, type) or not callable(getattr(value, method, None)):
        raise InputError(f"{words}, got {shown(value)}")
    return value


def as_stream(source: Source) -> bytes:
    """The bytes of a stream: of anything that holds bytes (an array of them too), or of the file at a path.

    `InputError` where it is neither, or where there is no such file.
    """
    if isinstance(source, (str, os.PathLike)):
        return read_bytes(os.fspath(source))
    try:
        view = memoryview(source)
    except (TypeError, ValueError, BufferError):
        raise InputError(f"a stream is bytes, or the path of a .hc file, got {shown(source)}") from None
    if view.itemsize != 1 or view.ndim != 1:
        raise InputError(f"a stream is bytes in a row, got {shown(source)}")
    return view.tobytes()

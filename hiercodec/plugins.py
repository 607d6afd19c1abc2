"""Parts of others: Python modules that add codecs, classifiers, tasks and parts of networks to this program's registries.

    --plugin my_module · plugins = ["my_module"] in a run's TOML · HIERCODEC_PLUGINS="my_module"
    entry points hiercodec.plugins of what is installed

A registry imports them before it says that it has no such part, in every process that asks: a variable is inherited by
workers and handed to Ray actors, a card only tells what its model needs. docs/extending.md shows some.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Iterable
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from hiercodec.errors import ConfigError, HiercodecError, InputError, first_line

PLUGINS = "HIERCODEC_PLUGINS"
"""Environment variable: modules to import, with blanks between them."""

GROUP = "hiercodec.plugins"
"""Entry points of installed packages whose modules are imported as well."""

Part = TypeVar("Part")
_used: list[str] = []


class Registry(dict[str, Part]):
    """Parts of one kind by name, plugins' among them; an error lists the known names for an unknown one.

    `registry[name] = part` adds one.

    >>> Registry("fruit", {"apple": 1})["pear"]
    Traceback (most recent call last):
    hiercodec.errors.ConfigError: no fruit 'pear'; known: apple
    """

    def __init__(self, kind: str, parts: dict[str, Part], error: type[HiercodecError] = ConfigError) -> None:
        super().__init__(parts)
        self.kind, self._error = kind, error

    def __contains__(self, name: object) -> bool:
        if not super().__contains__(name):
            load()
        return super().__contains__(name)

    def __missing__(self, name: str) -> Part:
        if name in self:
            return self[name]
        raise self._error(unknown(self.kind, name, self))


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The sentence that says so of an unknown name."""
    return f"no {kind} {name!r}; known: {', '.join(sorted(known))}"


def load() -> tuple[str, ...]:
    """Import all plugins that are named or installed, each once a process; returns their names. Raises as `use`."""
    for name in (*os.environ.get(PLUGINS, "").split(), *_installed()):
        use(name)
    return tuple(_used)


def use(name: str) -> None:
    """Import one plugin; `InputError` says in one line why it cannot be."""
    if name in _used:
        return
    _used.append(name)  # before it is there, since it may ask a registry for a part
    try:
        module(name)
    except Exception as error:
        _used.remove(name)
        kind = "" if isinstance(error, HiercodecError) else f"{type(error).__name__}: "
        raise InputError(f"the plugin {name!r} cannot be loaded: {kind}{first_line(error)}") from error


def module(name: str) -> ModuleType:
    """A module by name, also one in the working directory; raises what importing it raises."""
    if not {"", (here := os.getcwd())} & set(sys.path):
        sys.path.insert(0, here)  # as `python -m` has it, and a console command has not
    return import_module(name)


def found_at(name: str) -> object:
    """The object at "module:name"; `InputError` where there is none."""
    where, _, attribute = name.partition(":")
    try:
        return functools.reduce(getattr, attribute.split("."), module(where))
    except Exception as error:
        raise InputError(f"there is no {name!r}: {type(error).__name__}: {first_line(error)}") from error


def content_of(part: object) -> str | None:
    """12 hex digits of the SHA-256 of the file that a function or an object's class stands in; None where there is none."""
    home = sys.modules.get(getattr(part, "__module__", None) or type(part).__module__)
    file = getattr(home, "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12] if file else None


@functools.cache
def _installed() -> tuple[str, ...]:
    return tuple(point.module for point in metadata.entry_points(group=GROUP))

"""What models and hierarchies there are here by name: those that ship, and those that whoever runs this names.

    HIERCODEC_MODELS=runs/mine:better=old/step9.safetensors        folders, files and NAME=PATH, separated as in PATH
    HIERCODEC_HIERARCHIES=~/trees

Python, commands, app and workers take a name or a path, and look a name up here and nowhere else; nothing here loads torch.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from hiercodec import values
from hiercodec.errors import HiercodecError, InputError, ModelNotFound, first_line
from hiercodec.fsio import locate, printable, read_bytes
from hiercodec.levels import LevelPlan, read_plan

Thing = TypeVar("Thing")

MAX_CARD = 2**22
"""Bytes that a model's card may have."""


@dataclass(frozen=True, slots=True)
class Own(Generic[Thing]):
    """What the environment adds: name → (file, what stands in it), and a line on everything that cannot be used."""

    things: dict[str, tuple[Path, Thing]]
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Shelf(Generic[Thing]):
    """Files of one kind by name: those in the folder that ships, and those that the environment variable names.

    `listed` is the ending of the files that are looked at, `ending` that of the files meant; `read` gives what stands in a
    listed one, None for a file of another kind, or raises an error of ours.
    """

    folder: Path
    variable: str
    listed: str
    ending: str
    read: Callable[[Path], Thing | None]

    def shipped(self) -> dict[str, Path]:
        """Name → listed file of those that ship."""
        return {path.stem: path for path in sorted(self.folder.glob(f"*{self.listed}"))}

    def own(self) -> Own[Thing]:
        """What the environment adds. A name that ships is not given away: figures that ship are called by it."""
        things: dict[str, tuple[Path, Thing]] = {}
        wrong = []
        for entry in filter(None, os.environ.get(self.variable, "").split(os.pathsep)):
            name, path = named(entry)
            several = not name and path.is_dir()
            if not (several or path.is_file()):
                wrong.append(
                    f"{self.variable}: there is no {'file' if name else 'folder or file'} {printable(path.name)}"
                )
                continue
            for each in sorted(path.glob(f"*{self.listed}")) if several else [path.with_suffix(self.listed)]:
                called = name or each.stem
                try:
                    thing = _read(self.read, each, _stamp(each))
                    if thing is None and several:
                        continue
                    if thing is None or not each.with_suffix(self.ending).is_file():
                        raise InputError(f"there is no {self.ending} file")
                    if called in things or (self.folder / f"{called}{self.listed}").is_file():
                        raise InputError(f"the name {called!r} is taken; give it another with NAME=PATH")
                except HiercodecError as error:
                    wrong.append(f"{self.variable}: {printable(each.name)}: {error}")
                else:
                    things[called] = each.with_suffix(self.ending), thing
        return Own(things, tuple(wrong))

    def names(self) -> tuple[str, ...]:
        """Every name, those that ship first."""
        return (*self.shipped(), *self.own().things)

    def find(self, spec: str | Path) -> tuple[str, Path]:
        """(name, file) of a name, a path, or NAME=PATH; the file of an unknown name is where one that ships would be."""
        text = os.fspath(spec)
        if (known := self.own().things.get(text)) is not None:
            return text, known[0]
        name, path = named(text)
        if name or path.suffix == self.ending or os.sep in text:
            return name or path.stem, path
        return text, self.folder / f"{text}{self.ending}"


def named(entry: str) -> tuple[str, Path]:
    """("", path) of a path, or (name, path) of NAME=PATH; `~` is the home folder.

    >>> named("better=runs/b.safetensors")
    ('better', PosixPath('runs/b.safetensors'))
    >>> named("a/b=c.json")
    ('', PosixPath('a/b=c.json'))
    """
    name, equals, path = entry.partition("=")
    if not (equals and name and path) or os.sep in name or os.path.exists(entry):
        name, path = "", entry
    return name, Path(os.path.expanduser(path))


def absolute(entries: str) -> str:
    """Entries of such an environment variable as they hold in every folder."""
    both = [named(entry) for entry in filter(None, entries.split(os.pathsep))]
    return os.pathsep.join(f"{name}={path.resolve()}" if name else str(path.resolve()) for name, path in both)


def _stamp(path: Path) -> tuple[float, int]:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return 0.0, -1
    return stat.st_mtime, stat.st_size


@functools.lru_cache(maxsize=256)
def _read(read: Callable[[Path], Thing], path: Path, stamp: tuple[float, int]) -> Thing:
    """What stands in a file that has not changed."""
    return read(path)


# ---- models ------------------------------------------------------------------------------------------------------------
def read_card(path: Path) -> dict[str, Any]:
    """A card; `ModelNotFound` where it is damaged."""
    try:
        card = values.loads(read_bytes(path, max_bytes=MAX_CARD))
        if not isinstance(card, dict):
            raise ValueError("it is no object")
    except (InputError, ValueError, RecursionError) as error:
        raise ModelNotFound(f"the card {path.name} is damaged ({first_line(error)}); restore it") from None
    return card


def _card_of_model(path: Path) -> dict[str, Any] | None:
    """A card that describes a model; others are of classifiers, results and the like."""
    card = read_card(path)
    return card if "preset" in card else None


MODELS = Shelf(locate("models"), "HIERCODEC_MODELS", ".json", ".safetensors", _card_of_model)
"""Models: weights with a card beside them."""


def models() -> dict[str, dict[str, Any]]:
    """Name → card of every codec model there is here; `ModelNotFound` where a shipped card is damaged."""
    shipped = {name: _read(_card_of_model, path, _stamp(path)) for name, path in MODELS.shipped().items()}
    return {name: card for name, card in shipped.items() if card} | {n: c for n, (_, c) in MODELS.own().things.items()}


def plan_of(fingerprint: bytes) -> LevelPlan | None:
    """The plan of the model with this fingerprint, by which streams that leave levels to it name them; None: unknown."""
    try:
        card = next(card for card in models().values() if card.get("fingerprint") == fingerprint.hex())
        plan = read_plan(card["preset"]["plan"])
    except (StopIteration, ModelNotFound, LookupError, TypeError, ValueError):
        return None
    return plan if isinstance(plan, LevelPlan) else None

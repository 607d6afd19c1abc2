"""The JSON file that hierarchies travel in, checked line by line.

The file anyone can write for their own classes (any number of classes and levels; the class level itself is added when
the file leaves it out)::

    {"format": "hiercodec/hierarchy", "version": 1, "name": "pets",
     "classes": ["poodle", "beagle", "tabby", "goldfish"],
     "levels": [{"name": "coarse", "groups": {"dog": ["poodle", "beagle"], "other pets": ["tabby", "goldfish"]}}],
     "provenance": {"made by": "hand"}}

`classes` may be "imagenet-1k" instead of a list. A level gives either `groups`, label → members (a member is an index,
a class name or, for ImageNet, a wnid), or `labels` with `assignment`, one group number a class, and perhaps `names`:
labels for people, written later, by which nothing refers to the groups.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from hiercodec.errors import HierarchyError
from hiercodec.fsio import printable, write_bytes
from hiercodec.installed import Shelf
from hiercodec.levels import MAX_LEVELS
from hiercodec.taxonomy.classes import ASSETS, class_of, classes
from hiercodec.taxonomy.hierarchy import (
    IMAGENET,
    Hierarchy,
    HierarchyLevel,
    check_names,
    is_text,
    make_hierarchy,
)

FORMAT, VERSION = "hiercodec/hierarchy", 1
DEFAULT = "consensus-mended"
MAX_BYTES, MAX_CLASSES = 16_000_000, 100_000
MAX_DESCRIPTION, MAX_PROVENANCE = 10_000, 1_000_000
"""Characters, as JSON for what a file says of its origin: it is shown and handed on, never read."""
SUMS = "SHA256SUMS"
"""Beside the shipped files: what `sha256sum` prints of them, and `sha256sum -c` checks."""


def parse_hierarchy(text: str | bytes, *, source: str = "the hierarchy file") -> Hierarchy:
    """Read and check a hierarchy file's content; `HierarchyError` says in one line what is wrong and where."""
    if len(text) > MAX_BYTES:
        raise HierarchyError(f"{source} is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        return _from_dict(json.loads(text, object_pairs_hook=_no_duplicates))
    except (ValueError, RecursionError) as error:
        raise HierarchyError(f"{source} is not JSON: {error}") from None
    except HierarchyError as error:
        raise HierarchyError(f"{source}: {error}") from None


def load_hierarchy(name_or_path: str | Path = DEFAULT) -> Hierarchy:
    """A hierarchy by name ("consensus-mended", "clip-b16-flat", …; see `installed`), a JSON file by path, or NAME=PATH.

    By a name it is called so whatever its file says, by a path as its file says.
    """
    name, path = SHELF.find(name_or_path)
    if path.parent != SHELF.folder:
        hierarchy = _read(path)
        return hierarchy if path == Path(name_or_path) else replace(hierarchy, name=name)
    if not path.is_file():
        there = "; ".join([", ".join(available_hierarchies()), *SHELF.own().wrong])
        raise HierarchyError(f"no hierarchy {name!r}; there are: {there}")
    return _read(path, shipped=True)


def _read(path: Path, *, shipped: bool = False) -> Hierarchy:
    """The hierarchy in a file; `HierarchyError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise HierarchyError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        raise HierarchyError(
            f"cannot read {printable(path.name)}: {getattr(error, 'strerror', None) or error}"
        ) from None
    if shipped:
        _check_sum(path, content)
    return parse_hierarchy(content, source=path.stem if shipped else printable(path.name))


SHELF = Shelf(ASSETS / "hierarchies", "HIERCODEC_HIERARCHIES", ".json", ".json", _read)
"""Hierarchies by name."""


@functools.lru_cache(maxsize=64)
def find_hierarchy(mark: str) -> Hierarchy:
    """The hierarchy whose digest begins with `mark`; `HierarchyError` where there is none."""
    for name in available_hierarchies():
        if (hierarchy := load_hierarchy(name)).digest.startswith(mark):
            return hierarchy
    raise HierarchyError(f"a hierarchy that is not here (its digest begins with {mark})")


def _check_sum(path: Path, content: bytes) -> None:
    """That a shipped file is the one that was shipped; a file that SUMS does not name was put there by its owner."""
    sums = path.with_name(SUMS)
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    expected = {line[66:]: line[:64] for line in lines}.get(path.name)
    sha256 = hashlib.sha256(content).hexdigest()
    if expected not in (None, sha256):
        raise HierarchyError(
            f"{path.name} is not the file that was shipped (SHA-256 {sha256[:12]}…, see {SUMS}); restore it"
        )


def save_hierarchy(hierarchy: Hierarchy, path: str | Path) -> None:
    """Write the JSON file, whole or not at all, one level a line so that changes can be read in a diff."""
    write_bytes(path, dump_hierarchy(hierarchy).encode("utf-8"))


def dump_hierarchy(hierarchy: Hierarchy) -> str:
    """The file's text: the same bytes for the same hierarchy; the class level is left out, `classes` says it."""
    last = hierarchy.levels[-1]
    data = {
        "format": FORMAT,
        "version": VERSION,
        "name": hierarchy.name,
        "description": hierarchy.description,
        "classes": IMAGENET if hierarchy.class_set == IMAGENET else list(last.labels),
        "class_level": last.name,
    }
    groups = [
        {"name": v.name, "labels": v.keys}
        | ({"names": v.labels} if v.labels != v.keys else {})
        | {"assignment": v.assignment.tolist()}
        for v in hierarchy.levels[:-1]
    ]
    levels = ",\n    ".join(json.dumps(level, ensure_ascii=False, separators=(",", ":")) for level in groups)
    head = json.dumps(data, ensure_ascii=False, indent=2)[:-2]
    tail = json.dumps(hierarchy.provenance, ensure_ascii=False, sort_keys=True, indent=2).replace("\n", "\n  ")
    return f'{head},\n  "provenance": {tail},\n  "levels": [\n    {levels}\n  ]\n}}\n'


def available_hierarchies(*, imagenet_only: bool = False) -> tuple[str, ...]:
    """Names of the hierarchies there are (of the 1000 ImageNet classes, if asked for), the recommended one first."""
    own = SHELF.own().things.items()
    chosen = [name for name, (_, tree) in own if not imagenet_only or tree.class_set == IMAGENET]
    return (*_shipped(SHELF.folder), *chosen)


@functools.cache
def _shipped(folder: Path) -> tuple[str, ...]:
    """Looked up once, for every answer on a page asks."""
    return tuple(sorted(SHELF.shipped(), key=lambda name: (name != DEFAULT, name)))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise HierarchyError(f"{next(k for k in unique if counts[k] > 1)!r:.60} occurs twice in one object")
    return unique


Number = Annotated[int, Field(ge=-MAX_CLASSES, le=MAX_CLASSES)]


class _Level(BaseModel, strict=True):
    """A level as a file has it, by `groups` or by `assignment`."""

    name: str
    groups: Annotated[dict[str, list[Number | str]], Field(min_length=1)] | None = None
    assignment: list[Number] | None = None
    labels: list[str] | None = None
    names: list[str] | None = None

    def read(self, class_names: tuple[str, ...], *, own: bool) -> HierarchyLevel:
        """The level, of these classes; names of the 1000 ImageNet classes are looked up as `class_of` does."""
        if self.groups is not None:
            return _level_of_groups(self.name, self.groups, class_names, own)
        if self.assignment is None:
            raise HierarchyError(f'level {self.name!r} needs "groups", or an "assignment" with "labels"')
        if len(self.assignment) != len(class_names):
            raise HierarchyError(
                f"level {self.name!r} assigns {len(self.assignment)} classes; there are {len(class_names)}"
            )
        labels = self.labels or [f"group {g + 1}" for g in range(max(self.assignment) + 1)]
        assignment = np.array(self.assignment, np.int64)
        return HierarchyLevel(self.name, len(labels), assignment, tuple(self.names or labels), tuple(labels))


def _sound(provenance: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(provenance, ensure_ascii=False)
    if len(text) > MAX_PROVENANCE or not is_text(text):
        raise ValueError(f"should be text of up to {MAX_PROVENANCE} characters as JSON")
    return provenance


class _File(BaseModel, strict=True):
    """What a file says; names are checked by what is made of them."""

    name: str
    classes: Literal["imagenet-1k"] | Annotated[list[str], Field(min_length=1, max_length=MAX_CLASSES)]
    levels: Annotated[list[_Level], Field(max_length=MAX_LEVELS - 1)]
    class_level: str | None = None
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    provenance: Annotated[dict[str, Any], AfterValidator(_sound)] = {}


def _from_dict(data: Any) -> Hierarchy:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise HierarchyError(f'not a hierarchy (expected "format": "{FORMAT}")')
    if data.get("version") != VERSION:
        raise HierarchyError(f"version {data.get('version')!r:.20} is not known; this release reads version {VERSION}")
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise HierarchyError(f"{printable('.'.join(map(str, first['loc'])))[:80]}: {first['msg'][:200]}") from None
    check_names([file.name], '"name"')
    own = tuple(file.classes) if isinstance(file.classes, list) else None
    names = own or tuple(c.name for c in classes())
    check_names(names, "class names")
    levels = [level.read(names, own=own is not None) for level in file.levels]
    class_level = file.class_level
    if levels and levels[-1].k == len(names):  # the file spells the classes out: keep its name for that level
        class_level = levels.pop().name
    return make_hierarchy(
        file.name,
        levels,
        class_names=own,
        class_level=class_level,
        description=file.description,
        provenance=file.provenance,
    )


def _level_of_groups(
    name: str, groups: dict[str, list[int | str]], class_names: tuple[str, ...], own: bool
) -> HierarchyLevel:
    indexes = {label: i for i, label in enumerate(class_names)} if own else {}
    assignment = np.full(len(class_names), -1, np.int64)
    for group, (label, members) in enumerate(groups.items()):
        for member in members:
            index = member if isinstance(member, int) else indexes.get(member, -1) if own else class_of(member).index
            if not 0 <= index < len(class_names):
                raise HierarchyError(f"level {name!r}, group {label!r}: no class {member!r:.60}")
            if assignment[index] >= 0:
                raise HierarchyError(f"level {name!r}: class {member!r} is in two groups")
            assignment[index] = group
    missing = np.flatnonzero(assignment < 0)
    if missing.size:
        first = class_names[missing[0]]
        raise HierarchyError(f"level {name!r}: {missing.size} classes are in no group, the first is {first!r}")
    return HierarchyLevel(name, len(groups), assignment, tuple(groups))

"""The 1000 ImageNet classes in their standard order: index ↔ wnid ↔ names, and search.

The wnid is the key. Names are for people; two classes are called "crane" and two "maillot" in WordNet, so these carry
their hypernym in brackets. The list ships as `assets/taxonomy/classes.json`, made by
`python -m tools.assets taxonomy classes` from timm's class order and WordNet's lemmas.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiercodec.errors import HierarchyError
from hiercodec.fsio import locate

ASSETS = locate()
"""Where the shipped assets of the taxonomy lie."""


def read_asset(path: Path, what: str, made_by: str) -> Any:
    """Parse a shipped JSON asset; `HierarchyError` names the file and the command that makes it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HierarchyError(f"{what} is missing ({path}); make it with: {made_by}") from None
    except (ValueError, RecursionError) as error:
        raise HierarchyError(f"{what} cannot be read ({path}: {error}); make it anew with: {made_by}") from None


CLASSES_FILE = ASSETS / "taxonomy" / "classes.json"
CLASSES_COMMAND = "python -m tools.assets taxonomy classes"


@dataclass(frozen=True, slots=True)
class ImageClass:
    """One class: `index` 0…999 in the standard order, WordNet 3.0 `wnid`, a unique display `name`, other `synonyms`."""

    index: int
    wnid: str
    name: str
    synonyms: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The display name and every synonym."""
        return (self.name, *self.synonyms)


@functools.lru_cache(maxsize=1)
def classes() -> tuple[ImageClass, ...]:
    """All 1000 classes in standard order.

    >>> classes()[0]
    ImageClass(index=0, wnid='n01440764', name='tench', synonyms=('Tinca tinca',))
    """
    table = read_asset(CLASSES_FILE, "the class list", CLASSES_COMMAND)["classes"]
    return tuple(ImageClass(i, wnid, names[0], tuple(names[1:])) for i, (wnid, names) in enumerate(table))


@functools.lru_cache(maxsize=1)
def by_wnid() -> dict[str, int]:
    """Class index by wnid."""
    return {c.wnid: c.index for c in classes()}


def class_of(key: int | str) -> ImageClass:
    """The class with this index, wnid or exact name; `HierarchyError` where there is none or more than one.

    >>> class_of("n02012849").name
    'crane (wading bird)'
    """
    if isinstance(key, int):
        if 0 <= key < len(classes()):
            return classes()[key]
        raise HierarchyError(f"no class {key}; indexes run from 0 to {len(classes()) - 1}")
    if key in by_wnid():
        return classes()[by_wnid()[key]]
    text = _fold(key)
    exact = [c for c in classes() if _fold(c.name) == text] or [c for c in classes() if text in map(_fold, c.names)]
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise HierarchyError(f"{key!r} names {len(exact)} classes: {', '.join(f'{c.name} = {c.wnid}' for c in exact)}")
    raise HierarchyError(f"no class {key!r}; give an index, a wnid or a name from the class list")


MAX_QUERY = 200
"""Characters of what is looked for: no name is longer, and an address or a field may hold millions."""


def search(text: str, *, limit: int = 50) -> list[ImageClass]:
    """Classes whose index, wnid, name or a synonym matches, best match first (exact, then start, word, any part).

    Of the text the first MAX_QUERY characters count.

    >>> [c.index for c in search("crane")][:2]
    [134, 517]
    """
    query = _fold(text[:MAX_QUERY])
    if not query:
        return []
    ranked = [(rank, c.index) for c in classes() if (rank := _rank(query, c)) is not None]
    return [classes()[index] for _, index in sorted(ranked)[:limit]]


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").casefold().split())


def _rank(query: str, c: ImageClass) -> int | None:
    if query in (str(c.index), c.wnid):
        return 0
    ranks = []
    for name in map(_fold, c.names):
        if name == query or name.split(" (")[0] == query:
            ranks.append(0)
        elif name.startswith(query):
            ranks.append(1)
        elif f" {query}" in name:
            ranks.append(2)
        elif query in name:
            ranks.append(3)
    return min(ranks, default=None)

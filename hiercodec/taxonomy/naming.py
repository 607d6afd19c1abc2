"""Names for groups that a person understands: written ones where people wrote them, else everyday words for hypernyms.

The groups of the recommended hierarchy have names that people wrote, in `assets/taxonomy/names.json`: each says which
WordNet concepts or classes it stands for, so that a test can hold it to its group and the app can say what a name leaves
out. A group of another hierarchy that is mostly the same takes the written name too.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import ASSETS, class_of, read_asset
from hiercodec.taxonomy.hierarchy import HierarchyLevel
from hiercodec.taxonomy.hierarchy_file import DEFAULT, load_hierarchy
from hiercodec.taxonomy.wordnet import FAR, WordNetGraph, wordnet_graph

NAMES_FILE = ASSETS / "taxonomy" / "names.json"

WORDS_FILE = ASSETS / "taxonomy" / "words.json"
"""Lemmas too `wide` to say anything of a group, or less than two narrower words do; `plain` words, in the plural, for lemmas
(or synsets) that only a zoologist or a lexicographer uses; last words that are the `same` in the plural."""

COVERED, SHARE, MOST = 0.75, 0.08, 3
HALF, TRUE = 0.5, 0.7
"""A name is true of a group where it says what more than half of it is and so many of its own concepts occur there."""
OTHERS = "others"


@functools.cache
def _words() -> dict[str, Any]:
    return read_asset(WORDS_FILE, "the file of everyday words", "git checkout assets/taxonomy/words.json")


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name that people wrote: the group of the recommended hierarchy it is of, bool[1000], and what it stands for.

    `concepts` maps WordNet synsets ("bird.n.01") and classes ("coho") to the classes that are one or lie below one,
    bool[1000]; those of a "-concept" are meant to be left out.
    """

    text: str
    level: str
    group: np.ndarray
    concepts: Mapping[str, np.ndarray]

    @property
    def covers(self) -> np.ndarray:
        """The classes that the name speaks of, bool[1000]."""
        covered = np.zeros_like(self.group)
        for concept, classes in self.concepts.items():
            covered = covered & ~classes if concept.startswith("-") else covered | classes
        return covered


@functools.cache
def written_names() -> tuple[Name, ...]:
    """The written names of all groups of the recommended hierarchy, level by level in the order of its groups."""
    rows = read_asset(NAMES_FILE, "the file of the groups' names", "git checkout assets/taxonomy/names.json")
    tree, graph = load_hierarchy(DEFAULT), wordnet_graph()
    under, place = graph.ancestors, {key: i for i, key in enumerate(graph.keys)}

    def below(concept: str) -> np.ndarray:
        key = concept.removeprefix("-")
        if ".n." not in key:
            return np.arange(graph.n_classes) == class_of(key).index
        if key not in place:
            raise HierarchyError(f"{NAMES_FILE.name}: the classes have no concept {key!r}")
        return under[:, place[key]]

    return tuple(
        Name(row["name"], level, tree.level(level).assignment == g, {key: below(key) for key in row["covers"]})
        for level in rows
        for g, row in enumerate(rows[level])
    )


def left_out(level: HierarchyLevel, group: int) -> np.ndarray | None:
    """Members of a group that its name does not speak of, class indexes; None where nobody wrote the name."""
    name = next((name for name in written_names() if name.text == level.labels[group]), None)
    if name is None or level.assignment.size != name.group.size:
        return None
    members = level.members(group)
    return members[~name.covers[members]]


def name_groups(
    assignment: np.ndarray, names: Sequence[str], similarity: np.ndarray, *, graph: WordNetGraph | None = None
) -> tuple[str, ...]:
    """One label a group, all different.

    With the `graph` of the 1000 classes: the written name of a group that is mostly the same and of which that name is
    true; else hypernyms in everyday words (see `_hypernyms`), no word twice in a level. Groups of one or two classes, those
    that no words fit, and all groups where there is no `graph`, are named after their most typical classes: those most
    similar to the rest of their group by `similarity`[n, n]. Where labels would be equal, each adds two of these or more.
    """
    members = [np.flatnonzero(assignment == g) for g in range(int(assignment.max()) + 1)]
    typical = [[names[i] for i in _typical(m, similarity)] for m in members]
    plain = [", ".join(t[:MOST]) for t in typical]
    if graph is not None:
        plain = [listed(t if len(t) <= MOST else [*t[:2], OTHERS]) for t in typical]
        written = {g: text for g, m in enumerate(members) if (text := _written(m))}
        rest = {g: m for g, m in enumerate(members) if g not in written and len(m) > 2}
        for g, label in (written | _hypernyms(rest, graph)).items():
            plain[g] = label
    shared = Counter(plain)
    labels: list[str] = []
    for label, order in zip(plain, typical, strict=True):
        count, longer = 2, label
        while shared[label] > 1 and (longer == label or longer in labels) and count <= len(order) + 1:
            longer = f"{label} ({', '.join(order[:count])})"
            count += 1
        labels.append(longer)
    return tuple(labels)


def listed(words: Sequence[str]) -> str:
    """Words as people list them.

    >>> listed(["cats"]), listed(["tools", "dishes", "instruments"]), listed(["sharks & rays", "fish"])
    ('cats', 'tools, dishes & instruments', 'sharks & rays, fish')
    """
    *first, last = words
    return ", ".join(words) if not first or "&" in "".join(words) else f"{', '.join(first)} & {last}"


def _written(members: np.ndarray) -> str | None:
    """The written name of the group that shares most, and more than half, of both with `members`, if it is true of these."""
    inside = np.isin(np.arange(len(written_names()[0].group)), members)
    name = max(written_names(), key=lambda name: _overlap(name.group, inside))
    if _overlap(name.group, inside) <= HALF or name.covers[members].mean() <= HALF:
        return None
    occur = np.mean([classes[members].any() for classes in name.concepts.values()])
    return name.text if occur > TRUE else None


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def _typical(members: np.ndarray, similarity: np.ndarray) -> list[int]:
    """Members of a group, most similar to the others first; ties by index."""
    inside = similarity[np.ix_(members, members)].mean(1)
    return members[np.argsort(-np.round(inside, 9), kind="stable")].tolist()


def _hypernyms(groups: Mapping[int, np.ndarray], graph: WordNetGraph) -> dict[int, str]:
    """Groups in up to three everyday words for hypernyms each; those that none fits are left out.

    A hypernym is worth, to a group, (members newly covered) × (share of its classes that lie in the group). The dearest of
    all groups is chosen, and its word belongs to that group alone, until three quarters of every group are covered.
    "& others" says that words cover less than half.
    """
    under = graph.ancestors
    plain, wide = _words()["plain"], frozenset(_words()["wide"])
    vocabulary = np.array(
        [plain.get(k) or plain.get(v) or plural(v) for k, v in zip(graph.keys, graph.labels, strict=True)]
    )
    free = np.array([key.split(".")[0] not in wide for key in graph.keys])
    free[: graph.n_classes] = False
    order = np.lexsort((graph.rank, -graph.min_depth))  # of equals the deepest
    left = {g: np.ones(len(members), bool) for g, members in groups.items()}
    chosen: dict[int, list[int]] = {g: [] for g in groups}

    def offer(g: int) -> tuple[float, int]:
        members = groups[g]
        gain = under[members[left[g]]].sum(0)
        share = under[members].sum(0) / np.maximum(under.sum(0), 1)
        worth = np.where(free & (gain >= max(2, SHARE * len(members))), gain * share, 0.0).round(9)
        best = int(order[worth[order].argmax()])
        waits = len(chosen[g]) < MOST and left[g].mean() > 1 - COVERED
        return (float(worth[best]), best) if waits else (0.0, best)

    offers = {g: offer(g) for g in groups}
    while offers and max(offers.values())[0] > 0:
        g = max(offers, key=lambda g: (offers[g][0], -g))
        best = offers[g][1]
        chosen[g].append(best)
        left[g] &= ~under[groups[g], best]
        free &= vocabulary != vocabulary[best]
        offers = {h: old if h != g and free[old[1]] else offer(h) for h, old in offers.items()}
    labels = {}
    for g, nodes in chosen.items():
        words = [
            f"other {vocabulary[s]}" if any(graph.distance[c, s] < FAR for c in nodes[:i]) else str(vocabulary[s])
            for i, s in enumerate(nodes)
        ]
        if words:
            labels[g] = listed(words if left[g].mean() < HALF else [*words, OTHERS])
    return labels


def plural(word: str) -> str:
    """The plural of an English noun as far as names of groups need it.

    >>> [plural(word) for word in ("dog", "finch", "fly", "fox", "game fish", "knife")]
    ['dogs', 'finches', 'flies', 'foxes', 'game fish', 'knives']
    """
    if word.endswith((*_words()["same"], "clothing", "equipment", "gear", "ware")):
        return word
    for end, ends in (("wolf", "wolves"), ("knife", "knives"), ("scarf", "scarves"), ("mouse", "mice"), ("man", "men")):
        if word.endswith(end):
            return word.removesuffix(end) + ends
    if word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"

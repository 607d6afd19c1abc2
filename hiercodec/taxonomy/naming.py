"""Names for groups that a person understands: hypernyms that cover a group, told apart by typical classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hiercodec.taxonomy.wordnet import WordNetGraph

_WIDE = (
    "entity physical_entity abstraction matter object whole artifact instrumentality unit thing causal_agent organism "
    "living_thing substance relation part causal_agency natural_object psychological_feature attribute measure group "
    "communication way creation article commodity equipment chordate instrumentation implement collection "
    "consumer_goods conveyance durables shaped geological_formation food solid "
)
TOO_WIDE = frozenset(_WIDE.split())
"""First lemmas that say nothing about a group, or less than two narrower words do."""

PLAIN = {
    "placental": "mammal",
    "vertebrate": "vertebrate animal",
    "ungulate": "hoofed mammal",
    "even-toed ungulate": "hoofed mammal",
    "aquatic vertebrate": "fish",
    "diapsid": "reptile",
    "saurian": "lizard",
    "oscine": "songbird",
    "passerine": "songbird",
    "aquatic bird": "water bird",
    "gallinaceous bird": "fowl",
    "decapod crustacean": "crab or lobster",
    "foodstuff": "food",
    "nutriment": "dish",
    "self-propelled vehicle": "motor vehicle",
    "wheeled vehicle": "vehicle",
    "self-propelled": "motor vehicle",
    "covering": "covering",
    "structure": "building",
    "clothing": "clothing",
    "canine": "dog or wolf",
    "feline": "cat",
    "musteline mammal": "weasel",
    "anthropoid": "monkey",
    "procyonid": "raccoon or panda",
    "pachyderm": "elephant",
    "mechanism": "mechanism",
}
"""Everyday words for lemmas that only a zoologist or a lexicographer uses."""


def name_groups(
    assignment: np.ndarray,
    graph: WordNetGraph,
    class_names: Sequence[str],
    *,
    similarity: np.ndarray | None = None,
    words: int = 2,
) -> tuple[str, ...]:
    """One label a group, all different.

    A label joins at most three hypernyms, chosen greedily by (members newly covered) · √(share of the hypernym's
    classes that lie in the group); groups of one or two classes take the class names. Where labels would be equal, each
    gets its `words` most typical classes in brackets: those with the largest mean `similarity`[n, n] (default: shared
    hypernyms) inside their group.
    """
    k = int(assignment.max()) + 1
    under = graph.ancestors  # [n, nodes]
    member = assignment[:, None] == np.arange(k)  # [n, k]
    allowed = np.array([key.split(".")[0] not in TOO_WIDE for key in graph.keys])
    if similarity is None:
        similarity = (under.astype(np.float32) @ under.T.astype(np.float32)).astype(np.float64)
    typical = [_typical(np.flatnonzero(member[:, g]), similarity) for g in range(k)]
    plain = [
        _hypernyms(member[:, g], under, allowed, graph)
        if member[:, g].sum() > 2
        else ", ".join(class_names[i] for i in np.flatnonzero(member[:, g]))
        for g in range(k)
    ]
    shared = Counter(plain)
    labels: list[str] = []
    for g, label in enumerate(plain):
        if shared[label] > 1:
            count = words
            while True:
                longer = f"{label} ({', '.join(class_names[i] for i in typical[g][:count])})"
                if longer not in labels or count >= len(typical[g]):
                    break
                count += 1
            label = longer
        labels.append(label)
    return tuple(labels)


def _typical(members: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Members of a group, most similar to the others first; ties by index."""
    inside = similarity[np.ix_(members, members)].mean(1)
    return members[np.argsort(-np.round(inside, 9), kind="stable")]


def _hypernyms(group: np.ndarray, under: np.ndarray, allowed: np.ndarray, graph: WordNetGraph) -> str:
    """Greedy cover of a group by hypernyms: at most three, each adding an eighth of the group, until 3/4 is covered."""
    total = under.sum(0)
    precision = (under & group[:, None]).sum(0) / np.maximum(total, 1)
    left = group.copy()
    chosen: list[str] = []
    while len(chosen) < 3 and left.sum() > 0.25 * group.sum():
        gain = (under & left[:, None]).sum(0)
        score = np.where(allowed & (gain > 1), gain * np.sqrt(precision), -1.0)
        best = min(
            range(len(score)), key=lambda s: (-round(float(score[s]), 9), -int(graph.min_depth[s]), graph.keys[s])
        )
        if score[best] <= 0 or (chosen and gain[best] < group.sum() / 8):
            break
        word = PLAIN.get(graph.labels[best], graph.labels[best])
        if word not in chosen:
            chosen.append(word)
        left &= ~under[:, best]
    if not chosen:  # nothing narrower than "artifact" holds two of them: name the classes
        members = np.flatnonzero(group)
        return ", ".join(graph.labels[i] for i in members[:3])
    return ", ".join(chosen)

"""Names for groups that a person understands: hypernyms that cover a group, told apart by typical classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hiercodec.taxonomy.wordnet import WordNetGraph

_WIDE = (
    "entity physical_entity abstraction matter object whole artifact instrumentality unit thing causal_agent organism "
    "living_thing substance relation part causal_agency natural_object psychological_feature attribute measure group "
    "communication way creation article commodity equipment chordate instrumentation implement collection solid food "
    "consumer_goods conveyance durables shaped geological_formation vertebrate tube strip nutriment foodstuff "
    "public_transport domestic_animal plant_part plant_organ reproductive_structure craft line aquatic_vertebrate "
    "protective_covering cloth_covering system support covering device top instrument"
)
TOO_WIDE = frozenset(_WIDE.split())
"""First lemmas that say nothing about a group, or less than two narrower words do."""

PLAIN = {
    "placental": "mammal",
    "ungulate": "hoofed mammal",
    "even-toed ungulate": "hoofed mammal",
    "odd-toed ungulate": "hoofed mammal",
    "diapsid": "reptile",
    "saurian": "lizard",
    "oscine": "songbird",
    "passerine": "songbird",
    "aquatic bird": "water bird",
    "anseriform bird": "waterfowl",
    "gallinaceous bird": "fowl",
    "decapod crustacean": "crab or lobster",
    "self-propelled vehicle": "motor vehicle",
    "wheeled vehicle": "vehicle",
    "structure": "building",
    "canine": "dog or wolf",
    "feline": "cat",
    "musteline mammal": "weasel",
    "anthropoid": "monkey",
    "procyonid": "raccoon or panda",
    "pachyderm": "elephant",
    "lepidopterous insect": "butterfly",
    "garment": "clothing",
    "attire": "clothing",
    "furnishing": "furniture",
    "white goods": "appliance",
    "home appliance": "appliance",
    "mercantile establishment": "shop",
    "place of business": "shop",
    "establishment": "shop",
    "produce": "fruit or vegetable",
    "edible fruit": "fruit",
    "teleost fish": "fish",
    "bony fish": "fish",
    "elasmobranch": "shark or ray",
    "headdress": "headgear",
    "footwear": "shoe",
    "vessel.n.02": "ship",
    "vessel.n.03": "container",
    "sports equipment": "sports gear",
    "game equipment": "game gear",
    "obstruction": "barrier",
    "neckwear": "tie",
    "piece of cloth": "cloth",
    "natural elevation": "mountain",
    "starches": "starchy food",
    "restraint": "fastener",
}
"""Everyday words for lemmas (or synsets) that only a zoologist or a lexicographer uses."""

COVERED, SHARE, MOST = 0.75, 0.08, 3


def name_groups(
    assignment: np.ndarray,
    names: Sequence[str],
    similarity: np.ndarray,
    *,
    graph: WordNetGraph | None = None,
    words: int = 2,
) -> tuple[str, ...]:
    """One label a group, all different.

    A label joins up to three hypernyms, chosen greedily by (members newly covered) × (share of the hypernym's classes
    that lie in the group) until three quarters are covered; groups of one or two classes, and all groups where there is
    no `graph`, are named after their classes. Where labels would be equal, each adds its `words` most typical classes in
    brackets: those most similar to the rest of their group by `similarity`[n, n].
    """
    members = [np.flatnonzero(assignment == g) for g in range(int(assignment.max()) + 1)]
    typical = [_typical(m, similarity) for m in members]
    if graph is None:
        plain = [", ".join(names[i] for i in t[:MOST]) for t in typical]
    else:
        plain = [
            _hypernyms(m, graph) or ", ".join(names[i] for i in t[:MOST]) for m, t in zip(members, typical, strict=True)
        ]
        plain = [p if len(m) > 2 else ", ".join(names[int(i)] for i in m) for p, m in zip(plain, members, strict=True)]
    shared = Counter(plain)
    labels: list[str] = []
    for label, order in zip(plain, typical, strict=True):
        count = words
        longer = label
        while shared[label] > 1 and (longer == label or longer in labels) and count <= len(order) + 1:
            longer = f"{label} ({', '.join(names[i] for i in order[:count])})"
            count += 1
        labels.append(longer)
    return tuple(labels)


def _typical(members: np.ndarray, similarity: np.ndarray) -> list[int]:
    """Members of a group, most similar to the others first; ties by index."""
    inside = similarity[np.ix_(members, members)].mean(1)
    return members[np.argsort(-np.round(inside, 9), kind="stable")].tolist()


def _hypernyms(members: np.ndarray, graph: WordNetGraph) -> str:
    """A greedy cover of the group by hypernyms, in words; "" where no allowed hypernym holds two members."""
    under = graph.ancestors
    total = under.sum(0)
    allowed = np.array([key.split(".")[0] not in TOO_WIDE for key in graph.keys])
    allowed[: graph.n_classes] = False
    precision = under[members].sum(0) / np.maximum(total, 1)
    left = np.ones(len(members), bool)
    chosen: list[int] = []
    words: list[str] = []
    while len(words) < MOST and left.mean() > 1 - COVERED:
        gain = under[members[left]].sum(0)
        score = np.where(allowed & (gain >= max(2, SHARE * len(members))), gain * precision, -1.0)
        best = min(
            range(len(score)), key=lambda s: (-round(float(score[s]), 9), -int(graph.min_depth[s]), graph.keys[s])
        )
        if score[best] <= 0:
            break
        word = PLAIN.get(graph.keys[best]) or PLAIN.get(graph.labels[best], graph.labels[best])
        if any(graph.distance[c, best] < 32000 for c in chosen):
            word = f"other {word}"  # the narrower word came first
        if not any(word.removeprefix("other ") in earlier.split(" or ") for earlier in words):
            words.append(word)
        chosen.append(best)
        left &= ~under[members, best]
    return ", ".join(words)

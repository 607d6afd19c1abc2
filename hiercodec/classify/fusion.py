"""Label and pixels as one answer: what a file's label says of the groups, times what a classifier sees. numpy only.

*Label*: it names a group a level and how likely each is right. The classes of such a group share its probability, and
what a narrower group leaves of it goes evenly to its other classes (`label_classes`); summed, that is a probability for
every group y of a level. *Pixels*: a classifier's probabilities of the same groups, of the pixels that have arrived. Both
speak of one photograph, so they are pooled log-linearly (Genest and Zidek, Combining Probability Distributions,
1986), with weights:

    fused(y) ∝ label(y)^a · pixels(y)^(b + c·log share)

With a = b = 1 and c = 0 this is Bayes' rule for two witnesses who err independently and a uniform prior. They do not quite:
a photograph that is hard for one is hard for the other, and a classifier is too sure of the first bytes of a file (`share`
is how much of it has come). The weights of a level are in `assets/fusion.json`, fitted to training photographs by
`python -m tools.assets fusion`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hiercodec.classify.catalog import architecture_of
from hiercodec.errors import ClassifierNotFound
from hiercodec.fsio import locate

FITTED = locate("fusion.json")

SUREST = 0.99
"""No group is surer than this of what the group before it holds: the most that a label can say."""

FLOOR = 1e-6
"""Probabilities below this count as this: a witness who rules a group out altogether could never be corrected."""


class Pool(NamedTuple):
    """The weights of a level: a of the label, b of the pixels, c of that by the log of the share of the file."""

    label: float = 1.0
    pixels: float = 1.0
    by_share: float = 0.0


INDEPENDENT = Pool()
"""Bayes' rule for witnesses who err independently: what a level has for which no weights were fitted."""


def label_classes(label: Sequence[tuple[int, float]], levels: Sequence[np.ndarray]) -> np.ndarray:
    """float64[classes], sums to 1: what (group, how likely it is right) a level, coarse first, says of every class.

    `levels` are the group numbers of every class, int[classes]. The classes that all groups so far have in common keep the
    last one's probability, and none of more than `SUREST` of what the one before had; the rest of that is spread evenly
    over the classes that fell away. Levels that the label does not hold are even.

    >>> label_classes([(0, 0.8), (1, 0.6)], [np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4])]).round(3).tolist()
    [0.1, 0.6, 0.1, 0.1, 0.1]
    """
    possible, left = np.ones(len(levels[0]), bool), 1.0
    mass = np.full(len(possible), 1 / len(possible))
    for (group, confidence), level in zip(label, levels, strict=False):
        inside = possible & (level == group)
        outside = possible & ~inside
        if not outside.any():
            continue
        kept = min(confidence, SUREST * left)
        mass[outside], left = (left - kept) / outside.sum(), kept
        mass[inside], possible = kept / inside.sum(), inside
    return mass


def fuse(
    label: np.ndarray, pixels: np.ndarray, pool: Pool = INDEPENDENT, share: float | np.ndarray = 1.0
) -> np.ndarray:
    """Fused probabilities float64[..., k], of those by label and pixels [..., k], and the share of the file [...], 0…1.

    >>> fuse(np.array([0.5, 0.5]), np.array([0.8, 0.2])).round(3).tolist()  # the label says nothing: as the pixels
    [0.8, 0.2]
    >>> fuse(np.array([0.8, 0.2]), np.array([0.8, 0.2])).round(3).tolist()  # both agree: surer than either
    [0.941, 0.059]
    """
    weight = pool.pixels + pool.by_share * np.log(np.clip(share, 1e-3, 1))
    z = pool.label * log(label) + np.asarray(weight)[..., None] * log(pixels)
    mass = np.exp(z - z.max(-1, keepdims=True))
    return mass / mass.sum(-1, keepdims=True)


def pools_of(labeller: str, viewer: str, hierarchy: str) -> Mapping[str, Pool]:
    """Level → the weights fitted for a label that `labeller` made and pixels that `viewer` sees; empty where none were."""
    fitted = _fitted()
    if fitted.get("labeller") != labeller or fitted.get("hierarchy") != hierarchy:
        return {}
    levels = fitted["viewers"].get(architecture_of(viewer), {})
    return {level: Pool(*row["pool"]) for level, row in levels.items()}


@lru_cache(maxsize=1)
def _fitted() -> dict:
    if not FITTED.is_file():
        return {}
    try:
        return json.loads(FITTED.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClassifierNotFound(
            f"{FITTED.name} is damaged ({error}); python -m tools.assets fusion makes it anew"
        ) from None


def log(p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(p, np.float64), FLOOR))

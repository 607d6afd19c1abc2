"""Table 1 of the paper beside ours: WUP inside and between groups, balance, nesting; the authors' CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import class_of, classes
from hiercodec.taxonomy.cluster import canonical
from hiercodec.taxonomy.hierarchy import Hierarchy
from hiercodec.taxonomy.measures import ami, ari, balance, nesting, separation
from hiercodec.taxonomy.similarity import wup_matrix

PUBLISHED = {
    "CLIP clusters": {"k": 10, "intra": 0.583, "inter": 0.426, "gap": 0.157},
    "WordNet depth-cut": {"k": 10, "intra": 0.472, "inter": 0.270, "gap": 0.202},
}
"""Table 1 of the paper (arXiv 2605.08266)."""

GOLDEN = (("vulture", "airliner", 0.320), ("vulture", "black grouse", 0.769), ("vulture", "kite", 0.880))
"""Fig. 6 of the paper: two classes and their WUP."""

PAPER_FILES = {10: "cluster_assignments_clip_K10.csv", 100: "cluster_assignments_clip_K100.csv"}
"""The authors' published clusters, read from a folder the user names."""


def level_rows(groupings: Mapping[str, Mapping[str, np.ndarray]], *, measure: str = "nltk") -> list[dict[str, Any]]:
    """One row for each hierarchy and level: K, WUP intra, inter and gap, largest group, its share, entropy, singletons."""
    similarity = wup_matrix(measure)
    rows = []
    for name, levels in groupings.items():
        for level, groups in levels.items():
            apart, even = separation(groups, similarity), asdict(balance(groups))
            split = {"k": even.pop("k"), "intra": apart.intra, "inter": apart.inter, "gap": apart.gap, **even}
            rows.append({"hierarchy": name, "level": level, **{key: _number(value) for key, value in split.items()}})
    return rows


def agreement_rows(a: Hierarchy, b: Hierarchy) -> list[dict[str, Any]]:
    """Every group level of `a` beside every one of `b`: ARI and AMI, 0 at chance and 1 where equal, over the `n` classes.

    The classes are all there are, no sample of more, so there is no interval. `HierarchyError` for other classes.
    """
    if a.levels[-1].labels != b.levels[-1].labels:
        raise HierarchyError(f"{a.name!r} and {b.name!r} are of different classes")
    return [
        {
            "level of A": upper.name, "k of A": upper.k, "level of B": lower.name, "k of B": lower.k,
            "ari": _number(ari(upper.assignment, lower.assignment)),
            "ami": _number(ami(upper.assignment, lower.assignment)),
            "n": a.n_classes,
        }
        for upper in a.levels[:-1]
        for lower in b.levels[:-1]
    ]  # fmt: skip


def groupings_of(hierarchies: Iterable[Hierarchy]) -> dict[str, dict[str, np.ndarray]]:
    """Name → level → assignment, without the class level."""
    return {h.name: {level.name: level.assignment for level in h.levels[:-1]} for h in hierarchies}


def nesting_rows(hierarchies: Iterable[Hierarchy]) -> list[dict[str, Any]]:
    """One row a level below the top and above the classes: how many of its groups lie inside one group above."""
    return [
        {"hierarchy": h.name, **asdict(n), "purity": _number(n.purity)} for h in hierarchies for n in nesting(h)[:-1]
    ]


def golden_rows() -> list[dict[str, Any]]:
    """The WUP values of Fig. 6, ours beside the paper's."""
    matrix = wup_matrix()
    return [
        {"a": a, "b": b, "wup": _number(matrix[class_of(a).index, class_of(b).index]), "paper": value}
        for a, b, value in GOLDEN
    ]


def paper_groupings(folder: str | Path) -> dict[str, np.ndarray]:
    """The authors' clusters (level → assignment) from their CSV files, or {} where the folder has none."""
    names = {10: "coarse", 100: "intermediate"}
    paths = {names[k]: Path(folder) / file for k, file in PAPER_FILES.items()}
    return {level: read_clusters_csv(path) for level, path in paths.items() if path.is_file()}


def read_clusters_csv(path: str | Path) -> np.ndarray:
    """Assignment int64[1000] of a CSV with the columns wnid and cluster_id, one row a class in any order."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HierarchyError(f"cannot read {path}: {error}") from None
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or not {"wnid", "cluster_id"} <= rows[0].keys():
        raise HierarchyError(f"{path}: expected the columns wnid and cluster_id")
    cluster = {row["wnid"]: row["cluster_id"] for row in rows}
    missing = [c.wnid for c in classes() if not cluster.get(c.wnid)]
    if missing:
        raise HierarchyError(f"{path}: {len(missing)} classes are missing, the first is {missing[0]}")
    _, groups = np.unique([cluster[c.wnid] for c in classes()], return_inverse=True)
    return canonical(groups)


def _number(value: float) -> float | None:
    """To six decimals, whole numbers as they are; None for none."""
    return value if isinstance(value, int) else None if np.isnan(value) else round(float(value), 6)

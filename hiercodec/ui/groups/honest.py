"""What the groups of a hierarchy hold that does not belong there, said with computed figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy, HierarchyLevel, measures
from hiercodec.taxonomy.measures import ODD_MARGIN, Odd
from hiercodec.ui.groups import shared

PLAIN, MENDED = "consensus", "consensus-mended"
COUNTS = (
    "An answer that names this group counts as right for them too: right means the group that the hierarchy puts a class "
    "in, not the one that WordNet would."
)


def odd(tree: Hierarchy, level: HierarchyLevel) -> list[Odd]:
    """Odd members of all groups of a level of the 1000 classes, oddest first."""
    return [row for row in _nearer(tree.digest, level.name, level.assignment) if row.margin > ODD_MARGIN]


@st.cache_data(max_entries=64, show_spinner=False)
def _nearer(digest: str, level: str, _assignment: np.ndarray) -> list[Odd]:
    return measures.odd_members(_assignment, shared.wup("nltk"), margin=0.0)


def nearer_elsewhere(tree: Hierarchy, level: HierarchyLevel, group: int) -> list[Odd]:
    """Members of one group that are nearer to another by any margin, the odd ones first."""
    return [row for row in _nearer(tree.digest, level.name, level.assignment) if row.group == group]


def odd_rows(rows: Sequence[Odd], level: HierarchyLevel) -> list[dict[str, Any]]:
    """The same as rows of a table."""
    return [
        {
            "class": taxonomy.classes()[row.index].name,
            "nearer to": level.labels[row.nearer],
            "by (WUP)": round(row.margin, 2),
        }
        for row in rows
    ]


def group_sentence(rows: Sequence[Odd], size: int, level: HierarchyLevel) -> str:
    """How many members of a group belong elsewhere by WordNet (`nearer_elsewhere`), and what that means for an answer."""
    if not rows:
        return f"By WordNet (WUP) no class in here is nearer to another {spoken(level.name)}."
    count = sum(row.margin > ODD_MARGIN for row in rows)
    return (
        f"**Odd members: {count}** of {size} are nearer to another {spoken(level.name)} by WUP, by more than {ODD_MARGIN}; "
        f"{len(rows) - count} more by less. {COUNTS}"
    )


def level_sentence(tree: Hierarchy) -> str:
    """How many classes are odd at each level above the classes."""
    shares = [f"{len(odd(tree, level)) / tree.n_classes:.1%} at {level.k} {shared.plural(level.name)}"
              for level in tree.levels[:-1]]  # fmt: skip
    return (
        f"**Odd members.** By WordNet some classes are nearer to another group than to their own (WUP, by more than "
        f"{ODD_MARGIN}): {', '.join(shares)}. An answer that names their group counts as right all the same. Choose a "
        "group to see which they are."
    )

"""What the groups of a hierarchy hold that does not belong there, said with computed figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy, HierarchyLevel, measures
from hiercodec.taxonomy.hierarchy_file import DEFAULT
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


def judged(level: Mapping[str, Any], name: str) -> float | None:
    """Mean ARI of a consensus to the k-means runs that it has not seen; None where the report lacks it."""
    if name == PLAIN:
        return float(np.mean(level["consensus"]))
    found = level["references"].get(name)
    return float(np.mean(found["judges"])) if found else None


def choice_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Both figures by which the default is chosen, at every K of the stability report: odd members, agreement with runs."""
    rows = []
    for k, level in report["levels"].items():
        for name in (PLAIN, MENDED):
            tree = shared.get(name)
            at = next((lv for lv in tree.levels if lv.k == int(k)), None)
            agreement = judged(level, name)
            if at is not None and agreement is not None:
                rows.append(
                    {
                        "groups": int(k),
                        "hierarchy": shared.title(name),
                        "odd members (%)": round(100 * len(odd(tree, at)) / tree.n_classes, 1),
                        "ARI to unseen runs": round(agreement, 3),
                        "ARI of single runs": round(level["summary"]["all single runs"]["mean"], 3),
                    }
                )
    return rows


def choice_sentence(report: Mapping[str, Any]) -> str:
    """Which of the two consensus trees to use and why, from `choice_rows`; "" where one of them is missing."""
    rows = choice_rows(report)
    pairs = [(a, b) for a, b in zip(rows[::2], rows[1::2], strict=False) if a["groups"] == b["groups"]]
    if not pairs:
        return ""
    parts = [
        f"at {a['groups']} groups **{a['odd members (%)']} → {b['odd members (%)']} %** odd members, ARI to runs that "
        f"neither has seen **{a['ARI to unseen runs']:.3f} → {b['ARI to unseen runs']:.3f}** (single runs among "
        f"themselves {a['ARI of single runs']:.3f})"
        for a, b in pairs
    ]
    fewer = all(b["odd members (%)"] < a["odd members (%)"] for a, b in pairs)
    steady = all(b["ARI to unseen runs"] >= b["ARI of single runs"] for _, b in pairs)
    verdict = {
        (True, True): "Mending leaves fewer odd members and is no less stable than single runs.",
        (True, False): "Mending leaves fewer odd members, but is less stable than single runs.",
        (False, True): "Mending keeps the groups stable, but does not leave fewer odd members at every level.",
        (False, False): "Mending gains nothing here.",
    }[fewer, steady]
    return (
        f"**Plain or mended?** {shared.title(MENDED)} moves a class where WordNet disagrees and the embeddings hardly "
        f"care: {'; '.join(parts)}. {verdict} (How far to mend was chosen by odd members "
        f"too, and nobody was asked what the groups mean to them.) The app opens with {shared.title(DEFAULT)}."
    )

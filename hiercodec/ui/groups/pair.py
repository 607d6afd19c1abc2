"""Two hierarchies of the visitor's choice: which groups share classes, how alike they are, and who changes company."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.figures import agreement as figures
from hiercodec.taxonomy import Hierarchy, HierarchyLevel, measures
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared

DEGREES = (
    (0.999, "the same"),
    (0.7, "much alike"),
    (0.4, "partly alike"),
    (0.15, "weakly alike"),
    (-2.0, "hardly alike"),
)


def draw() -> None:
    """Contingency, agreement, and the classes whose companions change most."""
    with chrome.controls():
        a = shared.pick("Rows", key="rows", default="wordnet", imagenet_only=True, width=300)
        b = shared.pick("Columns", key="columns", imagenet_only=True, width=300)
        depth = st.segmented_control(
            "Level", ["kinds", "families"], default="kinds", required=True, key="at", bind="query-params"
        )
    one, two = (h.levels[min(depth == "families", len(h.levels) - 2)] for h in (a, b))
    counts = measures.contingency(one.assignment, two.assignment)
    order = measures.barycentre_order(counts)
    left, right = (
        [f"{label} ({n})" for label, n in zip(level.labels, level.sizes, strict=True)] for level in (one, two)
    )
    ari, ami = (score(one.assignment, two.assignment) for score in (measures.ari, measures.ami))
    st.markdown(agreement_sentence(ari, ami, one, two))
    fig = figures.contingency_map(
        counts[:, order],
        left,
        [right[i] for i in order],
        y=shared.title(a.name),
        x=shared.title(b.name),
        mode=chrome.mode(),
    )
    alt = f"How many classes lie in each pair of groups; ARI {ari:.2f}"
    chrome.chart(fig, key=f"contingency_{counts.shape}", alt=alt, table=lambda: contingency_rows(counts, left, right))
    st.header("Which classes change company", anchor=False)
    kept = measures.company_shared(one.assignment, two.assignment)
    same = "Both sides are the same hierarchy: nobody moves. " if a.digest == b.digest else ""
    st.markdown(
        f"{same}On average a class keeps **{kept.mean():.0%}** of its companions (shared companions over all companions, "
        "1 = the same company). Those that keep least come first."
    )
    st.dataframe(movers(a, b, one, two, kept), hide_index=True, width="stretch", height=360)
    chrome.footer({"rows": shared.title(a.name), "columns": shared.title(b.name)})


def agreement_sentence(ari: float, ami: float, one: HierarchyLevel, two: HierarchyLevel) -> str:
    """What an adjusted Rand index of two groupings means, in words."""
    degree = next(word for limit, word in DEGREES if ari >= limit)
    largest = max(measures.balance(level.assignment).largest_share for level in (one, two))
    text = (
        f"**What this shows.** The two groupings are {degree}: adjusted Rand index (ARI) **{ari:.2f}**, adjusted mutual "
        f"information (AMI) **{ami:.2f}**; 1 is the same, 0 is chance."
    )
    if largest > 0.5 and ari < 0.3:
        text += f" One of them keeps {largest:.0%} of the classes in a single group,"
        text += " so it cannot tell apart what the other does."
    return text


def contingency_rows(counts: np.ndarray, left: Sequence[str], right: Sequence[str]) -> list[dict[str, Any]]:
    """The cells that are not empty, largest first."""
    cells = [(int(counts[i, j]), i, j) for i, j in zip(*np.nonzero(counts), strict=True)]
    return [
        {"row": left[i], "column": right[j], "classes": n} for n, i, j in sorted(cells, key=lambda c: (-c[0], c[1:]))
    ]


def movers(
    a: Hierarchy, b: Hierarchy, one: HierarchyLevel, two: HierarchyLevel, kept: np.ndarray
) -> list[dict[str, Any]]:
    """Every class with its group on both sides, those that keep least of their company first."""
    return [
        {
            "class": taxonomy.classes()[i].name,
            f"in {shared.title(a.name)}": one.labels[one.assignment[i]],
            f"in {shared.title(b.name)}": two.labels[two.assignment[i]],
            "company kept": round(float(kept[i]), 3),
        }
        for i in sorted(range(len(kept)), key=lambda i: (kept[i], i))
    ]

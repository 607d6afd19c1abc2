"""Rows and sentences of the CLIP-versus-WordNet page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.taxonomy import Hierarchy, HierarchyLevel, cuts, ladder, measures, table
from hiercodec.ui.taxonomy import honest, shared

MEASURE_HELP = (
    "nltk: as NLTK computes it, the measure behind the paper's figures; eq1: the paper's Eq. 1 literally "
    "(longest paths, 1 for a class with itself)."
)
DEGREES = (
    (0.999, "the same"),
    (0.7, "much alike"),
    (0.4, "partly alike"),
    (0.15, "weakly alike"),
    (-2.0, "hardly alike"),
)
TABLE_WORDS = (
    "The paper's rows are as printed there (Table 1): WUP as NLTK computes it, mean over pairs, K = 10. Odd members are "
    "classes that are nearer to another group than to their own by WUP (as NLTK computes it), by more than "
    f"{measures.ODD_MARGIN}."
)
SCHEMES = ("k-means", "WordNet cut")


@st.cache_resource(max_entries=8, show_spinner=False)
def rungs(model: str) -> dict[int, np.ndarray]:
    """K → groups of one embedding, shared between sessions."""
    return ladder.load_ladder(model)


def ks(model: str) -> list[int]:
    """The numbers of groups that can be shown."""
    return list(rungs(model))


def pair(model: str, k: int) -> dict[str, np.ndarray]:
    """The two schemes at about K groups."""
    cut = cuts.depth_cut(cuts.depth_near(k))[0]
    return {
        f"k-means, {shared.model_title(model)} ({k} groups)": rungs(model)[k],
        f"WordNet cut ({int(cut.max()) + 1} groups)": cut,
    }


@st.cache_data(max_entries=64, show_spinner=False)
def curves(model: str, measure: str, average: str, what: str) -> dict[str, list[tuple[int, float]]]:
    """A column of `level_rows` against K for both schemes."""
    deep = [d for d, k in cuts.depth_sizes() if 2 <= k <= 400]
    groups = {
        SCHEMES[0]: {str(k): g for k, g in rungs(model).items()},
        SCHEMES[1]: {str(d): cuts.depth_cut(d)[0] for d in deep},
    }
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in groups}
    for row in table.level_rows(groups, measure=measure, average=average):
        if row[what] is not None:
            found[row["hierarchy"]].append((row["k"], row[what]))
    return found


def curve_rows(curves_: Mapping[str, Sequence[tuple[int, float]]]) -> list[dict[str, Any]]:
    return [{"scheme": name, "K": k, "value": value} for name, rows in curves_.items() for k, value in rows]


def size_rows(groupings: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Every group's size, largest first."""
    return [
        {"scheme": name, "rank": rank + 1, "classes": int(size)}
        for name, groups in groupings.items()
        for rank, size in enumerate(sorted(np.bincount(groups), reverse=True))
    ]


def share_rows(edges: np.ndarray, shares: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> list[dict[str, Any]]:
    """The histogram's numbers."""
    return [
        {"scheme": name, "WUP from": round(float(low), 3), "inside": round(float(i), 5), "between": round(float(b), 5)}
        for name, (inside, between) in shares.items()
        for low, i, b in zip(edges, inside, between, strict=False)
        if i or b
    ]


def table_rows(model: str, k: int, measure: str, average: str) -> list[dict[str, Any]]:
    """Ours beside the paper's Table 1."""
    rows = [
        {
            "scheme": f"{name}, paper",
            "groups": row["k"],
            **{c: row[c] for c in ("intra", "inter", "gap")},
            "largest group": "not given",
            "evenness": "not given",
            "odd members": "not given",
        }
        for name, row in table.PUBLISHED.items()
    ]
    groupings = {name: {"": groups} for name, groups in pair(model, k).items()}
    for name in (honest.PLAIN, honest.MENDED):
        for level in shared.shipped(name).levels[:-1]:
            groupings[f"{shared.title(name)}, {shared.plural(level.name)}"] = {"": level.assignment}
    for row in table.level_rows(groupings, measure=measure, average=average):
        odd = measures.odd_members(groupings[row["hierarchy"]][""], shared.wup("nltk"))
        entry = {"scheme": f"{row['hierarchy'].split(' (')[0]}, ours", "groups": row["k"]}
        entry |= {c: None if row[c] is None else round(row[c], 3) for c in ("intra", "inter", "gap")}
        entry |= {"largest group": f"{row['largest_share']:.0%}", "evenness": f"{row['entropy']:.2f}"}
        rows.append({**entry, "odd members": f"{len(odd) / 1000:.1%}"})
    return rows


def sizes_sentence(clip: np.ndarray, wordnet: np.ndarray) -> str:
    """What the sizes show."""
    a, b = measures.balance(clip), measures.balance(wordnet)
    text = (
        f"The largest of {a.k} k-means groups holds **{a.largest_share:.0%}** of the classes; "
        f"the largest of {b.k} WordNet groups holds **{b.largest_share:.0%}**"
    )
    text += f", and {b.singletons} of them hold a single class. " if b.singletons else ". "
    if b.largest_share > 0.5:
        return text + "A level on which nearly everything is one group says almost nothing: the cut has collapsed."
    if b.largest_share > 2 * a.largest_share:
        return text + "The cut is still far from even."
    return text + "At this K both are about as even."


def similarity_sentence(groupings: Mapping[str, np.ndarray], matrix: np.ndarray, average: str) -> str:
    """What the similarities show, with the caution they need."""
    clip, wordnet = (measures.separation(g, matrix, average) for g in groupings.values())
    return (
        f"**What this shows.** Two classes of one group are {clip.intra:.3f} alike for k-means and {wordnet.intra:.3f} for "
        f"the WordNet cut; of different groups {clip.inter:.3f} and {wordnet.inter:.3f}. The cut's gap "
        f"({wordnet.gap:.3f} against {clip.gap:.3f}) is {'larger' if wordnet.gap > clip.gap else 'smaller'}, but WUP is "
        "measured on WordNet itself, so the cut is judged by its own tree; and where one group holds nearly all classes, "
        "“between” means the few that are left over. Read the gap together with the sizes."
    )


def agreement_sentence(ari: float, one: HierarchyLevel, two: HierarchyLevel) -> str:
    """What an adjusted Rand index of two groupings means, in words."""
    degree = next(word for limit, word in DEGREES if ari >= limit)
    largest = max(measures.balance(level.assignment).largest_share for level in (one, two))
    text = f"**What this shows.** The two groupings are {degree} (ARI {ari:.2f})."
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


def movers(a: Hierarchy, b: Hierarchy, one: HierarchyLevel, two: HierarchyLevel) -> None:
    """The classes whose companions change most, searchable, to take away."""
    kept = measures.company_shared(one.assignment, two.assignment)
    find = st.text_input("Find a class", key="mover", bind="query-params", placeholder="any name or wnid", width=300)
    asked = [c.index for c in taxonomy.search(find, limit=100)] if find else None
    if asked == []:
        st.markdown("No class has this name, synonym or wnid.")
        return
    order = sorted(range(len(kept)) if asked is None else asked, key=lambda i: (kept[i], i))
    rows = [
        {
            "class": taxonomy.classes()[i].name,
            f"in {shared.title(a.name)}": one.labels[one.assignment[i]],
            f"in {shared.title(b.name)}": two.labels[two.assignment[i]],
            "company kept": round(float(kept[i]), 3),
        }
        for i in order
    ]
    if a.digest == b.digest:
        st.markdown("Both sides are the same hierarchy: nobody moves.")
    st.markdown(
        f"On average a class keeps **{kept.mean():.0%}** of its companions (shared companions over all companions, 1 = the "
        "same company). Those that keep least come first."
    )
    st.dataframe(rows[:200], hide_index=True, width="stretch", height=360)
    st.download_button(
        "All of them (CSV)",
        lambda: shared.csv_text(rows),
        "company.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )

"""CLIP against WordNet: k-means of class names and a cut through WordNet's tree, at as many groups each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.figures import agreement as figures
from hiercodec.taxonomy import cuts, measures, shipped, table
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared

TABLE_WORDS = (
    "The paper's rows are as printed there (Table 1): WUP as NLTK computes it, mean over pairs, K = 10. Odd members are "
    f"classes that are nearer to another group than to their own by WUP, by more than {measures.ODD_MARGIN}. By other "
    "means, or by the paper's Eq. 1 literally: `python -m hiercodec hierarchy table --help`."
)
SCHEMES = ("k-means", "WordNet cut")


def draw() -> None:
    """Sizes of the groups (the paper's Fig. 2), similarity (its Table 1), and both at every K."""
    with chrome.controls():
        known = shipped.ladder_names()
        model = chrome.menu("CLIP text embedding", "clip", known, format_func=shared.model_title, width=260)
        k = st.select_slider("Groups (K)", list(rungs(model)), value=10, key="k", bind="query-params", width=420)
        depth = cuts.depth_near(k)
        st.markdown(f"WordNet is cut at depth **{depth}**, where it has **{dict(cuts.depth_sizes())[depth]}** groups.")
    groups = pair(model, k)
    clip, wordnet = groups.values()
    st.markdown(sizes_sentence(clip, wordnet))
    left, right = st.columns(2)
    with left:
        alt = f"Group sizes: the largest of k-means holds {clip.max()}, that of the WordNet cut {wordnet.max()} classes"
        fig = figures.sizes({name: np.bincount(g) for name, g in groups.items()}, mode=chrome.mode())
        chrome.chart(fig, key="sizes", alt=alt, table=lambda: size_rows(groups))
    with right:
        alt = "Share of the largest group against K: the WordNet cut needs hundreds of groups where k-means needs ten"
        _against_k(model, k, "largest_share", "share of the largest group", alt)
    st.markdown(similarity_sentence(groups, wup_matrix()))
    left, right = st.columns([3, 2])
    with left:
        st.dataframe(table_rows(model, k), hide_index=True, width="stretch")
        st.caption(TABLE_WORDS)
    with right:
        _against_k(
            model, k, "gap", "gap: WUP inside − between", "WUP gap against K, for k-means and for the WordNet cut"
        )
    chrome.footer({"k-means": "seed 0, 4 starts", "WordNet": "3.0", "paper": "arXiv 2605.08266, Table 1 and Fig. 2"})


def _against_k(model: str, k: int, what: str, y: str, alt: str) -> None:
    found = curves(model, what)
    fig = figures.against_k(found, y=y, at=k, percent=what == "largest_share", mode=chrome.mode())
    chrome.chart(fig, key=what, alt=alt, table=lambda: curve_rows(found))


@st.cache_resource(max_entries=8, show_spinner=False)
def rungs(model: str) -> dict[int, np.ndarray]:
    """K → groups of one embedding, shared between sessions."""
    return shipped.load_ladder(model)


def pair(model: str, k: int) -> dict[str, np.ndarray]:
    """The two schemes at about K groups."""
    cut = cuts.depth_cut(cuts.depth_near(k))[0]
    return {
        f"k-means, {shared.model_title(model)} ({k} groups)": rungs(model)[k],
        f"WordNet cut ({int(cut.max()) + 1} groups)": cut,
    }


@st.cache_data(max_entries=16, show_spinner=False)
def curves(model: str, what: str) -> dict[str, list[tuple[int, float]]]:
    """A column of `level_rows` against K for both schemes."""
    deep = [d for d, k in cuts.depth_sizes() if 2 <= k <= 400]
    groups = {
        SCHEMES[0]: {str(k): g for k, g in rungs(model).items()},
        SCHEMES[1]: {str(d): cuts.depth_cut(d)[0] for d in deep},
    }
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in groups}
    for row in table.level_rows(groups):
        if row[what] is not None:
            found[row["hierarchy"]].append((row["k"], row[what]))
    return found


def curve_rows(curves_: Mapping[str, Sequence[tuple[int, float]]]) -> list[dict[str, Any]]:
    """The same as rows of a table."""
    return [{"scheme": name, "K": k, "value": value} for name, rows in curves_.items() for k, value in rows]


def size_rows(groupings: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Every group's size, largest first."""
    return [
        {"scheme": name, "rank": rank + 1, "classes": int(size)}
        for name, groups in groupings.items()
        for rank, size in enumerate(sorted(np.bincount(groups), reverse=True))
    ]


def table_rows(model: str, k: int) -> list[dict[str, Any]]:
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
    for name in (shared.PLAIN, shared.MENDED):
        for level in shared.get(name).levels[:-1]:
            groupings[f"{shared.title(name)}, {shared.plural(level.name)}"] = {"": level.assignment}
    for row in table.level_rows(groupings):
        odd = measures.odd_members(groupings[row["hierarchy"]][""], wup_matrix())
        entry = {"scheme": f"{row['hierarchy'].split(' (')[0]}, ours", "groups": row["k"]}
        entry |= {c: None if row[c] is None else round(row[c], 3) for c in ("intra", "inter", "gap")}
        entry |= {"largest group": f"{row['largest_share']:.0%}", "evenness": f"{row['entropy']:.2f}"}
        rows.append({**entry, "odd members": f"{len(odd) / 1000:.1%}"})
    return rows


def sizes_sentence(clip: np.ndarray, wordnet: np.ndarray) -> str:
    """What the sizes show."""
    a, b = measures.balance(clip), measures.balance(wordnet)
    text = (
        f"WordNet is a tree that people made; CLIP is a network that read the web. The largest of {a.k} k-means groups "
        f"holds **{a.largest_share:.0%}** of the classes; the largest of {b.k} WordNet groups holds "
        f"**{b.largest_share:.0%}**"
    )
    text += f", and {b.singletons} of them hold a single class. " if b.singletons else ". "
    if b.largest_share > 0.5:
        return text + "A level on which nearly everything is one group says almost nothing: the cut has collapsed."
    if b.largest_share > 2 * a.largest_share:
        return text + "The cut is still far from even."
    return text + "At this K both are about as even."


def similarity_sentence(groupings: Mapping[str, np.ndarray], matrix: np.ndarray) -> str:
    """What the similarities show, with the caution they need."""
    clip, wordnet = (measures.separation(g, matrix) for g in groupings.values())
    return (
        f"**What this shows.** Two classes of one group are {clip.intra:.3f} alike for k-means and {wordnet.intra:.3f} for "
        f"the WordNet cut; of different groups {clip.inter:.3f} and {wordnet.inter:.3f}. The cut's gap "
        f"({wordnet.gap:.3f} against {clip.gap:.3f}) is {'larger' if wordnet.gap > clip.gap else 'smaller'}, but WUP is "
        "measured on WordNet itself, so the cut is judged by its own tree; and where one group holds nearly all classes, "
        "“between” means the few that are left over. Read the gap together with the sizes."
    )

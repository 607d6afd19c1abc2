"""CLIP versus WordNet: two ways to group the classes, by size, by similarity, and side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.figures import agreement as figures
from hiercodec.taxonomy import cuts, measures
from hiercodec.taxonomy.ladder import ladder_names
from hiercodec.ui.frame import chrome
from hiercodec.ui.taxonomy import shared, versus

EDGES = np.linspace(0, 1, 41)


def sizes(model: str, k: int) -> None:
    """Fig. 2 of the paper at any K: how the classes spread over the groups."""
    pair = versus.pair(model, k)
    clip, wordnet = pair.values()
    st.markdown(versus.sizes_sentence(clip, wordnet))
    alt = f"Group sizes: the largest of k-means holds {clip.max()}, that of the WordNet cut {wordnet.max()} classes"
    fig = figures.sizes({name: np.bincount(g) for name, g in pair.items()}, mode=chrome.mode())
    chrome.chart(fig, key="sizes", alt=alt, table=lambda: versus.size_rows(pair))
    curves = versus.curves(model, "nltk", "pairs", "largest_share")
    fig = figures.against_k(curves, y="share of the largest group", at=k, percent=True, mode=chrome.mode())
    alt = "Share of the largest group against K: the WordNet cut needs hundreds of groups where k-means needs ten"
    chrome.chart(fig, key="largest", alt=alt, table=lambda: versus.curve_rows(curves))


def similarity(model: str, k: int) -> None:
    """Table 1 beside the paper's, the gap at every K, and how WUP is distributed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = st.segmented_control(
            "WUP as",
            ["nltk", "eq1"],
            default="nltk",
            required=True,
            key="measure",
            bind="query-params",
            help=versus.MEASURE_HELP,
        )
        average = st.segmented_control(
            "Mean over", ["pairs", "clusters"], default="pairs", required=True, key="average", bind="query-params",
            help="The paper weights every pair of classes alike; “clusters” lets every group count once.",
        )  # fmt: skip
    st.dataframe(versus.table_rows(model, k, measure, average), hide_index=True, width="stretch")
    st.caption(versus.TABLE_WORDS)
    pair = versus.pair(model, k)
    matrix = shared.wup(measure)
    shares = {name: measures.similarity_shares(g, matrix, EDGES) for name, g in pair.items()}
    fig = figures.similarity_curves(EDGES, shares, mode=chrome.mode())
    alt = "Distribution of WUP inside and between groups, for k-means and for the WordNet cut"
    chrome.chart(fig, key="wup", alt=alt, table=lambda: versus.share_rows(EDGES, shares))
    curves = versus.curves(model, measure, average, "gap")
    fig = figures.against_k(curves, y="gap: WUP inside − between", at=k, mode=chrome.mode())
    chrome.chart(fig, key="gap", alt="WUP gap against K", table=lambda: versus.curve_rows(curves))
    st.markdown(versus.similarity_sentence(pair, matrix, average))


def beside(model: str, k: int) -> None:
    """Two hierarchies of the visitor's choice: contingency, agreement, and who changes company."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
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
    with st.container(horizontal=True):
        st.metric("ARI", f"{ari:.3f}", help="Adjusted Rand index: 1 the same groups, 0 as alike as by chance.")
        st.metric("AMI", f"{ami:.3f}", help="Adjusted mutual information: 1 the same groups, 0 chance.")
    fig = figures.contingency_map(
        counts[:, order],
        left,
        [right[i] for i in order],
        y=shared.title(a.name),
        x=shared.title(b.name),
        mode=chrome.mode(),
    )
    alt = f"How many classes lie in each pair of groups; ARI {ari:.2f}"
    chrome.chart(
        fig, key=f"contingency_{counts.shape}", alt=alt, table=lambda: versus.contingency_rows(counts, left, right)
    )
    st.markdown(versus.agreement_sentence(ari, one, two))
    st.subheader("Which classes change company", anchor=False)
    versus.movers(a, b, one, two)


chrome.page(
    "CLIP versus WordNet",
    "WordNet is a tree that people made; CLIP is a network that read the web. Cut into the same number of groups, the "
    "one collapses and the other does not.",
)
try:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known = ladder_names()
        model = st.selectbox(
            "CLIP text embedding", known, format_func=shared.model_title, key="clip", bind="query-params", width=260
        )
        model = model or known[0]
        k = st.select_slider("Groups (K)", versus.ks(model), value=10, key="k", bind="query-params", width=420)
        depth = cuts.depth_near(k)
        st.markdown(f"WordNet is cut at depth **{depth}**, where it has **{dict(cuts.depth_sizes())[depth]}** groups.")
    chrome.tabs({"Sizes": sizes, "Similarity": similarity, "Side by side": beside}, "versus_tab", model, k)
    chrome.footer({"k-means": "seed 0, 4 starts", "WordNet": "3.0", "paper": "arXiv 2605.08266, Table 1 and Fig. 2"})
except HiercodecError as error:
    chrome.empty(str(error), how=shared.ASSETS_COMMAND)
    chrome.footer()

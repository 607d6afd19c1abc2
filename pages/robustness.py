"""Robustness: do the groups survive another CLIP model or another seed, and what does the consensus gain?"""

from __future__ import annotations

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.figures import agreement as figures
from hiercodec.figures import taxonomy as figures_taxonomy
from hiercodec.ui.frame import chrome
from hiercodec.ui.taxonomy import honest, robust, shared


def gains(level: dict, models: list[str]) -> None:
    """Agreement of single runs with each other, and of the consensus with them, with intervals."""
    rows = robust.gain_rows(level)
    fig = figures.intervals(rows, x="ARI: mean, 95 % interval", mode=chrome.mode())
    alt = ", ".join(f"{name} {mean:.3f}" for name, mean, _, _ in rows)
    chrome.chart(fig, key="gains", alt=alt, table=lambda: robust.interval_table(rows))
    st.markdown(robust.repeat_sentence(level))
    left = robust.left_out_rows(level)
    if left:
        st.subheader("A model the consensus never saw", anchor=False)
        st.markdown(
            "Each model in turn is left out. Its runs are compared with the single runs of the other models, and with a "
            "consensus made from the other models alone."
        )
        names = ("single runs", "consensus")
        fig = figures.pairs(left, names, x="mean ARI", mode=chrome.mode())
        alt = "; ".join(f"{m}: single runs {a:.2f}, consensus {b:.2f}" for m, a, b in left)
        chrome.chart(fig, key="left_out", alt=alt, table=lambda: robust.left_out_table(left, names))


def matrix(level: dict, models: list[str]) -> None:
    """Agreement of every pair of runs, or averaged over the seeds of two models."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        score = st.segmented_control(
            "Measure", ["ARI", "AMI"], default="ARI", required=True, key="score", bind="query-params"
        )
        every = st.toggle("Every run", key="every", bind="query-params")
    values, names = robust.matrix_of(level, models, score.lower(), every=every)
    fig = figures.agreement_map(values, names, title=score, mode=chrome.mode())
    alt = f"Mean {score} between models; the diagonal compares seeds of one model"
    chrome.chart(fig, key=f"matrix_{every}", alt=alt, table=lambda: robust.matrix_table(values, names))
    st.caption(
        "Every run is one k-means run with its own seed. The diagonal between models compares different seeds of one model; "
        "the consensus is made from other seeds than those shown."
    )
    if (sentence := robust.paper_sentence(level)) is not None:
        st.markdown(sentence)


def fragile(level: dict, models: list[str]) -> None:
    """Which classes keep their company and which do not."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = ["all", *models]
        of = st.selectbox(
            "Runs of", options, format_func=lambda m: "all models" if m == "all" else shared.model_title(m), key="of",
            bind="query-params", width=260,
        )  # fmt: skip
        find = st.text_input(
            "Find a class", key="class", bind="query-params", placeholder="any name or wnid", width=260
        )
    values = level["stability"][of]
    left, right = st.columns(2, gap="large")
    with left:
        known, marks = robust.histogram_of(values, level["chance"])
        fig = figures.histogram(known, x="company kept from run to run", marks=marks, mode=chrome.mode())
        alt = f"Most classes keep between {robust.quartiles(known)} of their company; chance is {level['chance']:.2f}"
        chrome.chart(fig, key="stability", alt=alt)
        st.caption(
            "Take a companion of a class in one run: how likely is it still its companion in another run? 1 is always, "
            f"{level['chance']:.2f} is what random groups of these sizes give."
        )
    with right:
        rows = robust.class_rows(values, level["k"], find)
        if not rows:
            st.markdown("No class has this name, synonym or wnid.")
        else:
            st.dataframe(rows[:200], hide_index=True, width="stretch", height=380)
            st.download_button(
                "All of them (CSV)", lambda: shared.csv_text(rows), f"stability-{of}.csv", "text/csv", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
    places = shared.layout(of if of and of != "all" else models[0])
    fig = figures_taxonomy.value_map(
        places.points, values, robust.hover(values, places), title="company kept", mode=chrome.mode()
    )
    chrome.chart(fig, key="stability_map", alt="The map of the classes, coloured by how well they keep their company")


chrome.page(
    "How stable are the groups?",
    "k-means starts from random points, and every CLIP model reads a name in its own way. If the groups were an accident "
    "of either, another seed or model would give others.",
)
try:
    report = shared.stability()
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            "Groups (K)", list(report["levels"]), default="10", required=True, key="groups", bind="query-params"
        )
    level = {**report["levels"][chosen], "k": int(chosen)}
    st.markdown(robust.conclusion(level, report))
    st.markdown(honest.choice_sentence(report))
    drawers = {"What the consensus gains": gains, "Models × seeds": matrix, "Fragile classes": fragile}
    chrome.tabs(drawers, "robust_tab", level, report["models"])
    chrome.footer(robust.provenance(report))
except HiercodecError as error:
    chrome.empty(str(error), how=shared.ASSETS_COMMAND)
    chrome.footer()

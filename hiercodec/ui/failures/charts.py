"""What is taken for what, and how bad mistakes are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from hiercodec.evaluation.codecs.peers import places, title
from hiercodec.evaluation.results import failures
from hiercodec.figures import failures as figures
from hiercodec.levels import spoken
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.failures import source as sources
from hiercodec.ui.failures.gallery import go_to_cell
from hiercodec.ui.failures.source import View, mean_bytes
from hiercodec.ui.frame import chrome

PLURAL = {"kind": "kinds", "family": "families", "class": "classes"}


def confusion() -> None:
    """The truth down, the answer across, by groups; below, the classes that are most confused, as pairs."""
    view = sources.pick()
    if view is not None:
        found, tree = view.table, view.table.tree
        names = [spoken(name) for name in tree.names[:-1]] or [spoken(tree.names[0])]
        by = st.segmented_control(
            "Groups", names, default=names[0], required=True, key=sources.BY, bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        level = names.index(by) if by in names else 0
        counts = failures.confusion(found.truth[:, level], found.path[:, view.cut, level], tree.levels[level].k)
        kept = int(np.trace(counts))
        st.markdown(
            f"At {mean_bytes(found, view.cut)} the **{names[level]}** of {kept} of {len(found)} photographs is {view.right}:"
            " those lie on the diagonal. Numbers are photographs, colour is their share of the row. **A click on a cell "
            "shows its photographs** in the gallery."
        )
        chrome.on_click("confusion", lambda where: go_to_cell(view, where, level))
        with st.container(key="confusion"):
            fig = figures.confusion_map(counts, tree.levels[level].labels, mode=chrome.mode())
            alt = f"Confusion of {names[level]}: truth down, answer across; {kept} of {len(found)} on the diagonal"
            chrome.chart(fig, key="confusion_chart", alt=alt, table=lambda: pair_rows(view, level, 400))
        finest = spoken(tree.names[-1])
        st.header(f"Most confused {PLURAL.get(finest, finest)}", anchor=False)
        if rows := pair_rows(view, len(tree.levels) - 1, 20):
            st.dataframe(rows, hide_index=True, width="stretch")
        else:
            st.markdown("None at this cut.")
    sources.footer(view)


def pair_rows(view: View, level: int, limit: int) -> list[dict[str, object]]:
    """The most frequent mistakes of a level as rows, with the WUP of two classes."""
    found, labels = view.table, view.table.tree.levels[level].labels
    finest = level == len(found.tree.levels) - 1
    return [
        {
            "truth": labels[a],
            "taken for": labels[b],
            "photographs": n,
            **({"WUP": wup_matrix()[a, b]} if finest else {}),
        }
        for a, b, n in failures.confused_pairs(found, level, view.cut, limit)
    ]


def mistakes() -> None:
    """How near the wrong classes are to the truth, against rate and against rivals."""
    view = sources.pick()
    if view is not None:
        judged = sources.tables_of(view.source, view.table.judge)
        named = {name: failures.severity(table) for name, table in judged.items()}
        looks, tree, here = places(judged), view.table.tree, failures.severity(view.table)[view.cut]
        if here.errors:
            inside = ", ".join(
                f"{share:.0%} in the right {spoken(name)}" for name, share in zip(tree.names, here.inside, strict=False)
            )
            st.markdown(
                f"At {mean_bytes(view.table, view.cut)}, **{here.errors} of {here.photos}** classes are {view.wrong}. Of "
                f"these {inside} still lie. Their mean WUP is **{here.wup:.2f}** (1 is the same thing, two unrelated things "
                "have about 0.3). A better mistake is a nearer one."
            )
        rows = severity_rows(named, tree.names[:-1])
        fig = figures.severity_curves(named, looks, mode=chrome.mode())
        alt = "Mean WUP of the wrong classes against bit/pixel, a line for each codec"
        chrome.chart(fig, key="severity", alt=alt, table=lambda: rows)
        st.caption(
            "Only mistakes count here, and a codec that makes more of them also makes other ones, so compare at points "
            "where about as many are wrong (hover). The thin lines are one standard error."
        )
        for level, (name, place) in enumerate(
            zip(tree.names[:-1], st.columns(max(1, len(tree.names) - 1)), strict=False)
        ):
            with place:
                fig = figures.severity_curves(named, looks, level, spoken(name), mode=chrome.mode())
                alt = f"How often a wrong class lies in the right {spoken(name)}, by codec"
                chrome.chart(fig, key=f"inside_{level}", alt=alt)
    sources.footer(view)


def severity_rows(named: Mapping[str, Sequence[failures.Severity]], levels: Sequence[str]) -> list[dict[str, object]]:
    """The curves as rows."""
    return [
        {
            "codec": title(codec),
            "setting": row.setting,
            "bit/pixel": round(row.bpp, 4),
            "wrong": row.errors,
            "WUP of the wrong": round(row.wup, 4),
            **{f"in the right {spoken(level)}": round(x, 4) for level, x in zip(levels, row.inside, strict=True)},
        }
        for codec, rows in named.items()
        for row in rows
    ]

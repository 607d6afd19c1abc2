"""The gallery: photographs that a filter keeps, in an order, each with its answer and how it came about."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.lookup import PHOTOS
from hiercodec.evaluation.results.failures import FAILURES, ORDERS, SURE, disagree
from hiercodec.evaluation.results.table import Table
from hiercodec.fsio import APP
from hiercodec.levels import spoken
from hiercodec.ui.failures.source import View, mean_bytes
from hiercodec.ui.frame import chrome, state

SHOW, TRUTH, TAKEN, ORDER, AT = "show", "truth", "taken", "order", "sheet"
DISAGREE = "judges disagree"
ANY = "any"
PER_PAGE = 24
CARD = 168
UNLABELLED = (
    "Nobody knows what some of these photographs show. There the judge's answer on the original stands for the truth: an "
    "answer is never right, it is = as the original or ≠ another, and what is called wrong here is another."
)
MARKS = ("○", "●")
"""Wrong and right, without a word and without a colour."""


def filters(view: View) -> np.ndarray:
    """The row of filters; int[m], the photographs that pass them, in the chosen order."""
    found, level, cut = view.table, view.level, view.cut
    if not found.labelled:
        st.caption(UNLABELLED)
    names = [*FAILURES, *([DISAGREE] if len(view.source.rows.judges) > 1 else [])]
    groups = [ANY, *view.groups]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = chrome.menu("Show", SHOW, names, default="wrong here", width=250, help=_help())
        truth = chrome.menu("Truth" if found.labelled else "Original", TRUTH, groups, width=165)
        taken = chrome.menu("Taken for", TAKEN, groups, width=165)
        order = chrome.menu("Order", ORDER, list(ORDERS), default="worst mistakes first (WUP)", width=260)
    kept = _disagree(view) if show == DISAGREE else FAILURES[show](found, level, cut)
    kept = kept & of_cell(view, groups.index(truth) - 1, groups.index(taken) - 1)
    chosen = np.flatnonzero(kept)
    keys = ORDERS[order](found, level, cut)[chosen]
    return chosen[np.argsort(keys, kind="stable")]


def of_cell(view: View, truth: int, taken: int) -> np.ndarray:
    """bool[n]: whose right group and answer are these; −1 for any."""
    found, level = view.table, view.by
    kept = np.ones(len(found), bool)
    if truth >= 0:
        kept &= found.truth[:, level] == truth
    if taken >= 0:
        kept &= found.path[:, view.cut, level] == taken
    return kept


def _disagree(view: View) -> np.ndarray:
    found = view.table
    other = next(name for name in view.source.rows.judges if name != found.judge)
    return disagree(found, view.other(judge=other), view.level, view.cut)


def _help() -> str:
    return (
        "“Right, then wrong again”: right at one cut, wrong at a later one. “Table contradict each other”: the class does "
        "not lie in the family that was named, or the family not in the kind. “Confident and wrong”: wrong with a "
        f"probability of {SURE:.0%} or more. “Needs the most bytes”: the slowest tenth of those that are ever right."
    )


def gallery(view: View, chosen: np.ndarray) -> None:
    """The photographs as cards, some at a time; words where there are none."""
    found, source = view.table, view.source
    if not len(chosen):
        chrome.empty("No photograph fails in this way at this cut. Choose another filter, cut or group.")
        return
    st.markdown(
        f"**{len(chosen)} of {len(found)}** photographs, at {mean_bytes(found, view.cut)} on average. Under each: "
        f"{MARKS[1]} right and {MARKS[0]} wrong at every cut, from fewest bytes to the whole file."
    )
    pictured = source.has_pictures
    if not pictured:
        st.caption(
            "Only names and numbers of these photographs are here, not their pictures. Where the data set is on this "
            f"computer, start the app with {PHOTOS}=FOLDER (or a .tar) to see them and to open them in Explore."
        )
    pages = -(-len(chosen) // PER_PAGE)
    page = st.pagination(pages, key=AT, bind="query-params") if pages > 1 else 1
    with st.container(horizontal=True, gap="small"):
        for row in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]:
            with st.container(width=CARD, height="stretch", border=True, gap="xxsmall"):
                _card(view, int(row), pictured)
    chrome.as_table(lambda: table(view, chosen), key="gallery_table")


def _card(view: View, row: int, pictured: bool) -> None:
    found, cut, tree = view.table, view.cut, view.table.tree
    photo = str(found.photos[row])
    truth, answer = tree.levels[-1].labels[found.truth[row, -1]], tree.levels[-1].labels[found.path[row, cut, -1]]
    if pictured:
        _picture(view, photo, f"{truth}, taken for {answer}")
    right, known = bool(found.right[row, cut, -1]), found.labels[row] >= 0
    sign = ("✗✓" if known else "≠=")[right]
    said = f"WUP {found.wup[row, cut]:.2f}" if not right else "right" if known else "as the original"
    st.markdown(f"**{truth}**  \n→ {answer} {found.probability[row, cut, -1]:.0%}  \n{sign} {said}")
    st.caption("  \n".join(f"{marks} {spoken(name)}" for name, marks in trails(found, row).items()))
    if pictured:
        at = int(found.bytes[row, cut])
        st.button("Explore", key=f"open {photo}", on_click=_hand_over, args=(view, photo, at), type="tertiary")


def _picture(view: View, photo: str, alt: str) -> None:
    try:
        image = view.source.thumbnail(photo, view.table.settings[view.cut])
    except HiercodecError as error:
        st.caption(str(error))
        return
    if image is not None:
        chrome.picture(image, alt)


def trails(found: Table, row: int) -> dict[str, str]:
    """Level → a mark a cut, for one photograph."""
    return {
        name: "".join(MARKS[int(right)] for right in found.right[row, :, level])
        for level, name in enumerate(found.tree.names)
    }


def _hand_over(view: View, photo: str, n_bytes: int) -> None:
    """Open a photograph in Explore, at the bytes it was looked at here."""
    picture = view.source.picture(photo)
    if picture is not None:
        state.hand_over(f"{photo}.png", picture, n_bytes)
        st.session_state["failures_leave"] = True


def leave() -> None:
    """Go to Explore if a photograph was handed over. Called in the page's run: a callback may not change pages."""
    if st.session_state.pop("failures_leave", False):
        st.switch_page(APP / "pages" / "explore.py")


def table(view: View, chosen: np.ndarray) -> list[dict[str, object]]:
    """The same photographs as rows."""
    found, cut, names = view.table, view.cut, view.table.tree.levels
    needed = [found.bytes_to_right(level) for level in range(len(names))]
    same = "right" if found.labelled else "as the original"
    return [
        {
            "photograph": str(found.photos[row]),
            "truth" if found.labelled else "truth, or original taken for": names[-1].labels[found.truth[row, -1]],
            "answer": names[-1].labels[found.path[row, cut, -1]],
            "probability": round(float(found.probability[row, cut, -1]), 3),
            "margin": round(float(found.margin[row, cut]), 3),
            "WUP": round(float(found.wup[row, cut]), 3),
            "bytes": int(found.bytes[row, cut]),
            **{
                f"{spoken(level.name)} first {same} at": int(n[row]) if np.isfinite(n[row]) else None
                for level, n in zip(names, needed, strict=True)
            },
        }
        for row in chosen
    ]


def go_to_cell(where: str, labels: tuple[str, ...]) -> None:
    """A cell of the confusion was clicked ("row,column"): the filters follow."""
    truth, taken = (labels[int(part)] for part in where.split(","))
    st.session_state.update({TRUTH: truth, TAKEN: taken, SHOW: "everything"})
    st.session_state.pop(AT, None)

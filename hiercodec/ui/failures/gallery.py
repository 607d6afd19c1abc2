"""The gallery: photographs that a filter keeps, in an order, each with its answer and how it came about."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.lookup import PHOTOS
from hiercodec.evaluation.results import failures
from hiercodec.evaluation.results.failures import FAILURES, ORDERS, SURE
from hiercodec.evaluation.results.table import Table
from hiercodec.fsio import APP
from hiercodec.levels import spoken
from hiercodec.ui.failures import source as sources
from hiercodec.ui.failures.source import View, mean_bytes
from hiercodec.ui.frame import chrome, state
from hiercodec.ui.frame.navigation import VIEW

SHOW, PAIR, ORDER, AT = "show", "pair", "order", "sheet"
DISAGREE = "judges disagree"
ANY = "any"
PER_PAGE = 24
CARD = 166
MARKS = ("○", "●")
"""Wrong and right, without a word and without a colour."""

PLACES = 10
"""Marks of a trail at most: more would not stand in a card's line."""

STYLE = """<style>
[class*=st-key-cards] [data-testid=stImage] img { width: 100%; height: 6rem; object-fit: contain; }
[class*=st-key-cards] [data-testid=stVerticalBlock] > :first-child { min-height: 6rem; }
.st-key-cards_of_many { min-height: calc(100vh - 22rem); }
</style>"""
"""Pictures come later than the words below them, and cards later than the numbers of their pages: their room is kept."""

UNKNOWN = {
    "wrong here": "another answer here",
    "right, then wrong again": "as on the original, then not again",
    "kind right, class wrong": "kind as on the original, class not",
    "confident and wrong": "confident and another",
    "never right": "never as on the original",
}
"""What the filters are called where nobody knows what is right."""

UNLABELLED = (
    "Nobody knows what some of these photographs show, so no answer can be right or wrong: it is = as on the original, or "
    "≠ another."
)


def draw() -> None:
    """Menus, filters, and the photographs that pass them."""
    view = sources.pick(level=True)
    if view is not None:
        if not view.table.labelled:
            st.caption(UNLABELLED)
        gallery(view, filters(view))
    sources.footer(view)


def filters(view: View) -> np.ndarray:
    """The row of filters; int[m], the photographs that pass them, in the chosen order."""
    found, level, cut = view.table, view.level, view.cut
    names = [*FAILURES, *([DISAGREE] if len(view.source.rows.judges) > 1 else [])]
    pairs = pairs_of(view)
    with chrome.controls("filters"):
        show = chrome.menu(
            "Show", SHOW, names, default="wrong here", width=240, help=_help(),
            format_func=lambda name: name if found.labelled else UNKNOWN.get(name, name),
        )  # fmt: skip
        pair = chrome.menu(f"{view.level_name.capitalize()} → taken for", PAIR, [ANY, *pairs], width=260)
        order = chrome.menu("Order", ORDER, list(ORDERS), default="worst mistakes first (WUP)", width=240)
    kept = _disagree(view) if show == DISAGREE else FAILURES[show](found, level, cut)
    if pair != ANY:
        truth, taken = pairs[pair]
        kept = kept & (found.truth[:, level] == truth) & (found.path[:, cut, level] == taken)
    chosen = np.flatnonzero(kept)
    keys = ORDERS[order](found, level, cut)[chosen]
    return chosen[np.argsort(keys, kind="stable")]


def pair_name(view: View, truth: int, taken: int, level: int) -> str:
    """What the menu, and the address, call a truth and what it was taken for."""
    labels = view.table.tree.levels[level].labels
    return f"{labels[truth]} → {labels[taken]}"


def pairs_of(view: View) -> dict[str, tuple[int, int]]:
    """Every truth and answer of the level that stand together here, the most frequent first."""
    both = np.stack([view.table.truth[:, view.level], view.table.path[:, view.cut, view.level]], 1)
    pairs, n = np.unique(both, axis=0, return_counts=True)
    return {
        pair_name(view, int(a), int(b), view.level): (int(a), int(b)) for a, b in pairs[np.argsort(-n, kind="stable")]
    }


def _disagree(view: View) -> np.ndarray:
    found = view.table
    other = next(name for name in view.source.rows.judges if name != found.judge)
    return failures.disagree(found, sources.tables_of(view.source, other)[found.codec], view.level, view.cut)


def _help() -> str:
    return (
        "“Right, then wrong again”: right at one cut, wrong at a later one. “Answers contradict each other”: the class does "
        "not lie in the family that was named, or the family not in the kind. “Confident and wrong”: wrong with a "
        f"probability of {SURE:.0%} or more. “Needs the most bytes”: the slowest tenth of those that are ever right."
    )


def gallery(view: View, chosen: np.ndarray) -> None:
    """The photographs as cards, some at a time; as a table where there are no pictures; words where there are none."""
    found = view.table
    if not len(chosen):
        chrome.empty("No photograph fails in this way at this cut. Choose another filter, cut or level.")
        return
    first = float(failures.meaning_first(found).mean())
    st.markdown(
        f"**{len(chosen)} of {len(found)}** photographs, at {mean_bytes(found, view.cut)} on average. Of all {len(found)}, "
        f"the kind is {view.right} no later than the class in **{first:.0%}**."
    )
    if not view.source.pictured:
        st.dataframe(table(view, chosen), hide_index=True, width="stretch", height=420)
        st.caption(
            "Only names and numbers of these photographs are here, not their pictures. Whoever runs the app shows them with "
            f"{PHOTOS}=FOLDER (a .tar, or torchvision:Imagenette, which is fetched): then they open in Explore too."
        )
        return
    pages = -(-len(chosen) // PER_PAGE)
    st.html(STYLE)
    cards = st.container(horizontal=True, gap="small", key="cards_of_many" if pages > 1 else "cards")
    page = st.pagination(pages, key=AT, bind="query-params") if pages > 1 else 1
    with cards:
        for row in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]:
            with st.container(width=CARD, height="stretch", border=True, gap="xxsmall"):
                _card(view, int(row))
    st.caption(
        f"Under each: {MARKS[1]} {view.right} and {MARKS[0]} not, from the fewest bytes to the whole file. “Explore” opens "
        "it at these bytes."
    )
    chrome.as_table(lambda: table(view, chosen), key="gallery_table")


def _card(view: View, row: int) -> None:
    found, cut, tree = view.table, view.cut, view.table.tree
    photo = str(found.photos[row])
    truth, answer = tree.levels[-1].labels[found.truth[row, -1]], tree.levels[-1].labels[found.path[row, cut, -1]]
    try:
        if image := view.source.thumbnail(photo, found.settings[cut]):
            chrome.picture(image, f"{truth}, taken for {answer}")
    except HiercodecError as error:
        st.caption(str(error))
    right, known = bool(found.right[row, cut, -1]), found.labels[row] >= 0
    sign = ("✗✓" if known else "≠=")[right]
    near = "" if right else f" · WUP {found.wup[row, cut]:.2f}"
    st.markdown(f"**{truth}**  \n{sign} {answer} {found.probability[row, cut, -1]:.0%}{near}")
    stress = sources.split(photo)[1] if view.source.name == sources.STRESSED else ""
    lines = [f"{spoken(name)} {marks}" for name, marks in trails(found, row).items()]
    st.caption("  \n".join([*([stress] if stress else []), *lines]))
    at = int(found.bytes[row, cut])
    st.button("Explore", key=f"open {photo}", on_click=_hand_over, args=(view, photo, at), type="tertiary",
              icon=":material/open_in_new:")  # fmt: skip


def trails(found: Table, row: int) -> dict[str, str]:
    """Level → a mark a cut, at most `PLACES` of them spread from the first to the last, for one photograph."""
    s = len(found.settings)
    cuts = sorted({round(i) for i in np.linspace(0, s - 1, min(s, PLACES))})
    return {
        name: "".join(MARKS[int(right)] for right in found.right[row, cuts, level])
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
                f"{spoken(level.name)} first {view.right} at": int(n[row]) if np.isfinite(n[row]) else None
                for level, n in zip(names, needed, strict=True)
            },
        }
        for row in chosen
    ]


def go_to_cell(view: View, where: str, level: int) -> None:
    """A cell of the confusion of a level was clicked ("row,column"): the gallery shows its photographs."""
    truth, taken = map(int, where.split(","))
    chosen = {SHOW: "everything", PAIR: pair_name(view, truth, taken, level), VIEW: "Gallery"}
    st.session_state.update(chosen | {sources.LEVEL: spoken(view.table.tree.names[level])})
    st.session_state.pop(AT, None)

"""The pages of the app and the menu that leads to them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from hiercodec.fsio import APP

# script in pages/ and address, title, tooltip; without icons all of them fit a beamer of 1024 pixels
PAGES = (
    ("explore", "Explore", "Slide the byte budget; watch picture and meaning"),
    ("groups", "Groups", "Where the hierarchy comes from, and how stable it is"),
    ("results", "Results", "What was measured: curves over rate against every rival, and the models"),
    ("failures", "Failures", "What is taken for what, and from which byte on not any more"),
    ("learn", "Learn", "Courses that run inside Explore"),
    ("vote", "Class vote", "What does the hall see?"),
)
"""Addresses are the scripts' names: then Streamlit knows them even before `st.navigation` has run (see `ensure`)."""

HIDDEN = {"vote"}
"""Pages that are opened from another one, or by a phone, and stand in no menu."""

MOVED = {
    "clusters": ("groups", ""),
    "clip-vs-wordnet": ("groups", "CLIP against WordNet"),
    "robustness": ("groups", "Stability"),
    "evaluate": ("results", ""),
    "models": ("results", "Models"),
}
"""Addresses of earlier versions, in links that people keep → page and view that have taken their place. Each has a script
in pages/ too, for the same reason as the pages."""

VIEW = "view"
"""What the address calls the view of a page that is open."""

_MENU_DRAWN = "menu drawn"


def navigation() -> Page:
    """Draw the menu; returns the page that the address names, ready to run."""
    st.session_state[_MENU_DRAWN] = True
    pages = [
        st.Page(
            APP / "pages" / f"{name}.py",
            title=title,
            url_path=name,
            help=tip,
            default=number == 0,
            visibility="hidden" if name in HIDDEN else "visible",
        )
        for number, (name, title, tip) in enumerate(PAGES)
    ]
    moved = [st.Page(APP / "pages" / f"{old}.py", title=old, url_path=old, visibility="hidden") for old in MOVED]
    return st.navigation([*pages, *moved], position="top")


def go_on(old: str) -> None:
    """What the script of an old address does: it goes on to the page, with what else the address says."""
    ensure()
    page, view = MOVED[old]
    query = st.query_params.to_dict() | ({VIEW: view} if view else {})
    st.switch_page(APP / "pages" / f"{page}.py", query_params=query)


def ensure() -> None:
    """Draw the menu and start the run again, unless this session has met the menu. A page's first call.

    Until `st.navigation` has run once in the process, Streamlit takes a folder called `pages` for an app of the old kind
    and runs a page alone, without `app.py`, for whoever opens its own address first.
    """
    if _MENU_DRAWN not in st.session_state:
        navigation()
        st.rerun()

"""The pages of the app and the menu that leads to them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from hiercodec.fsio import APP

# script in pages/ and address, title, tooltip; without icons all of them fit a beamer of 1024 pixels
PAGES = (
    ("explore", "Explore", "Slide the byte budget; watch picture and meaning"),
    ("clusters", "Clusters", "Where the hierarchy comes from"),
    ("clip-vs-wordnet", "CLIP vs WordNet", "Two ways to group"),
    ("robustness", "Robustness", "How stable the groups are"),
    ("evaluate", "Evaluate", "Curves over rate against every rival, from measured rows"),
    ("failures", "Failures", "What is taken for what, and from which byte on not any more"),
    ("models", "Models", "What is shipped and what it measured"),
    ("learn", "Learn", "Courses that run inside Explore"),
    ("vote", "Class vote", "What does the hall see?"),
)
"""Addresses are the scripts' names: then Streamlit knows them even before `st.navigation` has run (see `ensure`)."""

HIDDEN = {"vote"}
"""Pages that are opened from another one, or by a phone, and stand in no menu."""

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
    return st.navigation(pages, position="top")


def ensure() -> None:
    """Draw the menu and start the run again, unless this session has met the menu. A page's first call.

    Until `st.navigation` has run once in the process, Streamlit takes a folder called `pages` for an app of the old kind
    and runs a page alone, without `app.py`, for whoever opens its own address first.
    """
    if _MENU_DRAWN not in st.session_state:
        navigation()
        st.rerun()

"""The app as a whole: its menu lists the pages that there are."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hiercodec.fsio import APP
from hiercodec.ui.frame.navigation import MOVED, PAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app():
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def test_it_opens_on_explore(app):
    assert not app.exception
    assert app.title[0].value == "Slide the bytes"


def test_every_page_file_is_listed_and_nothing_else():
    assert ROOT == APP
    assert sorted(path.stem for path in (ROOT / "pages").glob("*.py")) == sorted(
        [*(name for name, *_ in PAGES), *MOVED]
    )


@pytest.mark.parametrize("old", MOVED)
def test_an_old_address_leads_to_a_view_that_there_is_with_what_else_it_says(monkeypatch, old):
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: went.append((page, query_params)))
    script = AppTest.from_file(str(ROOT / "pages" / f"{old}.py"), default_timeout=60)
    script.query_params["at"] = "0.3"
    assert not script.run().exception
    ((page, query),) = went[-1:]
    assert (page.stem, query["at"]) == (MOVED[old][0], "0.3")
    if view := MOVED[old][1]:
        opened = AppTest.from_file(str(page), default_timeout=60)
        opened.query_params["view"] = query["view"]
        assert not opened.run().exception
        assert opened.session_state["view"] == view


def test_a_page_draws_the_menu_unless_its_session_has_one(monkeypatch):
    """Streamlit may run a page alone before it has met `st.navigation`; then the page starts the app."""
    menus = []
    draw = st.navigation
    monkeypatch.setattr(st, "navigation", lambda pages, **options: menus.append(len(pages)) or draw(pages, **options))
    page = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=60).run()
    assert not page.exception
    assert menus == [len(PAGES) + len(MOVED)]
    page.run()
    assert menus == [len(PAGES) + len(MOVED)], "once a session"


def test_a_browser_sees_nothing_but_the_menu_until_it_has_the_style(monkeypatch):
    """What is drawn sooner jumps; a program, which has no style, does not wait (`app` above)."""
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: {"User-Agent": "Mozilla/5.0 (X11)"}))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert not app.title
    app.session_state["styled"] = True
    assert app.run().title[0].value == "Slide the bytes"

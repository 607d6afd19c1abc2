"""The app as a whole: it lists the pages that exist, and its lessons open views that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.samples import samples

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app():
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def test_it_opens_on_explore(app):
    assert not app.exception
    assert app.title[0].value == "Slide the bytes"


def test_every_page_file_is_listed_and_nothing_else():
    listed = set(re.findall(r'\("(\w+\.py)"', (ROOT / "app.py").read_text(encoding="utf-8")))
    assert {path.name for path in (ROOT / "pages").glob("*.py")} <= listed


def test_lessons_open_photographs_and_steps_that_exist():
    page = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=30).run()
    assert not page.exception
    links = re.findall(r"/\?photo=(\w+)&step=(\d+)", " ".join(item.value for item in page.markdown))
    titles = {row.title for row in samples()}
    assert len(links) >= 5
    assert all(photo in titles and 1 <= int(step) <= 24 for photo, step in links)


def test_a_page_opened_first_gets_the_whole_app(monkeypatch):
    """Streamlit runs the page alone when a fresh process has not yet met `st.navigation`; the chrome mends that."""
    ran = []
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    PagesManager.uses_pages_directory = None  # as in a fresh process
    original = st.navigation
    monkeypatch.setattr(st, "navigation", lambda *args, **options: ran.append(1) or original(*args, **options))
    app.run()
    assert not app.exception
    assert ran

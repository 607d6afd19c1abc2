"""The app as a whole: its menu lists the pages that there are, and its lessons open views that show what they say."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.samples import samples
from hiercodec.fsio import APP
from hiercodec.ui.frame.cached import shipped_bundle
from hiercodec.ui.frame.navigation import PAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app():
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def test_it_opens_on_explore(app):
    assert not app.exception
    assert app.title[0].value == "Slide the bytes"


def test_every_page_file_is_listed_and_nothing_else():
    assert ROOT == APP
    assert sorted(path.stem for path in (ROOT / "pages").glob("*.py")) == sorted(name for name, *_ in PAGES)


# What the lessons claim of the view that they open, lesson by lesson; each gets (trace, step, original pixels).
def is_a_small_part(trace, step, rgb):
    return step.bytes < trace.file_bytes / 10


def ends_a_level_but_not_the_file(trace, step, rgb):
    return step.level is not None and step.bytes < trace.file_bytes


def knows_all_but_the_class(trace, step, rgb):
    *groups, one = (top[0][0] in trace.answers[level] for level, top in step.top.items())
    return all(groups) and not one


def lies_inside_a_block(trace, step, rgb):
    return 0 < step.fraction < 1


def is_smaller_than_any_jpeg(trace, step, rgb):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=0, optimize=True)
    return step.bytes < len(file.getvalue())


def is_whole_and_still_wrong(trace, step, rgb):
    one = list(step.top)[-1]
    return step.bytes == trace.file_bytes and step.top[one][0][0] not in trace.answers.get(one, ())


CLAIMS = (
    is_a_small_part,
    ends_a_level_but_not_the_file,
    knows_all_but_the_class,
    lies_inside_a_block,
    is_smaller_than_any_jpeg,
    is_whole_and_still_wrong,
)


def test_lessons_open_views_that_show_what_they_say():
    page = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=30).run()
    assert not page.exception
    links = [dict(parse_qsl(item.proto.query_string)) for item in page.get("page_link")]
    rows = {row.title: row for row in samples()}
    broken = []
    for link, claim in zip(links, CLAIMS, strict=True):
        row = rows[link["photo"]]
        trace = shipped_bundle(row.id).trace
        if not claim(trace, trace.steps[int(link["step"]) - 1], row.pixels()):
            broken.append(f"{link}: {claim.__name__}")
    assert not broken
    assert [link["look"] for link in links if "look" in link] == ["split,prefix,jpeg,0"]


def test_a_page_draws_the_menu_unless_its_session_has_one(monkeypatch):
    """Streamlit may run a page alone before it has met `st.navigation`; then the page starts the app."""
    menus = []
    draw = st.navigation
    monkeypatch.setattr(st, "navigation", lambda pages, **options: menus.append(len(pages)) or draw(pages, **options))
    page = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=60).run()
    assert not page.exception
    assert menus == [len(PAGES)]
    page.run()
    assert menus == [len(PAGES)], "once a session"

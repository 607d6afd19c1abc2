"""A course in the browser: gone through by keyboard, in one tab, on every screen, and the part in question is outlined."""

from __future__ import annotations

import pytest

from hiercodec.fsio import locate
from hiercodec.ui.learn.courses import read_course
from tests.browser.conftest import settle
from tests.browser.explore import ROOT_OF, position

pytestmark = pytest.mark.browser
IDEA = read_course(locate("courses", "idea"))
PLACES = {
    "picture": ".stage", "divider": ".frame", "size": ".numbers", "answers": ".path", "bar": ".track",
    "blocks": ".notches .cell", "lanes": ".lanes", "meaning": ".curve", "probabilities": ".icicle", "buttons": ".transport",
}  # fmt: skip
OUTLINED = f"(name) => getComputedStyle({ROOT_OF}.querySelector(name)).outlineStyle"


def test_a_course_by_keyboard_in_one_tab(open_page):
    page = open_page("/?course=idea")
    opened = []
    page.context.on("page", lambda tab: opened.append(tab))
    page.get_by_role("button", name="Next").focus()
    for number, lesson in enumerate(IDEA.lessons):
        page.get_by_role("heading", name=lesson.head.title).wait_for()
        settle(page, timeout=180_000)  # the lesson with a rival beside it asks a classifier of its own
        assert page.locator("[data-view] input:checked").get_attribute("value") == lesson.head.view
        assert page.evaluate(OUTLINED, PLACES[lesson.head.look_at]) == "dashed"
        assert page.locator(".hx").get_attribute("data-id").startswith("shipped-")
        page.wait_for_url(f"**lesson={number + 1}*step={position(page) + 1}*")
        page.keyboard.press("Enter")  # the focus stays on the button that leads on; on the last it ends the course
    page.wait_for_function("!location.search.includes('course')", timeout=60_000)
    assert not opened


def test_a_course_that_was_left_is_one_step_back(open_page):
    page = open_page("/?course=idea&lesson=2")
    page.get_by_role("button", name="Leave").click()
    page.wait_for_function("!location.search.includes('course') && !location.search.includes('lesson')")
    settle(page)
    page.go_back()
    page.get_by_role("heading", name=IDEA.lessons[1].head.title).wait_for()


def test_the_lesson_and_the_bar_are_in_view_on_every_screen(open_page):
    page = open_page("/?course=idea&lesson=2")
    for width, height in ((390, 844), (1024, 768), (1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            boxes = [
                page.locator(name).bounding_box() for name in (".st-key-lesson_next", ".st-key-coach h2", ".track")
            ]
            for box in boxes:
                assert box["x"] >= 0, (width, scheme)
                assert box["x"] + box["width"] <= width, (width, scheme)
                assert 0 <= box["y"] <= height - 24, (width, scheme)
            stage = page.locator(".stage").bounding_box()
            assert stage["y"] < height - 200, "some of the picture, too"
            if width > 900:
                dock = page.locator(".dock").bounding_box()
                for part in [page.locator(".stage"), *page.locator(".level").all()]:
                    box = part.bounding_box()
                    assert box["y"] >= 0, (width, scheme)
                    assert box["y"] + box["height"] <= dock["y"] + 1, "picture and answers, whole"

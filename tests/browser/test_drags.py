"""Drags as a hand makes them: one after the other, never quite straight, by mouse and by finger."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.report.numbers import ROOM
from tests.browser.conftest import settle
from tests.browser.explore import point, position

pytestmark = pytest.mark.browser
CAT = "/?photo=Cat&step=9"
SHARES = (0.9, 0.2, 0.6, 0.05, 0.75, 0.35, 0.97, 0.5, 0.15, 0.8)
"""Of the bar's width: where the drags end, each at another step than the one before."""

CANCELS = "addEventListener('pointercancel', () => (globalThis.cancels = (globalThis.cancels ?? 0) + 1), true)"


@pytest.fixture(scope="module")
def sizes():
    """Bytes of every step of what the pages show here."""
    return [step.bytes for step in bundle.read(TRACES / "cat.zip").trace.steps]


def nearest(sizes, share: float) -> int:
    """The step that lies nearest to a share of the bar, on which every doubling of bytes is as long."""
    places = np.log(np.array(sizes) / (ROOM * sizes[0])) / np.log(sizes[-1] / (ROOM * sizes[0]))
    return int(np.abs(places - share).argmin())


def wobbling(start, end, moves: int = 15):
    """Points from `start` to `end`, up to 6 pixels off the straight line on the way."""
    noise = random.Random(1)
    for n in range(1, moves):
        yield start[0] + (end[0] - start[0]) * n / moves, end[1] + noise.randint(-6, 6)
    yield end


def centre(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start, end) -> None:
    """With the mouse."""
    page.mouse.move(*start)
    page.mouse.down()
    for place in wobbling(start, end):
        page.mouse.move(*place)
        page.wait_for_timeout(10)
    page.mouse.up()


def test_every_drag_of_the_file_bar_moves_it(open_page, sizes):
    page = open_page(CAT)
    page.evaluate(CANCELS)
    for number, share in enumerate(SHARES):
        drag(page, centre(page.locator(".thumb")), point(page, share))
        assert position(page) == nearest(sizes, share), number
        assert page.locator(".track:focus").count() == 1, "the keys go on from where the mouse let go"
        page.wait_for_url(f"**step={position(page) + 1}*")
    assert page.evaluate("globalThis.cancels") is None
    assert page.evaluate("getSelection().toString()") == ""


def test_a_drag_moves_the_bar_when_everything_is_selected(open_page, sizes):
    page = open_page(CAT)
    selectable = "(box) => getComputedStyle(box).userSelect !== 'none'"
    assert page.locator(".hx").evaluate(selectable)
    page.evaluate("getSelection().selectAllChildren(document.body)")
    for share in SHARES[:4]:
        drag(page, centre(page.locator(".thumb")), point(page, share))
        assert position(page) == nearest(sizes, share)
    page.mouse.down()
    assert not page.locator(".hx").evaluate(selectable), "nothing a drag sweeps over can be selected"
    page.mouse.up()
    assert page.locator(".hx").evaluate(selectable)


def test_every_drag_moves_divider_and_picture(open_page):
    page = open_page(CAT)
    page.locator("[data-view=split]").click()
    handle, stage = page.locator(".handle"), page.locator(".stage")
    box = stage.bounding_box()
    for number, share in enumerate(SHARES):
        drag(page, centre(handle), (box["x"] + share * box["width"], box["y"] + box["height"] / 2))
        assert int(handle.get_attribute("aria-valuenow")) == pytest.approx(100 * share, abs=1), number
    page.locator("[data-view=picture]").click()
    page.locator("[data-zoom]").select_option("4")
    middle, places = centre(stage), set()
    for number in range(8):
        to = (middle[0] + (-1) ** number * (20 + 5 * number), middle[1] + 20)
        drag(page, middle, to)
        places.add(page.locator(".pan").get_attribute("style"))
    assert len(places) == 8


@pytest.fixture
def finger(open_page):
    """A page with a touch screen, and `touch(kind, *points)` that sends what a finger does."""
    page = open_page(CAT, has_touch=True)
    page.evaluate(CANCELS)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    return page, touch


def test_every_drag_by_finger_moves_the_file_bar(finger, sizes):
    page, touch = finger
    scrolled = page.evaluate("scrollY")
    for number, share in enumerate(SHARES):
        start, end = centre(page.locator(".thumb")), point(page, share)
        touch("touchStart", start)
        for place in wobbling(start, end):
            touch("touchMove", place)
        touch("touchEnd")
        assert position(page) == nearest(sizes, share), number
        page.wait_for_url(f"**step={position(page) + 1}*")
    assert page.evaluate("globalThis.cancels") is None
    assert page.evaluate("scrollY") == scrolled


def test_a_cancelled_drag_stays_where_it_was_and_the_next_one_works(finger, sizes):
    page, touch = finger
    touch("touchStart", point(page, 0.5))
    touch("touchMove", point(page, 0.9))
    touch("touchCancel")
    assert page.evaluate("globalThis.cancels") == 1
    assert position(page) == nearest(sizes, 0.9)
    page.wait_for_url(f"**step={position(page) + 1}*")  # the page and the server agree
    settle(page)
    drag(page, centre(page.locator(".thumb")), point(page, 0.2))
    assert position(page) == nearest(sizes, 0.2)
    page.mouse.move(*point(page, 0.7))
    assert position(page) == nearest(sizes, 0.2), "nothing is held any more"

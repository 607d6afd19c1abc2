"""The address of Explore and a browser that is slow to hear of it."""

from __future__ import annotations

import pytest
import streamlit as st

from hiercodec.ui.frame import state

SIZES = [100, 200, 300, 400, 500]


class Address(dict):
    """`st.query_params`, which tells the browser; here, only when the test says so."""

    def update(self, rows):
        super().update(rows)
        self.sent = dict(self)


class Browser:
    """A browser that shows `address`, and hears what was written only by `hear`."""

    def __init__(self, monkeypatch):
        self.patch, self.address, self.server = monkeypatch, {}, None
        monkeypatch.setattr(st, "session_state", {})

    def sends(self):
        """Begin a run with what the browser shows."""
        self.server = Address(self.address)
        self.server.sent = None
        self.patch.setattr(st, "query_params", self.server)

    def hear(self):
        self.address = self.server.sent or self.address

    def whole_page(self):
        self.sends()
        state.enter({state.PHOTO: "Cat", state.STEP: "3"})
        state.remember(state.PHOTO, "Cat")
        position = state.stand("cat", SIZES, 2, carry=True)
        state.write_address()
        return position

    def drag(self, position):
        self.sends()
        st.session_state[state.SCRUBBER] = {"k": position}
        state.released()
        state.here("cat", SIZES)


@pytest.fixture
def browser(monkeypatch):
    return Browser(monkeypatch)


def test_the_last_of_quick_moves_is_written_to_a_browser_that_shows_the_same_from_before(browser):
    """There and back: the server's answer to "there" is still on its way when "back" comes with the old address."""
    browser.whole_page()
    browser.drag(1)
    browser.hear()
    browser.drag(2)
    on_its_way = browser.server.sent
    browser.drag(1)
    assert browser.server.sent == {"photo": "Cat", "step": "2"}
    assert on_its_way == {"photo": "Cat", "step": "3"}


def test_a_run_with_the_address_before_the_drag_does_not_take_the_drag_back(browser):
    """The page runs by itself when finer steps are made, perhaps before the browser heard of its new address."""
    browser.whole_page()
    browser.drag(1)
    browser.hear()
    browser.drag(4)
    assert browser.whole_page() == 4
    browser.drag(0)
    assert browser.whole_page() == 0


def test_going_back_is_a_wish_once_the_browser_has_surely_heard(browser, monkeypatch):
    browser.whole_page()
    for position in (1, 4):
        browser.drag(position)
        browser.hear()
    assert browser.whole_page() == 4
    browser.address = {"photo": "Cat", "step": "2"}
    now = state.time.monotonic()
    monkeypatch.setattr(state.time, "monotonic", lambda: now + state.LAG)
    assert browser.whole_page() == 1

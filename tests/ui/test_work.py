"""Work for a visitor: the page says how many are before, and a page that is left gives its work up."""

from __future__ import annotations

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec import workers
from hiercodec.ui.frame import work
from hiercodec.workers.worker import ThisProcess
from tests.workers import jobs


@pytest.fixture
def busy(monkeypatch):
    """The shared pool with one worker that is held up until the test lets it go."""
    began = threading.Event()
    jobs.GO_ON.clear()
    pool = workers.Pool(1, ThisProcess)
    monkeypatch.setattr(workers, "shared", lambda: pool)
    pool.submit(jobs.hold, began)
    assert began.wait(30)
    yield pool
    jobs.GO_ON.set()
    pool.close()


def page():
    import streamlit as st

    from hiercodec.ui.frame import work
    from tests.workers import jobs

    def progress(done, total, what):
        st.session_state.setdefault("said", []).append(what)
        st.progress(done / total, text=what)
        if "before" in what:
            jobs.GO_ON.set()

    st.session_state["value"] = work.run(jobs.count, 3, progress=progress)


def test_the_page_says_how_many_are_before_and_then_how_far_it_is(busy):
    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception
    assert at.session_state["value"] == 3
    said = at.session_state["said"]
    assert said[0] == "1 before you"
    assert said[-3:] == ["counting"] * 3


def test_what_is_made_in_the_background_waits_for_first_views(busy):
    order: list[str] = []

    def note(name, *, tell):
        order.append(name)

    def background():
        work._later("a", workers.Urgency.LATER, note, "later")

    thread = threading.Thread(target=background)
    thread.start()
    while not busy._waiting:
        time.sleep(0.01)
    first = busy.submit(note, "first", visitor="b")
    jobs.GO_ON.set()
    first.result()
    thread.join(30)
    assert order == ["first", "later"]

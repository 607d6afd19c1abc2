"""The place on Explore: an address we did not write is a wish, else the memory counts, else what the page opens with."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.ui.frame import state

PAGE = """
import streamlit as st
from hiercodec.ui.frame import state

state.enter({"photo": "Cat", "step": "5"})
state.recall(["Cat", "Rocket"])
if not st.session_state.get("elsewhere"):  # another page draws none of this
    photo = st.selectbox("Photo", ["Cat", "Rocket"], key="photo")
    state.remember("photo", photo)
    st.selectbox("Steps", [24, 12], key="steps", bind="query-params")
    sizes = [100 * (i + 1) for i in range(10)]
    st.session_state["at"] = state.stand(photo, sizes, 4, carry=True)
    state.write_address()
"""


@pytest.fixture
def page():
    return AppTest.from_string(PAGE, default_timeout=20)


def seen(at: AppTest) -> tuple[str, int, dict]:
    assert not at.exception
    address = {name: value if isinstance(value, str) else value[0] for name, value in dict(at.query_params).items()}
    return at.session_state["photo"], at.session_state["at"], address


def test_it_opens_plain_and_the_address_stays_bare(page):
    assert seen(page.run()) == ("Cat", 4, {})


def test_an_address_is_a_wish(page):
    page.query_params.update({"photo": "Rocket", "step": "8", "steps": "12"})
    assert seen(page.run()) == ("Rocket", 7, {"photo": "Rocket", "step": "8", "steps": "12"})


def test_a_choice_is_written_and_carries_the_step(page):
    page.query_params["step"] = "7"
    page.run()
    page.selectbox(key="photo").set_value("Rocket").run()
    assert seen(page) == ("Rocket", 6, {"photo": "Rocket", "step": "7"})


def test_a_bare_address_after_another_page_brings_everything_back(page):
    page.query_params.update({"photo": "Rocket", "step": "8"})
    page.run()
    page.session_state["elsewhere"] = True
    page.run()
    for name in ("photo", "step"):
        del page.query_params[name]
    page.session_state["elsewhere"] = False
    assert seen(page.run()) == ("Rocket", 7, {"photo": "Rocket", "step": "8"})


def test_other_peoples_parameters_stay(page):
    page.query_params.update({"photo": "Rocket", "utm": "x"})
    assert seen(page.run())[2] == {"photo": "Rocket", "step": "5", "utm": "x"}


@pytest.mark.parametrize(
    ("asked", "photo", "at"),
    [
        ({"photo": "<script>"}, "Cat", 4),
        ({"step": "evil"}, "Cat", 4),
        ({"step": "99"}, "Cat", 9),
        ({"step": "-3"}, "Cat", 0),
        ({"steps": "1000000"}, "Cat", 4),
        ({"look": "<b>,x,y,1"}, "Cat", 4),
    ],
)
def test_nonsense_counts_as_nothing(page, asked, photo, at):
    page.query_params.update(asked)
    found = seen(page.run())
    assert found[:2] == (photo, at)
    assert not set(asked.values()) & set(found[2].values())


def test_a_file_that_another_page_hands_over_opens_at_its_bytes_and_keeps_to_them_as_steps_are_added():
    code = """
import streamlit as st
from hiercodec.ui.frame import state

state.enter({"photo": "Cat", "step": "5"})
if "handed" not in st.session_state:
    st.session_state["handed"] = True
    state.hand_over("mine.png", b"png", 430)
state.recall(["Cat", state.UPLOAD])
state.remember("photo", st.selectbox("Photo", ["Cat", state.UPLOAD], key="photo"))
sizes = st.session_state.get("sizes", [100, 500, 1000])
st.session_state["at"] = state.stand("mine", sizes, 0, carry=False)
st.session_state["then"] = state.here("mine", sizes)
"""
    at = AppTest.from_string(code, default_timeout=20).run()
    assert not at.exception
    assert (at.session_state["photo"], at.session_state["at"]) == (state.UPLOAD, 1)
    assert at.session_state["explore_file"] == ("mine.png", b"png")
    at.session_state["sizes"] = [100, 300, 400, 500, 1000]
    at.run()
    assert at.session_state["at"] == at.session_state["then"] == 2, "430 is nearer to 400 than to 500"


def test_back_is_obeyed_at_once_and_takes_nothing_of_what_it_left(page):
    page.run()
    page.selectbox(key="photo").set_value("Rocket").run()
    page.selectbox(key="steps").set_value(12).run()
    for name in dict(page.query_params):
        del page.query_params[name]
    page.query_params.update({"photo": "Cat", "step": "3", "walk": "1-1"})
    assert seen(page.run()) == ("Cat", 2, {"photo": "Cat", "step": "3"})
    page.query_params.update({"photo": "Rocket", "step": "8"})  # forward, soon after
    assert seen(page.run())[:2] == ("Rocket", 7)

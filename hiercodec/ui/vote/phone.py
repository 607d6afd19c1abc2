"""A phone's way into a vote and its view of it: the question that is open now, a button a choice, a word of one's own."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

import streamlit as st

from hiercodec.ui.vote.rooms import MAX_WORD, Room, Rooms

ROOM, VOTER, HELD = "room", "me", "held"
"""Names in the address: the code of a phone's room, the phone's token, and the lecturer's own "CODE-secret"."""

LOCAL = {"localhost", "127.0.0.1", "::1", "[::1]"}

EVERY = 3.0
"""Seconds between two looks at which question is open: some hundred phones are few enough for a small server."""


STYLE = """<style>
[data-testid=stHeader] { display: none; }
[data-testid=stMainBlockContainer] { padding-top: 1rem; max-width: 32rem; }
</style>"""
"""No menu: nothing on a phone but the question."""


@st.cache_resource(show_spinner=False)
def house() -> Rooms:
    """The rooms of this server."""
    return Rooms()


def invitation(url: str, base: str, code: str) -> tuple[str, bool]:
    """The address that opens a room on a phone, and whether a phone can reach it.

    `url` is any of the lecturer's own, `base` the path under which the app is served.

    >>> invitation("http://192.168.1.7:8501/?photo=Cat", "", "ABCDE")
    ('http://192.168.1.7:8501/vote?room=ABCDE', True)
    >>> invitation("http://localhost:8501/apps/hc/", "apps/hc", "ABCDE")
    ('http://localhost:8501/apps/hc/vote?room=ABCDE', False)
    """
    parts = urlsplit(url)
    path = "/".join(["", *filter(None, [base.strip("/"), "vote"])])
    return f"{parts.scheme}://{parts.netloc}{path}?{ROOM}={code}", parts.hostname not in LOCAL


def phone(code: str) -> None:
    """The whole page below its heading."""
    st.html(STYLE)
    room = house().find(code)
    if room is None:
        if code:
            st.info("There is no vote with this code, or it is over.", icon=":material/info:")
        asked = st.text_input("The code on the screen", max_chars=10)
        if asked:
            st.query_params[ROOM] = asked
            st.rerun()
        return
    _ballot(room.code, _voter())


def _voter() -> str:
    """Who votes: a token in the phone's own address, so that a reload is no second vote."""
    token = st.query_params.get(VOTER, "")
    if not re.fullmatch(r"[0-9a-f]{16}", token):
        token = st.query_params[VOTER] = secrets.token_hex(8)
    return token


@st.fragment(run_every=EVERY)
def _ballot(code: str, voter: str) -> None:
    room = house().find(code)
    if room is None or room.current is None:
        st.markdown("**Voting is over.** Look at the screen." if room else "**This vote is over.**")
        return
    question = room.current
    asked = room.round, question
    st.markdown(f"**{room.questions[question]}** Look at the screen, then choose.")
    said = room.said(voter)
    with st.container(gap="xsmall"):
        for index, name in enumerate(room.choices):
            chosen = said is not None and said[0] == index
            st.button(
                name,
                key=f"vote_{asked}_{index}",
                width="stretch",
                type="primary" if chosen else "secondary",
                icon=":material/check:" if chosen else None,
                on_click=_vote,
                args=(room, voter, asked, index),
            )
    st.text_input(
        "In a word of your own, if you like",
        key=f"vote_word_{asked}",
        max_chars=MAX_WORD,
        on_change=_vote,
        args=(room, voter, asked, None),
    )
    st.caption(
        "Your vote counts. You may change it while the question is open." if said else "Nobody sees who voted what."
    )


def _vote(room: Room, voter: str, asked: tuple[int, int], choice: int | None) -> None:
    """Send what the phone shows, unless the lecturer has gone on meanwhile; a word alone waits for a choice."""
    said = room.said(voter)
    choice = said[0] if choice is None and said else choice
    if (room.round, room.current) == asked and choice is not None:
        room.vote(voter, choice, str(st.session_state.get(f"vote_word_{asked}", "")))

"""What the lecturer's view and the phones share: the rooms of this server, and how a phone finds one."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from hiercodec.ui.vote.rooms import Rooms

ROOM, VOTER, HELD = "room", "me", "held"
"""Names in the address: the code of a phone's room, the phone's token, and the lecturer's own "CODE-secret"."""

LOCAL = {"localhost", "127.0.0.1", "::1", "[::1]"}


@st.cache_resource(show_spinner=False)
def house() -> Rooms:
    """The rooms of this server."""
    return Rooms()


def invitation(url: str, code: str) -> tuple[str, bool]:
    """The address that opens a room on a phone, and whether a phone can reach it: `url` is the lecturer's own.

    >>> invitation("http://192.168.1.7:8501/vote?photo=Cat", "ABCDE")
    ('http://192.168.1.7:8501/vote?room=ABCDE', True)
    >>> invitation("http://localhost:8501/vote", "ABCDE")[1]
    False
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{ROOM}={code}", parts.hostname not in LOCAL

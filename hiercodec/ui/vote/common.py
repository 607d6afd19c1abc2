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

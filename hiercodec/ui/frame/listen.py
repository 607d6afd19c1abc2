"""A component without a face that tells the server of clicks on Plotly's tiles and dots."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from hiercodec.report import web

_LISTEN = component("hiercodec_listen", html="<span\n hidden></span>", js=web.read("listen.mjs"))


def to_clicks(place: str, clicked: Callable[[str], None]) -> None:
    """Call `clicked` with a tile's id or a dot's `customdata` after a click on the chart in the container `place` (its key).

    The run that follows is one of the page, or of the fragment in which this is called.
    """
    key = f"listen_{place}"

    def told() -> None:
        where = st.session_state[f"{key}_clicks"].get("click")
        if isinstance(where, str):
            clicked(where)

    with st.container(key=key):
        _LISTEN(key=f"{key}_clicks", data={"chart": place}, on_click_change=told)

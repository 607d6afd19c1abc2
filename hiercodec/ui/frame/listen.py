"""A component without a face that tells the server of clicks on Plotly's tiles and dots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

_SCRIPT = Path(__file__).resolve().parents[1] / "web" / "listen.mjs"
_LISTEN = component("hiercodec_listen", html="<span\n hidden></span>", js=_SCRIPT.read_text(encoding="utf-8"))


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

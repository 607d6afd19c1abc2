"""A component without a face that tells the server of a change of theme and of clicks on a Plotly tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

_SCRIPT = Path(__file__).resolve().parents[1] / "web" / "listen.mjs"
_LISTEN = component("hiercodec_listen", html="<span\n hidden></span>", js=_SCRIPT.read_text(encoding="utf-8"))


def to_theme(mode: str) -> None:
    """Run the page again when the visitor's theme stops being `mode`, so that charts follow it."""
    with st.container(key="listen_theme"):
        _LISTEN(key="theme_listener", data={"mode": mode}, on_theme_change=_nothing)


def to_tree(chart: str, opened: Callable[[str], None]) -> None:
    """Call `opened` with the id of the node that a click on the tree chart with the key `chart` asks for."""

    def clicked() -> None:
        node = st.session_state["tree_listener"].get("node")
        if isinstance(node, str):
            opened(node)

    with st.container(key="listen_tree"):
        _LISTEN(key="tree_listener", data={"tree": chart}, on_node_change=clicked)


def _nothing() -> None:
    """The run that a trigger starts is all that is wanted."""

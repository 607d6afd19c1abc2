"""Failures: where answers go wrong, of measured photographs and of one's own."""

from __future__ import annotations

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.ui.failures import charts, gallery, source, stress
from hiercodec.ui.frame import chrome

VIEWS = {
    "Gallery": gallery.gallery,
    "Confusion": charts.confusion,
    "Mistakes": charts.mistakes,
    "Flow": charts.flow,
    "Groups": charts.groups,
    "Side by side": charts.beside,
    "Stress": stress.panel,
}

gallery.leave()
with st.container(horizontal=True, vertical_alignment="center"):
    chrome.page("Failures", width="content")
    draw = chrome.views(VIEWS)
try:
    row, below = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
    with row:
        name = source.choose()
    with below:
        given = source.opened(name)
    with row:
        view = source.view(given) if given else None
    if view is None:
        chrome.footer()
    else:
        chosen = gallery.filters(view)
        draw(view, chosen)
        chrome.footer(source.provenance(view))
except HiercodecError as error:
    chrome.empty(f"These results cannot be shown: {error}")
    chrome.footer()

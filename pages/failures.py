"""Failures: where answers go wrong, of samples under stress, of measured photographs and of one's own."""

from __future__ import annotations

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.ui.failures import charts, gallery
from hiercodec.ui.frame import chrome

VIEWS = {"Gallery": gallery.draw, "Confusion": charts.confusion, "Mistakes": charts.mistakes}

gallery.leave()
with st.container(horizontal=True, vertical_alignment="center"):
    chrome.page("Failures", width="content")
    view = chrome.views(VIEWS)
try:
    view()
except HiercodecError as error:
    chrome.empty(f"These results cannot be shown: {error}")
    chrome.footer()

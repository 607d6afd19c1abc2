"""Explore: slide the byte budget and watch the picture sharpen and the prediction descend the hierarchy."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui import chrome, explore

with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    chrome.page("Slide the bytes", width="content")
    chosen = explore.choose()
shown = explore.subject(chosen, explore.default_settings())
if shown is None:
    chrome.footer()
else:
    explore.view(shown)
    chrome.footer(explore.provenance(shown.bundle.trace))

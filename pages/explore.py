"""Explore: slide the byte budget and watch the picture sharpen and the prediction descend the hierarchy."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui.explore import page as explore
from hiercodec.ui.frame import chrome, work

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    chrome.page("Slide the bytes", width="content")
    explore.enter()
    settings = explore.settings()
    chosen = explore.choose()
st.markdown(explore.SENTENCE)
shown = explore.subject(chosen, settings)
if shown is None:
    chrome.footer()
else:
    explore.view(shown)
    explore.notices(shown, settings)
    chrome.footer(explore.provenance(shown.bundle.trace))
work.prestart()  # whoever uploads a photograph soon finds a worker that has loaded the codec

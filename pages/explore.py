"""Explore: slide the byte budget and watch the picture sharpen and the prediction descend the hierarchy."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui.explore import coach
from hiercodec.ui.explore import page as explore
from hiercodec.ui.frame import chrome, work

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="explore_head"):
    chrome.page("Slide the bytes", width="content")
    explore.enter()
    taught = coach.enter()
    settings = explore.settings()
    chosen = explore.choose()
if taught is None:
    st.markdown(explore.SENTENCE)
with coach.beside(taught):
    shown = explore.subject(chosen, settings)
    if shown is not None:
        explore.view(shown, taught)
        explore.notices(shown, settings)
chrome.footer(explore.provenance(shown.bundle.trace) if shown else None)
if chosen is not None:
    explore.drop(settings.side, hidden=True)
work.prestart()  # whoever uploads a photograph soon finds a worker that has loaded the codec

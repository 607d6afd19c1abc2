"""Entry of the app: `streamlit run app.py`, or `hiercodec app`."""

from __future__ import annotations

import streamlit as st

from hiercodec.fsio import locate
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.frame.navigation import navigation

styled = chrome.styled()
st.set_page_config(
    page_title="hiercodec",
    page_icon=str(locate("logo.svg")),
    layout="wide" if styled else "centered",  # as a browser opens, until there is nothing left that would move
    initial_sidebar_state="collapsed",
    menu_items={"About": "An image codec whose one bitstream means more the more of it arrives."},
)
st.logo(str(locate("wordmark.svg")), size="medium")
page = navigation()
if styled:
    page.run()
    cached.settle(page.url_path)

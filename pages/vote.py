"""Class vote: a phone's page. The hall's is a mode of Explore, Present, at the key V."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui.frame import chrome
from hiercodec.ui.vote.phone import ROOM, phone

chrome.page("What is it?")
phone(st.query_params.get(ROOM, ""))

"""Class vote: a hall says what it sees at three sizes of one file, then sees what the classifier said."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui.explore import subject
from hiercodec.ui.frame import chrome, state
from hiercodec.ui.vote.common import ROOM
from hiercodec.ui.vote.host import host
from hiercodec.ui.vote.phone import phone

if ROOM in st.query_params:
    chrome.page("What is it?")
    phone(st.query_params[ROOM])
elif shown := subject.last_shown(st.query_params.get(state.PHOTO)):
    host(shown)
    chrome.footer()
else:
    chrome.page("Class vote")
    chrome.empty("There is no photograph to ask about.", how=subject.SHIP)

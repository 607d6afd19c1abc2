"""Names of what the pages keep between runs, and of what the address carries.

`photo` and `step` are bound to the address by their widgets, which drop values that do not exist. The address carries
what the widgets show: the photograph's title and the step's number, counted from 1. A photograph left out means
DEFAULT_PHOTO; that never changes, because a link made today must mean the same later.
"""

from __future__ import annotations

import streamlit as st

PHOTO = "photo"
STEP = "step"
SCRUBBER = "explore_scrubber"
SEEK = "explore_seek"
SHOWN = "explore_shown"
CODEC = "explore_codec"
OWN = "explore_own"
_RELEASED = "explore_released"
_SLID = "explore_slid"
_TOLD = "explore_told"

DEFAULT_PHOTO = "Cat"
DEFAULT_STEP = 8
UPLOAD = "Your own …"


def seek() -> int:
    """How often the server has told the scrubber where to go; it obeys when this number changes."""
    return st.session_state.get(SEEK, 0)


def told_to(position: int) -> int:
    """Where the scrubber was last told to go.

    Its own moves do not change this, so that what it is sent stays the same and need not be sent again.
    """
    number, place = st.session_state.get(_TOLD, (None, position))
    if number != seek():
        st.session_state[_TOLD] = (seek(), position)
        return position
    return place


def tell_scrubber() -> None:
    """Make the scrubber go to the current step on its next draw."""
    st.session_state[SEEK] = seek() + 1


def released() -> None:
    """The hand let go of the scrubber: its position becomes the step of the page and of the address."""
    position = st.session_state[SCRUBBER].get("k")
    if isinstance(position, int):
        st.session_state[_RELEASED] = position


def slid() -> None:
    """The plain slider was moved, or seems to have been: see `settle_step`."""
    st.session_state[_SLID] = True


def settle_step(count: int) -> int:
    """Decide where the page stands, before the slider is drawn: the scrubber's word counts more than the slider's.

    On quick releases the browser still sends the slider's value of the run before, which looks like a move back.
    """
    position, moved = st.session_state.pop(_RELEASED, None), st.session_state.pop(_SLID, False)
    if position is not None:
        st.session_state[STEP] = position
    elif moved:
        tell_scrubber()
    return hold_step(count)


def codec_asked() -> None:
    """Someone chose a classical codec to compare with."""
    codec = st.session_state[SCRUBBER].get("codec")
    if isinstance(codec, str):
        st.session_state[CODEC] = codec


def hold_step(count: int) -> int:
    """Keep the step inside 0…count−1 before its widget is drawn, and return it.

    A first visit without a step in the address starts at DEFAULT_STEP.
    """
    value = st.session_state.get(STEP)
    if value is None:
        value = _from_address()
    held = max(0, min(count - 1, value))
    if held != st.session_state.get(STEP):
        st.session_state[STEP] = held
    return held


def _from_address() -> int:
    """The step the address names, else the default; nonsense counts as nothing."""
    try:
        return int(st.query_params.get(STEP, "")) - 1
    except ValueError:
        return DEFAULT_STEP

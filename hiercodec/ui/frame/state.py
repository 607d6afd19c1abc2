"""Names of what the pages keep between runs, and of what the address carries.

`photo`, `step`, `finer` and the settings are bound to the address by their widgets, which drop values that do not exist.
The address carries what the widgets show: the photograph's title and the step's number, counted from 1. A photograph
left out means DEFAULT_PHOTO; that never changes, because a link made today must mean the same later. `look` is the
scrubber's view, its sides A and B and its zoom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

PHOTO = "photo"
STEP = "step"
SCRUBBER = "explore_scrubber"
FINER = "finer"
LOOK = "look"
SEEK = "explore_seek"
SHOWN = "explore_shown"
CODEC = "explore_codec"
OWN = "explore_own"
_RELEASED = "explore_released"
_SLID = "explore_slid"
_TOLD = "explore_told"
_PLACE = "explore_place"
_ASKED = "explore_finer_asked"
_LOOK_TOLD = "explore_look_told"
_LOOK_FORM = re.compile(r"[a-z0-9]{1,12}(,[a-z0-9]{1,12}){3}")

DEFAULT_PHOTO = "Cat"
DEFAULT_STEP = 8
UPLOAD = "Your own …"
NO_FINER = "none"
PLAIN_LOOK = "picture,prefix,original,0"


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
    """Make the scrubber go to the current step on its next draw, and should it be a new one, take on the address's look."""
    st.session_state[SEEK] = seek() + 1
    asked = str(st.query_params.get(LOOK, ""))
    st.session_state[_LOOK_TOLD] = asked if _LOOK_FORM.fullmatch(asked) else PLAIN_LOOK


def released() -> None:
    """The hand let go of the scrubber: its position becomes the step of the page and of the address."""
    position = st.session_state[SCRUBBER].get("k")
    if isinstance(position, int):
        st.session_state[_RELEASED] = position


def slid() -> None:
    """The plain slider was moved, or seems to have been: see `settle_step`."""
    st.session_state[_SLID] = True


def look() -> str:
    """The view with which the scrubber opens: the address's when the whole page last ran.

    It stays the same until then, so that the scrubber is not sent anew when the view changes.
    """
    return st.session_state.get(_LOOK_TOLD, PLAIN_LOOK)


def looked() -> None:
    """The scrubber shows another view: the address follows."""
    seen = st.session_state[SCRUBBER].get("look")
    if isinstance(seen, str) and _LOOK_FORM.fullmatch(seen):
        if seen == PLAIN_LOOK:
            st.query_params.pop(LOOK, None)
        else:
            st.query_params[LOOK] = seen


def finer_asked() -> None:
    """Someone asked for finer steps in a block, or for none again."""
    level = st.session_state[SCRUBBER].get("finer")
    if isinstance(level, str):
        st.session_state[FINER] = level or NO_FINER
        st.session_state[_ASKED] = True


def take_finer_asked() -> bool:
    """Whether that happened since the last time: then the whole page has to run, not only the scrubber's part."""
    return bool(st.session_state.pop(_ASKED, False))


def keep_place(origin: str, sizes: Sequence[int], position: int) -> None:
    """Remember at how many bytes of the picture `origin` the page stands."""
    st.session_state[_PLACE] = (origin, sizes[position])


def return_to_place(origin: str, sizes: Sequence[int]) -> None:
    """Go to the step nearest to where the page stood, if it showed the same picture with other steps."""
    before, n_bytes = st.session_state.get(_PLACE, (None, 0))
    if before == origin:
        st.session_state[STEP] = min(range(len(sizes)), key=lambda index: abs(sizes[index] - n_bytes))


def link(photo: str, position: int) -> str:
    """The address of exactly this view; what is default is left out, as the page itself does."""
    kept = {name: st.query_params[name] for name in ADDRESS if name in st.query_params}
    return f"{st.context.url or ''}?{urlencode(kept | {PHOTO: photo, STEP: position + 1})}"


ADDRESS = ("model", "classifier", "hierarchy", "steps", FINER, LOOK)
"""What a link carries besides the photograph and the step."""


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

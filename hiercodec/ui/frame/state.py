"""Where a visitor stands on Explore, and how that is kept.

            address  ?photo=Cat&step=5&look=…            memory of the session
                │  wins when it is not what we wrote         │  over pages and Back
                └───────────► enter() ─► recall() ◄──────────┘
                                            │
                                    widgets and scrubber
                                            │ a choice, a release, another view
                                            ▼
                              remember() ─► write_address()

A choice runs the whole page, and the scrubber is told where to go (`seek` grows). A release or another view comes *from*
the scrubber: it runs its own part of the page only, and the scrubber is not told back what it knows.
The address and the memory hold the same strings; values that do not exist count as nothing. `step` counts from 1. Until
anything has changed the address stays bare; from then on it names photograph and step, so that a link made today means
the same later. The settings (`cached.TraceSettings`) are menus that Streamlit binds to the address, which we leave alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from hiercodec.ui.frame.cached import NO_FINER, TraceSettings

PHOTO, STEP, LOOK, FINER = "photo", "step", "look", "finer"
COURSE, LESSON = "course", "lesson"
ADDRESS = (COURSE, LESSON, PHOTO, STEP, LOOK)
WALK = "walk"
"""Marks an address that was left and gone back to (report/web/history.mjs), with a number of its own."""
SCRUBBER, OWN, CAMERA = "explore_scrubber", "explore_own", "explore_camera"
UPLOAD = "Your own …"
TAKEN = "Camera picture.jpg"
PLAIN_LOOK = "picture,prefix,original,0"
LAG = 3.0
"""Seconds in which a browser may still show an address that was replaced; going back sooner than that is not heard."""

_MEMORY, _WRITTEN, _REPLACED, _PLAIN, _AT, _SEEK, _FILE, _WISH, _VOTE, _WHOLE, _WALKED, _FORGOTTEN = (
    f"explore_{name}"
    for name in (
        *("memory", "written", "replaced", "plain", "at", "seek"),
        *("file", "wish", "vote", "whole", "walked", "forgotten"),
    )
)
_LOOK_FORM = re.compile(r"[a-z0-9]{1,12}(,[a-z0-9]{1,12}){3,4}")
"""View, side A, side B, zoom, and the pace where it is not the plain one."""


def memory() -> dict[str, str]:
    """What the session remembers, by the names of the address."""
    return st.session_state.setdefault(_MEMORY, {})


def enter(plain: Mapping[str, str]) -> None:
    """Begin a run of the page: an address that we did not write is a wish. `plain` is what the page opens with."""
    st.session_state[_PLAIN] = dict(plain)
    asked, walk = _shown_address(), st.query_params.get(WALK)
    if walk is not None and walk != st.session_state.get(_WALKED):  # Back: that view, and nothing of this one
        st.session_state.update({_WALKED: walk, _REPLACED: [], _WRITTEN: asked})
        for name in ADDRESS:
            memory().pop(name, None)
            st.session_state.pop(name, None)
        st.session_state.pop(_AT, None)
    elif asked == st.session_state.get(_WRITTEN, {}) or _is_late(asked):
        return
    if asked and COURSE not in asked:  # an address of another view ends a course
        leave_course()
    memory().update(asked)
    if not _LOOK_FORM.fullmatch(memory().get(LOOK, "")):
        memory().pop(LOOK, None)
    if STEP in asked:
        st.session_state.pop(_AT, None)
    for name in set(asked) - {STEP, LOOK}:
        st.session_state.pop(name, None)  # its widget takes the value from the memory


def recall(titles: Sequence[str]) -> None:
    """Give the row of photographs its value before it is drawn: its own, else the remembered one, else the plain one."""
    known = (st.session_state.get(PHOTO), memory().get(PHOTO), st.session_state.get(_PLAIN, {}).get(PHOTO), titles[0])
    st.session_state[PHOTO] = next(title for title in known if title in titles)


def remember(name: str, value: Any) -> None:
    """Keep what a widget or the scrubber says now."""
    memory()[name] = str(value)


def choose_next(titles: Sequence[str]) -> None:
    """Show the photograph after this one, or the first. Before the widgets are drawn."""
    at = titles.index(memory()[PHOTO]) if memory().get(PHOTO) in titles else -1
    st.session_state[PHOTO] = titles[(at + 1) % len(titles)]


def write_address() -> None:
    """Make the address say what is remembered; other people's parameters stay.

    A browser that we wrote to a moment ago may still show, and send, what was there before: neither what it shows nor
    what we wrote last is enough to know that nothing is to be done.
    """
    rows, shown, written = address(), _shown_address(), st.session_state.get(_WRITTEN, {})
    if rows and not rows == shown == written:
        st.query_params.update(rows)
    for name in (*ADDRESS, WALK):
        if name not in rows:
            st.query_params.pop(name, None)
    if rows != written:
        now = time.monotonic()
        recent = [(then, old) for then, old in st.session_state.get(_REPLACED, []) if now - then < LAG]
        st.session_state[_REPLACED] = [*recent, (now, written)]
    st.session_state[_WRITTEN] = rows


def _shown_address() -> dict[str, str]:
    """What the browser's address said when it sent this run."""
    return {name: st.query_params[name] for name in ADDRESS if name in st.query_params}


def _is_late(asked: Mapping[str, str]) -> bool:
    """Whether an address is one that we replaced so shortly ago that the browser had not heard of it: no wish."""
    now = time.monotonic()
    return any(asked == old and now - then < LAG for then, old in st.session_state.get(_REPLACED, []))


def address() -> dict[str, str]:
    """Names and values of the address: nothing until something changes, then photograph, step and what is not plain."""
    plain = st.session_state.get(_PLAIN, {})
    rows = {name: value for name, value in memory().items() if value != plain.get(name)}
    place = {name: memory()[name] for name in (PHOTO, STEP) if name in memory()}
    moved = rows or st.session_state.get(_WRITTEN)
    return {name: (place | rows)[name] for name in ADDRESS if name in place | rows} if moved else {}


def link(photo: str, position: int) -> str:
    """The address of exactly this view."""
    others = {name: value for name, value in st.query_params.items() if name not in (*ADDRESS, WALK)}
    rows = address() | {PHOTO: photo, STEP: str(position + 1)}
    return f"{st.context.url or ''}?{urlencode({name: rows[name] for name in ADDRESS if name in rows} | others)}"


# ---- a course -----------------------------------------------------------------------------------------------------------
def go(photo: str, position: int, look: str = PLAIN_LOOK) -> None:
    """Stand at a step of a sample's shipped trace, with the settings it was made with. Before the widgets are drawn."""
    memory().update({PHOTO: photo, STEP: str(position + 1), LOOK: look})
    st.session_state.update(asdict(TraceSettings()))
    for name in (PHOTO, _AT):
        st.session_state.pop(name, None)  # the widget takes its value from the memory


def leave_course() -> None:
    """Forget the course and the lesson."""
    for name in (COURSE, LESSON):
        memory().pop(name, None)


# ---- the place in the file ---------------------------------------------------------------------------------------------
def stand(origin: str, sizes: Sequence[int], opening: int, *, carry: bool) -> int:
    """Where the page stands in a trace with steps at `sizes` bytes, for a run of the whole page.

    In the picture it showed before (`origin`): at the same bytes. In another one: at the remembered step, which a change
    of photograph carries over if `carry`; else where it opens.
    """
    if _WISH in st.session_state:
        st.session_state[_AT] = (origin, st.session_state.pop(_WISH))
    before, n_bytes = st.session_state.get(_AT, (None, 0))
    if before == origin:
        index = _nearest(sizes, n_bytes)
    elif carry:
        text = memory().get(STEP, "")
        index = int(text) - 1 if re.fullmatch(r"-?\d{1,6}", text) else opening
    else:
        index = opening
    return _settle(origin, sizes, index)


def here(origin: str, sizes: Sequence[int]) -> int:
    """Where the page stands now, for a run of the scrubber's part."""
    return _settle(origin, sizes, int(memory()[STEP]) - 1)


def _settle(origin: str, sizes: Sequence[int], index: int) -> int:
    index = max(0, min(len(sizes) - 1, index))
    remember(STEP, index + 1)
    before, n_bytes = st.session_state.get(_AT, (None, 0))
    if (
        before != origin or _nearest(sizes, n_bytes) != index
    ):  # else the bytes once asked for stay: steps may still be added
        st.session_state[_AT] = (origin, sizes[index])
    return index


def _nearest(sizes: Sequence[int], n_bytes: int) -> int:
    return min(range(len(sizes)), key=lambda i: abs(sizes[i] - n_bytes))


def next_seek() -> int:
    """A number that the scrubber has not seen: with it, it goes where it is told."""
    st.session_state[_SEEK] = st.session_state.get(_SEEK, 0) + 1
    return st.session_state[_SEEK]


# ---- what comes from the scrubber --------------------------------------------------------------------------------------
def _said(name: str) -> Any:
    return (st.session_state.get(SCRUBBER) or {}).get(name)


def released() -> None:
    """The hand let go of the scrubber: its position becomes the step of the page and of the address."""
    position = _said("k")
    if isinstance(position, int):
        remember(STEP, position + 1)
        write_address()


def looked() -> None:
    """The scrubber shows another view: the address follows."""
    seen = _said("look")
    if isinstance(seen, str) and _LOOK_FORM.fullmatch(seen):
        remember(LOOK, seen)
        write_address()


def finer_asked() -> None:
    """Someone asked for finer steps in a block, or for none again."""
    level = _said("finer")
    if isinstance(level, str):
        st.session_state[FINER] = level or NO_FINER
        whole_page()


def vote_asked() -> None:
    """A hall shall be asked what it sees, or shall be left in peace."""
    st.session_state[_VOTE] = _said("vote") == "on"
    whole_page()


def voting() -> bool:
    """Whether a vote of the hall is on."""
    return st.session_state.get(_VOTE, False)


def whole_page() -> None:
    """What the scrubber asked for concerns more than its own part of the page."""
    st.session_state[_WHOLE] = True


def page_asked() -> bool:
    """Whether the whole page is to run again; once."""
    return st.session_state.pop(_WHOLE, False)


def codec_asked() -> str | None:
    """The rival codec to compare with, if any."""
    codec = _said("codec")
    return codec if isinstance(codec, str) else None


# ---- a file of the visitor's own ---------------------------------------------------------------------------------------
def own_file() -> tuple[str, bytes] | None:
    """Name and bytes of the file the visitor gave, which stays over a change of photograph or page."""
    return st.session_state.get(_FILE)


def own_key() -> str:
    """The uploader's key: another one once its file was forgotten, so that it is empty again."""
    forgotten = st.session_state.get(_FORGOTTEN, 0)
    return f"{OWN}_{forgotten}" if forgotten else OWN


def own_name() -> str:
    """What the visitor's file is called, without its ending."""
    kept = own_file()
    return "Your picture" if kept is None else kept[0].rpartition(".")[0] or kept[0]


def own_changed(key: str) -> None:
    """The widget `key` was given a file, or it was taken away by hand; not being drawn for a while is neither."""
    given = st.session_state.get(key)
    name = TAKEN if key == CAMERA else getattr(given, "name", "")
    st.session_state[_FILE] = None if given is None else (name, given.getvalue())
    if given is not None:  # it may have been dropped on another photograph
        st.session_state[PHOTO] = UPLOAD
        remember(PHOTO, UPLOAD)


def hand_over(name: str, data: bytes, n_bytes: int) -> None:
    """Have Explore show this file as if the visitor had given it there, at the step nearest to `n_bytes`."""
    st.session_state[_FILE] = (name, data)
    st.session_state[_WISH] = n_bytes
    st.session_state.pop(PHOTO, None)
    remember(PHOTO, UPLOAD)


def forget_own() -> None:
    """The visitor wants the file gone."""
    st.session_state.update({_FILE: None, _FORGOTTEN: st.session_state.get(_FORGOTTEN, 0) + 1})

"""A course inside Explore: a panel that says what to look at, drives photograph, step and view, and points at a part.

The address and the memory hold course and lesson like everything else (see `state`). A lesson's view is taken when the
lesson begins; after that the visitor moves freely, and "Show again" returns to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from hiercodec.errors import CourseError, HiercodecError
from hiercodec.figures.palette import palette
from hiercodec.ui.frame import chrome, state
from hiercodec.ui.learn import library
from hiercodec.ui.learn.courses import Course, Lesson
from hiercodec.ui.learn.facts import filled
from hiercodec.ui.learn.places import Place, place_of

_BEGUN = "explore_begun"

POINTS_AT = {
    "picture": "the picture",
    "divider": "the two pictures",
    "size": "size, rate and quality",
    "answers": "the three answers",
    "bar": "the file bar",
    "blocks": "the notches under the file bar",
    "lanes": "the lanes of the three levels",
    "meaning": "the curve of meaning",
    "probabilities": "the rows of probabilities",
    "buttons": "the buttons that move through the file",
    "tabs": "the tabs under the lanes",
}

# Lesson and picture beside each other on all but phones, where the lesson comes first. Without the page's title and the row
# of photographs, which a lesson chooses anyway, wherever room is short: picture and answers are to be seen whole.
STYLE = """<style>
.st-key-lesson { gap: 0.75rem 1.5rem; }
.st-key-coach { gap: 0.6rem; }
.st-key-coach h2 { padding: 0 0 0.6rem; }
.st-key-coach [data-testid=stMarkdown] p { max-width: 46rem; }
.st-key-coach [data-testid=stMarkdown] p:not(:last-child) { margin-bottom: 0.6rem; }
.st-key-coach pre { font-size: 0.85rem; }
@media (max-width: 900px) { /* what is folded comes after the picture */
  .st-key-lesson > :first-child, .st-key-coach { display: contents; }
  .st-key-coach > :has(> .st-key-coach_folds) { order: 1; }
}
@media (min-width: 901px) {
  .st-key-lesson { display: grid; grid-template-columns: clamp(15.5rem, 24vw, 21rem) minmax(0, 1fr); align-items: start; }
  .st-key-lesson > :first-child { position: sticky; top: 4.5rem; max-height: calc(100vh - 5.5rem); overflow-y: auto; }
}
@media (max-width: 1359px) {
  .st-key-explore_head { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .st-key-coach { gap: 0.35rem; }
  [data-testid=stMainBlockContainer] { padding: 4.25rem 1.25rem 2rem; }
}
LOOK_AT
</style>"""
TABS = ".st-key-lesson_view [role=tablist] {{ outline: 3px dashed {}; outline-offset: 2px; }}"


@dataclass(frozen=True, slots=True)
class Taught:
    """The lesson that is on: its course, its number from 0, and the place it opens."""

    course: Course
    number: int
    place: Place

    @property
    def lesson(self) -> Lesson:
        """The lesson itself."""
        return self.course.lessons[self.number]


def enter() -> Taught | None:
    """The lesson that address or memory ask for, if any; its view is taken when it begins. Before any widget."""
    name, number = (state.memory().get(key, "") for key in (state.COURSE, state.LESSON))
    if not name:
        st.session_state.pop(_BEGUN, None)
        return None
    try:
        taught = _taught(name, int(number) if re.fullmatch("[0-9]{1,4}", number) else 1)
    except HiercodecError as error:
        state.leave_course()
        chrome.notice("error", f"This course cannot be shown. {error}")
        return None
    state.remember(state.LESSON, taught.number + 1)
    asked = state.COURSE in st.query_params and state.PHOTO not in st.query_params
    begun = st.session_state.get(_BEGUN)
    if asked or (begun != (name, taught.number) and state.PHOTO not in st.query_params):
        _show(taught)
    st.session_state[_BEGUN] = (name, taught.number)
    return taught


def _taught(name: str, number: int) -> Taught:
    course = library.course(name)
    index = max(0, min(len(course.lessons), number) - 1)
    return Taught(course, index, place_of(course.lessons[index], library.traces()))


def _show(taught: Taught) -> None:
    """Take the view of a lesson."""
    head, place = taught.lesson.head, taught.place
    state.go(place.photo.title, place.index, f"{head.view},prefix,{head.beside},0")


def _go(name: str, number: int) -> None:
    """Begin lesson `number` (from 0) of a course: a button's callback."""
    taught = _taught(name, number + 1)
    state.remember(state.LESSON, number + 1)
    st.session_state[_BEGUN] = (name, number)
    _show(taught)


def go_on(taught: Taught) -> bool:
    """Begin the lesson after this one; False where it is the last."""
    more = taught.number + 1 < len(taught.course.lessons)
    if more:
        _go(taught.course.name, taught.number + 1)
    return more


@contextmanager
def beside(taught: Taught | None) -> Iterator[None]:
    """Lay the page out: the lesson, and what is drawn in the block beside or under it."""
    if taught is None:
        yield
        return
    look_at = taught.lesson.head.look_at or ""
    outlined = TABS.format(palette(chrome.mode()).primary) if look_at == "tabs" else ""
    st.html(STYLE.replace("LOOK_AT", outlined))
    with st.container(key="lesson"):
        with st.container(key="coach"):
            _panel(taught)
        with st.container(key="lesson_view"):
            yield


def _panel(taught: Taught) -> None:
    course, lesson, number = taught.course, taught.lesson, taught.number
    _buttons(taught)
    st.header(lesson.head.title, anchor=False)
    try:
        text, question, answer = (filled(part, taught.place) for part in lesson.texts())
    except CourseError as error:
        chrome.notice("error", str(error))
        text = question = answer = ""
    st.markdown(text)
    if lesson.head.look_at:
        st.caption(f":material/ads_click: Look at {POINTS_AT[lesson.head.look_at]}, outlined with dashes.")
    with st.container(key="coach_folds", gap="small"):
        if question:
            with st.expander(question, icon=":material/help:", key=f"question {course.name} {number}"):
                st.markdown(answer)
        if lesson.snippet:
            with st.expander("Show the code", icon=":material/code:", key=f"code {course.name} {number}"):
                st.code(lesson.snippet, language=None)  # the colours of highlighted code are too faint on its ground


def _buttons(taught: Taught) -> None:
    """Where in the course, back and on: always at the same place, so that one key leads through all lessons."""
    course, number = taught.course, taught.number
    last = len(course.lessons) - 1
    st.caption(f"**{course.head.title}** · lesson {number + 1} of {last + 1}")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button("Back", disabled=number == 0, on_click=_go, args=(course.name, number - 1), key="lesson_back")
        if number < last:
            st.button("Next", type="primary", on_click=_go, args=(course.name, number + 1), key="lesson_next")
        else:
            st.button("Finish", type="primary", on_click=state.leave_course, key="lesson_next")
        st.button(
            "Show again", on_click=_go, args=(course.name, number), type="tertiary", help="Back to the lesson's view"
        )
        if number < last:
            st.button("Leave", on_click=state.leave_course, type="tertiary", help="Leave the course, stay in this view")

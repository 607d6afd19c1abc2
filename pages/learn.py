"""Learn: the courses, each of which runs inside Explore, and the words of the app."""

from __future__ import annotations

import streamlit as st

from hiercodec.errors import CourseError
from hiercodec.report.glossary import GLOSSARY
from hiercodec.ui.frame import chrome, state
from hiercodec.ui.learn import library
from hiercodec.ui.learn.courses import ENVIRONMENT, Course
from hiercodec.ui.learn.facts import check


def draw(course: Course) -> None:
    """One course: what it is about, the way in, and its lessons."""
    with st.container(border=True):
        st.header(f"{course.head.title}", anchor=False)
        st.markdown(f"{course.about}  \n{course.head.minutes} minutes, {len(course.lessons)} lessons.")
        start = {state.COURSE: course.name, state.LESSON: "1"}
        chrome.link("explore", f"Start “{course.head.title}”", query=start, icon=":material/play_arrow:")
        with st.expander("The lessons", icon=":material/list:"):
            for number, lesson in enumerate(course.lessons, start=1):
                query = {state.COURSE: course.name, state.LESSON: str(number)}
                chrome.link("explore", f"{number}. {lesson.head.title}", query=query)


chrome.page("Learn", "Courses that run inside Explore: one question a step, shown on the picture itself.")
with st.container(width=820):
    courses, wrong = library.all_courses()
    for found in courses:
        draw(found)
        for lesson in found.lessons:
            try:
                check(lesson, library.traces())
            except CourseError as error:
                wrong.append(error)
    for error in wrong:
        chrome.notice("error", str(error))
    st.caption(f"Write a course of your own in Markdown: docs/courses.md. `{ENVIRONMENT}` names the folder it is in.")
    st.header("Words", anchor=False)
    for word, meaning in GLOSSARY.items():
        st.markdown(f"**{word}.** {meaning}")
    st.markdown(
        "The method is that of *Coarse-to-Fine: Progressive Image Compression for Semantically Hierarchical "
        "Classification* (Kim, Kim and Lee, ICIP 2026, [arXiv 2605.08266](https://arxiv.org/abs/2605.08266))."
    )
chrome.footer()

"""The courses there are, read once and again when a file changes, and the traces their facts come from."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from hiercodec.errors import CourseError, HiercodecError
from hiercodec.evaluation.photos.samples import Sample, samples
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.ui.frame import cached
from hiercodec.ui.learn.courses import Course, folders, read_course


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(folder: str, stamp: tuple[tuple[str, float], ...]) -> Course:
    return read_course(Path(folder))


def _course(folder: Path) -> Course:
    return _read(str(folder), tuple((path.name, path.stat().st_mtime) for path in sorted(folder.glob("*.md"))))


def course(name: str) -> Course:
    """The course called `name`; `CourseError` if there is none, or it cannot be read."""
    known = {folder.name: folder for folder in folders()}
    if name not in known:
        raise CourseError(f"There is no such course; there are {', '.join(known)}.")
    return _course(known[name])


def all_courses() -> tuple[list[Course], list[CourseError]]:
    """Every course that can be read, in their order, and what is wrong with the others."""
    found, wrong = [], []
    for folder in folders():
        try:
            found.append(_course(folder))
        except CourseError as error:
            wrong.append(error)
    return sorted(found, key=lambda row: (row.head.order, row.name)), wrong


def traces() -> dict[Sample, Trace]:
    """The shipped traces by their photographs; `CourseError` if there are none."""
    found = {}
    for row in samples():
        try:
            found[row] = cached.shipped_bundle(row.id).trace
        except HiercodecError:
            continue
    if not found:
        raise CourseError("no traces are shipped; make them with: python -m tools.assets traces")
    return found

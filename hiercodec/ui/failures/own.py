"""A visitor's own photographs as rows: given as files or a zip, traced in the background, kept for the session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hiercodec.classify import missing
from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.photos.uploads import MAX_FILES, MAX_TOTAL, endings, photographs
from hiercodec.evaluation.results.rows import Rows
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy.hierarchy_file import DEFAULT
from hiercodec.ui.frame import cached, chrome, work
from hiercodec.ui.frame.work import Background
from hiercodec.workers import gallery
from hiercodec.workers.gallery import Measure, Traced

OWN = "Your own …"
SIDE = cached.SIDES[0]
"""Longest side a photograph is traced at, in pixels: what Explore takes by default, so that both see the same file."""

JUDGES = ("lite0", "lite2")

_UPLOAD, _KEY, _JOB, _FILE, _ERROR = (f"failures_{name}" for name in ("upload", "key", "job", "file", "error"))


@dataclass(frozen=True, slots=True)
class Source:
    """Rows under a name, with an identity for caches; `thumbnail` and `picture` say what a photograph looks like.

    `thumbnail(photo, setting)` is an image file of the decoded picture or of the original, `picture(photo)` the PNG that
    was encoded; both None where the picture is not at hand, as is the rule unless `pictured`.
    """

    name: str
    identity: str
    rows: Rows
    thumbnail: Callable[[str, str], bytes | None]
    picture: Callable[[str], bytes | None]
    pictured: bool


class Batch(Background):
    """`work` on every item, one after another in a thread of its own, begun at once; `cancel` stops before the next item.

    Values stand in `results`, refusals in `problems`, where `name` says what an item is called. No Streamlit calls inside.
    """

    def __init__(self, items: Sequence[Any], work: Callable[[Any], Any], name: Callable[[Any], str] = str) -> None:
        self.total, self.done = len(items), 0
        self.results: list[Any] = []
        self.problems: list[str] = []
        self._begin("failures", self._run, items, work, name)

    def _run(self, items: Sequence[Any], work: Callable[[Any], Any], name: Callable[[Any], str]) -> None:
        for item in items:
            if self.cancelled:
                return
            try:
                self.results.append(work(item))
            except HiercodecError as error:
                self.problems.append(f"{name(item)}: {error}")
            except Exception:  # a thread has nobody else to tell
                logging.getLogger(__name__).exception("a photograph could not be traced")
                self.problems.append(f"{name(item)}: could not be traced")
            self.done += 1


def measure() -> Measure:
    """What a visitor's photographs are measured with: the judges are those that are installed."""
    return Measure(DEFAULT_MODEL, tuple(name for name in JUDGES if not missing(name)), DEFAULT)


# ---- on the page -------------------------------------------------------------------------------------------------------
def choose() -> Source | tuple[str, bytes] | None:
    """What the visitor gave: photographs as far as they are traced, a file of rows (name and bytes), or None."""
    st.file_uploader(
        f"Up to {MAX_FILES} photographs or a zip of them, together up to {MAX_TOTAL >> 20} MB; or a file "
        "of rows (.parquet) that `hiercodec evaluate` wrote. They stay in the memory of this computer and are forgotten "
        "when you leave. In a zip, folders named by WordNet ids (n02123045) say what is right.",
        type=[*endings(), "zip", "parquet"],
        accept_multiple_files=True,
        max_upload_size=MAX_TOTAL >> 20,
        key=_UPLOAD,
        on_change=_changed,
    )
    if error := st.session_state.get(_ERROR):
        chrome.notice("error", f"This cannot be used: {error}")
    if _JOB in st.session_state:
        _told(st.session_state[_JOB])
    return given()


def given() -> Source | tuple[str, bytes] | None:
    """What `choose` returned last, without drawing anything."""
    if _FILE in st.session_state:
        return st.session_state[_FILE]
    if _JOB not in st.session_state:
        return None
    traced = {one.name: one for one in list(st.session_state[_JOB].results)}
    if not traced:
        return None
    rows, identity = rows_of(list(traced.values())), f"{st.session_state[_KEY]} {len(traced)}"
    return Source(
        OWN, identity, rows, lambda name, cut: traced[name].thumbnails.get(cut), lambda name: traced[name].png, True
    )


def _changed() -> None:
    """Files were given, or taken away by hand; that the widget is not drawn for a while is neither."""
    files = [(file.name, file.getvalue()) for file in st.session_state.get(_UPLOAD) or ()]
    forget()
    if not files:
        return
    tables = [row for row in files if row[0].lower().endswith(".parquet")]
    if tables:
        st.session_state[_FILE] = tables[0]
        return
    try:
        found = photographs(files)
        if not cached.models():
            raise InputError("no codec is installed")
    except HiercodecError as error:
        st.session_state[_ERROR] = str(error)
        return
    trace, told = work.later(gallery.traced), measure()
    st.session_state[_KEY] = cached.key_of(b"".join(data for _, data in files))
    st.session_state[_JOB] = Batch(
        found, lambda one: trace(told, one.name, one.content(), one.label, SIDE), lambda one: one.name
    )


def forget() -> None:
    """Stop what is running and let everything go."""
    if _JOB in st.session_state:
        st.session_state.pop(_JOB).cancel()
    for name in (_KEY, _ERROR, _FILE):
        st.session_state.pop(name, None)


def _told(job: Batch) -> None:
    """How far it is, with a way to stop; what was refused, and why; and a way to be forgotten."""
    if not job.finished:
        progress(job, job.done, "Tracing your photographs", 10)
    for problem in job.problems[:8]:
        chrome.notice("warning", f"Left out: {problem}")
    if len(job.problems) > 8:
        chrome.notice("warning", f"… and {len(job.problems) - 8} more were left out.")
    for one in [one for one in list(job.results) if one.note][:8]:
        chrome.notice("info", f"{one.name}: {one.note}.")
    if job.finished:
        with st.container(horizontal=True, vertical_alignment="center"):
            more = f", then stopped: {job.total - job.done} were not looked at" if job.cancelled else ""
            st.caption(f"{len(job.results)} of your photographs are traced{more}.")
            st.button("Forget them", on_click=forget, type="tertiary")


@st.fragment(run_every=1.0)
def progress(job: Batch, drawn: int, doing: str, every: int) -> None:
    """A line that follows the work; the page, which has `drawn` results, runs again for the first, `every` more, and all."""
    if job.finished or job.done - drawn >= (every if drawn else 1):
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.done / job.total, text=f"{doing}: {job.done} of {job.total} …")
        st.button("Stop", key=f"stop {doing}", on_click=job.cancel, help="Stop and keep what is there")


def rows_of(traced: Sequence[Traced]) -> Rows:
    """The rows of photographs as a file would give them."""
    from hiercodec.evaluation.results import rows

    return rows.decode(rows.encode(rows.table([row for one in traced for row in one.rows], traced[0].meta)))

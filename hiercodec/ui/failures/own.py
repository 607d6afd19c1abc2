"""A visitor's own photographs as rows: given as files or a zip, traced in the background, kept for the session."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.rows import Rows
from hiercodec.evaluation.uploads import MAX_FILES, MAX_TOTAL, Given, photographs
from hiercodec.images import encode_png, resize_to
from hiercodec.protocols import OperatingPoint
from hiercodec.ui.failures.batch import Batch
from hiercodec.ui.frame import cached, chrome

CUTS = 5
"""Shares of a file that are looked at, besides the ends of its levels."""

SIDE = cached.SIDES[0]
"""Longest side a photograph is traced at, in pixels: what Explore takes by default, so that both see the same file."""

THUMBNAIL = 176
"""Longest side of a small picture, in pixels."""

JUDGES = ("lite0", "lite2")
MODEL = "lite"

_UPLOAD, _KEY, _JOB, _FILE, _ERROR, _WAITING = (
    f"failures_{name}" for name in ("upload", "key", "job", "file", "error", "waiting")
)


@dataclass(frozen=True, slots=True)
class Traced:
    """One photograph: its name, its rows, the PNG that was encoded, and a small picture of every cut, by its setting."""

    name: str
    rows: list[dict[str, Any]]
    png: bytes
    thumbnails: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The photographs traced so far; `identity` changes with them."""

    identity: str
    rows: Rows
    traced: dict[str, Traced]

    def thumbnail(self, photo: str, setting: str) -> bytes | None:
        """A small picture of one cut."""
        found = self.traced.get(photo)
        return found and found.thumbnails.get(setting)

    def picture(self, photo: str) -> bytes | None:
        """The PNG that was encoded."""
        found = self.traced.get(photo)
        return found and found.png


@dataclass(slots=True)
class Watched:
    """A codec as a peer that keeps a small picture of every point it gives."""

    peer: Any
    thumbnails: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The codec's name."""
        return self.peer.name

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """The codec's points, looked at in passing."""
        for point in self.peer.points(rgb):
            self.thumbnails[point.setting] = small(point.picture)
            yield point

    def provenance(self) -> dict[str, Any]:
        """The codec's own."""
        return self.peer.provenance()


def small(rgb: np.ndarray, side: int = THUMBNAIL) -> bytes:
    """A small WebP of uint8 (H, W, 3), to find a photograph by; not what its pixels are judged by."""
    out = io.BytesIO()
    Image.fromarray(resize_to(rgb, side)).save(out, "WEBP", quality=80)
    return out.getvalue()


def measuring() -> tuple[Any, list[Any], dict[str, Any]]:
    """The codec as a peer, the judges that are installed, and the metadata of rows made with them. Loads the models."""
    from hiercodec.classify import missing
    from hiercodec.evaluation.measure import Judging
    from hiercodec.evaluation.peers import HierPeer, shares_and_ends
    from hiercodec.evaluation.provenance import provenance
    from hiercodec.taxonomy.hierarchy_file import DEFAULT

    if not cached.models():
        raise InputError("no codec is installed")
    peer = HierPeer(cached.codec_for(None, MODEL), shares_and_ends(CUTS), MODEL)
    tree = cached.load_hierarchy(DEFAULT)
    judges = [Judging(cached.load_classifier(name), tree) for name in JUDGES if not missing(name)]
    meta = {"levels": {level.name: level.k for level in tree.levels}, "data": {"name": "your photographs"}}
    return peer, judges, {**meta, "crop": None, "command": "", "provenance": provenance([peer], judges)}


def tracer() -> tuple[Callable[[Given], Traced], dict[str, Any]]:
    """How to trace one photograph, from any thread, and the metadata of the rows that gives. Models are loaded here."""
    from hiercodec.evaluation.records import records

    peer, judges, meta = measuring()

    def trace(given: Given) -> Traced:
        rgb = resize_to(given.read(), SIDE)
        watched = Watched(peer)
        with cached.turn():
            rows = list(records(given.name, rgb, given.label, [watched], judges))
        return Traced(given.name, rows, encode_png(rgb), watched.thumbnails)

    return trace, meta


# ---- on the page -------------------------------------------------------------------------------------------------------
def choose() -> Gallery | tuple[str, bytes] | None:
    """What the visitor gave: photographs as far as they are traced, a file of rows (name and bytes), or None."""
    st.file_uploader(
        f"Up to {MAX_FILES} photographs (JPEG, PNG, WebP) or a zip of them, together up to {MAX_TOTAL >> 20} MB; or a file "
        "of rows (.parquet) that `hiercodec evaluate` wrote. They stay in the memory of this computer and are forgotten "
        "when you leave. In a zip, folders named by WordNet ids (n02123045) say what is right.",
        type=["jpg", "jpeg", "png", "webp", "zip", "parquet"],
        accept_multiple_files=True,
        max_upload_size=MAX_TOTAL >> 20,
        key=_UPLOAD,
        on_change=_changed,
    )
    if error := st.session_state.get(_ERROR):
        chrome.notice("error", f"This cannot be used: {error}")
    if _WAITING in st.session_state:
        _begin(st.session_state.pop(_WAITING))
    if _JOB in st.session_state:
        _told(st.session_state[_JOB][0])
    return given()


def given() -> Gallery | tuple[str, bytes] | None:
    """What `choose` returned last, without drawing anything."""
    if _FILE in st.session_state:
        return st.session_state[_FILE]
    if _JOB not in st.session_state:
        return None
    job, meta = st.session_state[_JOB]
    traced = {one.name: one for one in list(job.results)}
    if not traced:
        return None
    rows = rows_of([row for one in traced.values() for row in one.rows], meta)
    return Gallery(f"{st.session_state[_KEY]} {len(traced)}", rows, traced)


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
    st.session_state[_KEY] = cached.key_of(b"".join(data for _, data in files))
    try:
        st.session_state[_WAITING] = photographs(files)
    except HiercodecError as error:
        st.session_state[_ERROR] = str(error)


def _begin(found: list[Given]) -> None:
    """Load the models, with words on the page, and start tracing."""
    try:
        with st.spinner("Loading the codec and the judges …"):
            work, meta = tracer()
    except HiercodecError as error:
        chrome.notice("error", f"Photographs cannot be traced here: {error}")
        return
    st.session_state[_JOB] = Batch(found, work, lambda one: one.name), meta


def forget() -> None:
    """Stop what is running and let everything go."""
    if _JOB in st.session_state:
        st.session_state.pop(_JOB)[0].cancel()
    for name in (_KEY, _ERROR, _FILE, _WAITING):
        st.session_state.pop(name, None)


def _told(job: Batch) -> None:
    """How far it is, with a way to stop; what was refused, and why; and a way to be forgotten."""
    if not job.finished:
        _progress(job, job.done)
    for problem in job.problems[:8]:
        chrome.notice("warning", f"Left out: {problem}")
    if len(job.problems) > 8:
        chrome.notice("warning", f"… and {len(job.problems) - 8} more were left out.")
    if job.finished:
        with st.container(horizontal=True, vertical_alignment="center"):
            more = f", then stopped: {job.total - job.done} were not looked at" if job.cancelled else ""
            st.caption(f"{len(job.results)} of your photographs are traced{more}.")
            st.button("Forget them", on_click=forget, type="tertiary")


@st.fragment(run_every=1.0)
def _progress(job: Batch, drawn: int) -> None:
    """A line that follows the work. The page, which has `drawn` photographs, runs again for the first, ten more, all."""
    if job.finished or job.done - drawn >= (10 if drawn else 1):
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.done / job.total, text=f"Tracing your photographs: {job.done} of {job.total} …")
        st.button("Stop", on_click=job.cancel, help="Stop and keep those that are traced")


def rows_of(kept: list[dict[str, Any]], meta: dict[str, Any]) -> Rows:
    """Rows in memory as a file would give them."""
    from hiercodec.evaluation import rows

    return rows.decode(rows.encode(rows.table(kept, meta)))

"""Results in and out: rows and curves to download, a file of one's own to open."""

from __future__ import annotations

import streamlit as st

from hiercodec import values
from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import exchange, untrusted
from hiercodec.ui.frame import chrome
from hiercodec.ui.results import files
from hiercodec.ui.results.files import RowsFile, labels

UPLOAD = "evaluate_upload"
MAX_CURVES = 12
"""Curves of other people that a session keeps."""


def draw() -> None:
    """Downloads of a file, and the upload of one's own."""
    out, into = st.columns(2, gap="large")
    with into:
        st.header("Bring along", anchor=False)
        upload()
    with out:
        st.header("Take away", anchor=False)
        found = files.sources()
        if found:
            downloads(
                found[chrome.menu("Results", "rows", list(found), width=300, format_func=labels(found).__getitem__)]
            )
    chrome.footer()


def downloads(file: RowsFile) -> None:
    """All rows, and each codec's curve as CompressAI writes it."""
    stem = "".join(c if c.isalnum() else "-" for c in file.title.lower()).strip("-")
    icon, codecs = ":material/download:", [name for name in file.rows().codecs if name != ORIGINAL]
    st.download_button(
        "All rows (Parquet)", file.data, f"{stem}.parquet", "application/vnd.apache.parquet", on_click="ignore", icon=icon,
        key="get_rows",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        codec = chrome.menu("Codec", "get", codecs, width=200, format_func=title)
        st.download_button(
            "Its curve (CompressAI JSON)",
            lambda: values.dumps(exchange.to_compressai(file.rows(), codec), indent=1),
            f"{stem}-{codec.replace(':', '-')}.json", "application/json", on_click="ignore", icon=icon, key="get_curve",
        )  # fmt: skip
    st.caption(
        "Every chart has its numbers behind “Show as a table”, and every table can be searched and saved. To compare "
        "several files, make one of them: `python -m hiercodec results join`."
    )


def upload() -> None:
    """Open a rows file, or one curve as CompressAI writes it. What is wrong with a file stands beside the field."""
    st.file_uploader(
        f"A results file of `hiercodec evaluate` (.parquet, up to {untrusted.MAX_BYTES // 2**20} MB) or a curve as "
        "CompressAI writes it (.json). It stays in the memory of this computer and is forgotten when you leave.",
        type=["parquet", "json"], max_upload_size=untrusted.MAX_BYTES // 2**20, key=UPLOAD, on_change=_uploaded,
    )  # fmt: skip
    if words := st.session_state.get(f"{UPLOAD}_words"):
        chrome.notice(*words)


def _uploaded() -> None:
    """A file was given: keep it, or say what is wrong with it."""
    given = st.session_state.get(UPLOAD)
    if given is None:
        st.session_state.pop(f"{UPLOAD}_words", None)
        return
    try:
        st.session_state[f"{UPLOAD}_words"] = "info", _opened(given.name, given.getvalue())
    except HiercodecError as error:
        st.session_state[f"{UPLOAD}_words"] = "error", f"This file cannot be opened: {error}"


def _opened(name: str, content: bytes) -> str:
    if name.lower().endswith(".json"):
        frame = exchange.from_compressai(content).frame
        papers = st.session_state.setdefault(files.OPENED, [])
        if len(papers) >= MAX_CURVES:
            raise InputError(f"{MAX_CURVES} curves are open already; load the page anew to begin again")
        for codec, rows in frame.groupby("codec", sort=False):
            rows = rows.sort_values("bpp")
            paper = {"name": str(codec), "source": name, "bpp": rows["bpp"].tolist()}
            papers.append(paper | {m: rows[m].tolist() for m in ("psnr", "ms_ssim") if rows[m].notna().all()})
        return "Opened: its curve is dashed on “Curves”, by PSNR or MS-SSIM."
    st.session_state["rows"] = files.add_own(name, content)
    return "Opened: it is chosen as “Results” now."

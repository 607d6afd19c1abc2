"""Results in and out: rows and curves to download, a file of one's own to open, a second file to draw beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec import values
from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import exchange, untrusted
from hiercodec.evaluation.results.curves import curve
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared
from hiercodec.ui.results import data, published
from hiercodec.ui.results.choice import ALONE, Choice
from hiercodec.ui.results.files import RowsFile, labels

UPLOAD = "evaluate_upload"
MAX_CURVES = 12
"""Curves of other people that a session keeps."""


def draw(choice: Choice, found: Mapping[str, RowsFile]) -> None:
    """Downloads, the upload, and the file beside."""
    out, into = st.columns(2, gap="large")
    with out:
        st.subheader("Take away", anchor=False)
        downloads(choice)
        st.radio(
            "The camera on each chart saves", ["SVG", "PNG"], key="camera", bind="query-params", horizontal=True,
            help="SVG stays sharp at any size; PNG is a picture of dots.",
        )  # fmt: skip
    with into:
        st.subheader("Bring along", anchor=False)
        upload()
        called = {ALONE: "nothing", **labels(found)}
        others = [ALONE, *(title for title in found if found[title].sha256 != choice.source.sha256)]
        chrome.menu(
            "Draw beside it", "beside", others, format_func=called.__getitem__,
            help="The curves of a second results file, in the same charts.",
        )  # fmt: skip
        st.caption(
            "Then choose its codecs in the menu above. Over other photographs curves differ even if codecs do not."
        )


def downloads(choice: Choice) -> None:
    """Rows, curves, and each codec's curve as CompressAI writes it."""
    stem = "".join(c if c.isalnum() else "-" for c in choice.source.title.lower()).strip("-")
    icon = ":material/download:"
    with st.container(horizontal=True):
        st.download_button(
            "All rows (Parquet)", choice.source.data, f"{stem}.parquet", "application/vnd.apache.parquet",
            on_click="ignore", icon=icon, key="get_rows",
        )  # fmt: skip
        shared.download(points(choice), "These curves (CSV)", f"{stem}-curves.csv", key="get_curves")
        for codec in choice.shown:
            if " · " not in codec:
                st.download_button(
                    f"{choice.names[codec]} (CompressAI JSON)",
                    lambda codec=codec: values.dumps(exchange.to_compressai(choice.source.rows(), codec), indent=1),
                    f"{stem}-{codec.replace(':', '-')}.json", "application/json",
                    on_click="ignore", icon=icon, key=f"get_{codec}",
                )  # fmt: skip


def points(choice: Choice) -> list[dict[str, Any]]:
    """Every point of every codec shown, with all that was measured there: a row a codec, setting and measure."""
    rows = []
    for name in choice.shown:
        table = choice.tables[name]
        for measure in table.measures if name != ORIGINAL else ():
            line = curve(table, measure)
            rows += [
                {
                    "codec": name, "setting": line.settings[i], "judge": choice.judge, "measure": measure,
                    "bytes": float(line.bytes[i]), "bpp": float(line.bpp[i]), "mean": float(line.mean[i]),
                    "low": float(line.low[i]), "high": float(line.high[i]), "photographs": line.n,
                }
                for i in range(len(line.settings))
            ]  # fmt: skip
    return rows


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
        papers = st.session_state.setdefault(published.OPENED, [])
        if len(papers) >= MAX_CURVES:
            raise InputError(f"{MAX_CURVES} curves are open already; load the page anew to begin again")
        for codec, rows in frame.groupby("codec", sort=False):
            rows = rows.sort_values("bpp")
            paper = {"name": str(codec), "source": name, "bpp": rows["bpp"].tolist()}
            papers.append(paper | {m: rows[m].tolist() for m in ("psnr", "ms_ssim") if rows[m].notna().all()})
        return "Opened: see “Picture”, where the curve is dashed."
    st.session_state["rows"] = data.add_own(name, content)
    return "Opened: it is chosen as “Results” now, and can be drawn beside another one."

"""Evaluate: what every byte brings, in meaning and in picture, as curves worked out from measured rows."""

from __future__ import annotations

import streamlit as st

from hiercodec.report import measured as words
from hiercodec.ui.evaluate import choice, compare, data, files, label, photo, views
from hiercodec.ui.frame import chrome

VIEWS = {
    "Accuracy": views.accuracy,
    "Meaning": views.meaning,
    "Picture": views.picture,
    "How many groups?": views.groups,
    "Against rivals": compare.rivals,
    "Whole files": compare.full_rate,
    "Stop when sure": compare.stopping,
    "Label or pixels": label.draw,
    "One photograph": lambda chosen: photo.draw(chosen.at),
    "Files": lambda chosen: files.draw(chosen, found),
}
FIRST, UNJUDGED = "Accuracy", "Picture"

chrome.page(
    "What every byte brings",
    "Real files of every codec, cut or coded at many sizes, shown to classifiers and measured against the original. "
    "Further up is better, further left is cheaper.",
)
found = data.sources()
if not found:
    chrome.empty(
        "No measured rows are shipped. Measure photographs of your own, then open the file here.",
        how="python -m hiercodec evaluate DATASET --out mine.parquet",
    )
    files.upload()
    chrome.footer()
    st.stop()
chosen = choice.pick(found)
if chosen.judge and chosen.sat is not False:
    chrome.notice("warning", words.judge(chosen.judge, chosen.sat))
view = st.segmented_control(
    "View",
    list(VIEWS),
    default=FIRST if chosen.judge else UNJUDGED,
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
VIEWS[view or FIRST](chosen)
about = chosen.meta.get("data") or {}
provenance = chosen.meta["provenance"]
chrome.footer(
    {
        "rows": f"{words.plain(about.get('name', chosen.source.title))}, {about.get('photos', '?')} photographs",
        "sha256": chosen.source.sha256[:12],
        "models": words.plain(", ".join(f"{name} {mark}" for name, mark in (provenance.get("models") or {}).items())),
        "hierarchy": words.plain(provenance.get("hierarchy")),
    }
)

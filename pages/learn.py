"""Learn: the idea in five minutes, each step with a view to open."""

from __future__ import annotations

import streamlit as st

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.samples import samples
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.learn.lessons import lessons

WORDS = {
    "kind, family, class": "The three questions a file answers: one of 10 kinds, one of 100 families, one of 1000 classes. "
    "The paper calls these levels coarse, intermediate and fine.",
    "bit/pixel (bpp)": "All bytes of the file so far times 8, divided by the number of pixels.",
    "PSNR": "How close the picture is to the original, in decibels. 25 is rough, 30 decent, 35 good.",
    "prefix": "The first so many bytes of the file.",
    "z": "Side information sent first: a rough map of how busy each part of the picture is.",
    "block": "The part of the file that belongs to one level: the kind, the family or the class.",
    "top-1": "How often the classifier's likeliest answer is the right one.",
    "WUP": "Wu-Palmer similarity: how near two words are in WordNet; 1 is the same thing.",
}


def draw() -> None:
    """All lessons whose figures can be read."""
    traces = {
        row: cached.shipped_bundle(row.id).trace for row in samples() if (cached.TRACES / f"{row.id}.zip").is_file()
    }
    if not traces:
        chrome.empty("No traces are shipped, so there is nothing to show.", how="python -m hiercodec assets traces")
        return
    for number, lesson in enumerate(lessons(traces), start=1):
        with st.container(border=True):
            st.header(f"{number} · {lesson.heading}", anchor=False)
            st.markdown(lesson.text)
            st.markdown(f"**Measured.** {lesson.measured}")
            where = "in Split" if lesson.look else f"step {lesson.step}"
            label = f"Open this view: {lesson.photo}, {where}"
            chrome.link("explore", label, query=lesson.query, icon=":material/arrow_forward:")


chrome.page("Learn", "The idea in five minutes. Every step opens the view that shows it.")
with st.container(width=820):
    try:
        draw()
    except HiercodecError as error:
        chrome.empty(str(error))
    st.header("Words", anchor=False)
    for word, meaning in WORDS.items():
        st.markdown(f"**{word}.** {meaning}")
    st.markdown(
        "The method is that of *Coarse-to-Fine: Progressive Image Compression for Semantically Hierarchical "
        "Classification* (Kim, Kim and Lee, ICIP 2026, [arXiv 2605.08266](https://arxiv.org/abs/2605.08266))."
    )
chrome.footer()

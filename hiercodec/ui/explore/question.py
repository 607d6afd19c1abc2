"""Another question: what a detector, a segmenter, CLIP with one's own words or LPIPS make of the picture at this place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from hiercodec import tasks
from hiercodec.errors import HiercodecError
from hiercodec.images import sha256_of
from hiercodec.ui.frame import cached, chrome, work
from hiercodec.workers import tasks as work_of

if TYPE_CHECKING:
    from hiercodec.ui.explore.subject import Subject

Answer = tuple[str, list[tuple[str, float]], list[tuple[str, float]], float]


@st.cache_data(max_entries=64, show_spinner="Asking …")
def _asked(
    key: str, spec: str, hierarchy: str, words: tuple[str, ...], _original: np.ndarray, _picture: np.ndarray
) -> Answer:
    """What `tasks.ask` says of pictures, which `key` names. Raises the project's errors."""
    return work.run(work_of.call, tasks.ask, (spec, hierarchy, words, _original, _picture))


def panel(shown: Subject, position: int) -> None:
    """Choose a question; the answers on the original and on this prefix, and how like they are."""
    offered = tasks.allowed()
    if not offered:
        chrome.empty(
            "No other question can be asked here. Whoever starts the app names some: detection, segmentation, CLIP with "
            "words of your own, perceptual distance.",
            how=f'{tasks.ALLOWED}="detect:ssdlite320_mobilenet_v3_large clip:ViT-B-32/openai" streamlit run app.py',
        )
        return
    spec = (
        st.selectbox("Question", offered, key="explore_question", width=420, format_func=tasks.title_of) or offered[0]
    )
    groups: tuple[str, ...] = ()
    typed = ""
    if spec.startswith("clip:"):
        groups = cached.load_hierarchy(shown.judge[1]).levels[0].labels
        typed = st.text_input(
            "Words to choose from, with commas between them (none: the hierarchy's own)", key="explore_words",
            placeholder="cat, dog, red car", max_chars=tasks.MAX_WORDS * tasks.MAX_WORD,
        )  # fmt: skip
    trace, step = shown.bundle.trace, shown.bundle.trace.steps[position]
    original, picture = shown.bundle.original_pixels(), shown.bundle.pixels(position)
    key = f"{sha256_of(original)}-{sha256_of(picture)}"
    try:
        words = tuple(tasks.own_words(typed)) or groups
        title, before, now, score = _asked(key, spec, shown.judge[1], words, original, picture)
    except HiercodecError as error:
        chrome.empty(f"This question cannot be answered: {error}")
        return
    against = trace.provenance.get("reference") or "the original"
    value = "no score, as nothing is found on the original" if np.isnan(score) else f"**{score:.2f}**"
    st.markdown(f"At **{step.bytes:,} bytes**: {value} ({title}). 1 is the same as on {against}.")
    for place, name, found in zip(
        st.columns(2), (f"Here, {step.bytes:,} bytes", "Original"), (now, before), strict=True
    ):
        with place:
            st.markdown(f"**{name}**")
            rows = [{"answer": word, "how much": f"{share:.0%}"} for word, share in found]
            if rows:
                st.dataframe(rows, hide_index=True, width="stretch", height=min(38 * (len(rows) + 1), 320))
            else:
                st.markdown("nothing to name")

"""Where the classifier looks, beside where the bits went: two maps of the picture at the place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from hiercodec.errors import HiercodecError
from hiercodec.figures.palette import SEQUENTIAL, ramp
from hiercodec.images import sha256_of
from hiercodec.levels import spoken
from hiercodec.ui.frame import chrome, work
from hiercodec.workers import gallery

if TYPE_CHECKING:
    from hiercodec.ui.explore.subject import Subject

VEIL = 0.62
"""How much of the map's colour lies over the picture."""


@st.cache_data(max_entries=64, show_spinner="Asking the classifier where it looks …")
def attention(key: str, classifier: str, hierarchy: str, level: str, group: int, _rgb: np.ndarray) -> np.ndarray:
    """Where a classifier sees a group of a level in a picture (which `key` names), 0…1 on the latent grid.

    Raises the project's errors; `InputError` for a classifier without feature maps.
    """
    return work.run(gallery.attention, (classifier, hierarchy), level, group, _rgb)


def panel(shown: Subject, position: int) -> None:
    """Choose a level; the decoded picture under its map, the same picture under the map of bits, and how far they agree."""
    classifier, hierarchy = shown.judge
    trace = shown.bundle.trace
    step = trace.steps[position]
    if classifier is None or not step.top:
        chrome.empty("This trace was made without a classifier, so nobody looks.")
        return
    levels = list(step.top)
    level = st.segmented_control(
        "Where does it see the …", levels, default=levels[-1], format_func=spoken, required=True, key="looks_at"
    )
    group, label, p = step.top[level][0]
    rgb = shown.bundle.pixels(position)
    try:
        seen = attention(sha256_of(rgb), classifier, hierarchy, level, group, rgb)
    except HiercodecError as error:
        chrome.empty(f"There is no such map here: {error}")
        return
    bits = shown.bundle.bit_maps()[position]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Where {classifier} sees “{label}”** ({p:.0%}) at {step.bytes:,} bytes")
        chrome.picture(veiled(rgb, seen), f"Class-activation map of {label}")
    with right:
        st.markdown(f"**Where the {step.bytes:,} bytes went**")
        share = bits / max(float(np.percentile(bits, 99)), 1e-9)
        chrome.picture(veiled(rgb, share.clip(0, 1)), "Map of bits over the picture")
    st.markdown(words(seen, bits))
    st.caption(
        "Yellow is much, dark blue little. The left map is the classifier's own (Grad-CAM of its last layer, some 7×7 to "
        "10×10 places, so it is coarse); the codec never sees it. A codec spends bits where a picture is hard to predict, "
        "a classifier looks where the thing is: the two often differ."
    )


def veiled(rgb: np.ndarray, values: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) in grey under the colours of `values` (h, w), 0…1, each of which covers an equal share of it."""
    height, width = rgb.shape[:2]
    colours = np.array(ramp(SEQUENTIAL), np.uint8)[np.rint(255 * values).astype(int)]
    veil = Image.fromarray(colours).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(Image.blend(Image.fromarray(rgb).convert("L").convert("RGB"), veil, VEIL))


def words(seen: np.ndarray, bits: np.ndarray) -> str:
    """How far the two maps agree: their correlation, and the share of bits in the half of the picture most looked at."""
    total = float(bits.sum())
    if not total or seen.std() < 1e-9 or bits.std() < 1e-9:
        return "The classifier prefers no place, or no bit is spent yet, so there is nothing to compare."
    half = seen >= np.median(seen)
    share, area = float(bits[half].sum()) / total, float(half.mean())
    r = float(np.corrcoef(seen.ravel(), bits.ravel())[0, 1])
    return (
        f"The {area:.0%} of the picture that the classifier looks at most got **{share:.0%} of the bits**; spread evenly "
        f"it would be {area:.0%}. Correlation of the two maps: {r:+.2f}."
    )

"""Learn: the idea in five minutes, each step with a view to open."""

from __future__ import annotations

import streamlit as st

from hiercodec.ui.frame import chrome

# heading, text, (photograph, step) of the view that shows it
LESSONS = (
    (
        "1 · A file that can be cut anywhere",
        "Most picture files are useless when half of them is missing. A `.hc` file is not: whatever has arrived decodes to "
        "a picture. Drag the mark on the file bar from left to right and watch.",
        ("Tower", 1),
    ),
    (
        "2 · Three blocks, three questions",
        "The file's first block is meant to answer *what kind of thing is it?* (10 kinds), the second *which "
        "family?* (100), the third *which class?* (1000). Each block ends at a coloured notch. Page Up and Page Down "
        "jump between them.",
        ("Cat", 9),
    ),
    (
        "3 · Meaning comes before sharpness",
        "A classifier looks at each decoded picture. Its 1000 probabilities are summed over the groups of each level. Often "
        "the kind is right long before the class is, at a fraction of the bytes: see the lanes under the file bar.",
        ("Motorcycle", 4),
    ),
    (
        "4 · Important symbols first",
        "Inside a block, the numbers that are hardest to predict are sent first. Those that have not arrived are replaced "
        "by the decoder's best guess. So there is no bad place to cut, only an earlier or a later one.",
        ("Coffee", 6),
    ),
    (
        "5 · The same bytes, another format",
        "Open *Split*, choose JPEG or WebP at the same bytes as B, and compare. Very short files are where this codec is "
        "meant to be strong; JPEG cannot be made that small at all.",
        ("Tower", 5),
    ),
    (
        "6 · Where it fails",
        "A picture of something outside the 1000 classes still gets an answer, often a confident one. A silhouette has no "
        "texture. A codec cannot give a classifier what the classifier never learned.",
        ("Horse", 24),
    ),
)

WORDS = {
    "bit/pixel (bpp)": "All bytes of the file so far times 8, divided by the number of pixels.",
    "PSNR": "How close the picture is to the original, in decibels. 25 is rough, 30 decent, 35 good.",
    "prefix": "The first so many bytes of the file.",
    "z": "Side information sent first: a rough map of how busy each part of the picture is.",
    "block": "The part of the file that belongs to one level: coarse, intermediate or fine.",
    "top-1": "How often the classifier's likeliest answer is the right one.",
    "WUP": "Wu-Palmer similarity: how near two words are in WordNet; 1 is the same thing.",
}

chrome.page("Learn", "The idea in five minutes. Every step opens the view that shows it.")
with st.container(width=820):
    for heading, text, (photo, step) in LESSONS:
        with st.container(border=True):
            st.header(heading, anchor=False)
            st.markdown(text)
            st.markdown(f"[Open this view: {photo}, step {step}](/?photo={photo}&step={step})")
    st.header("Words", anchor=False)
    for word, meaning in WORDS.items():
        st.markdown(f"**{word}.** {meaning}")
    st.markdown(
        "The method is that of *Coarse-to-Fine: Progressive Image Compression for Semantically Hierarchical "
        "Classification* (Kim, Kim and Lee, ICIP 2026, [arXiv 2605.08266](https://arxiv.org/abs/2605.08266))."
    )
chrome.footer()

"""Models: what is shipped, what it was trained on, and what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import cards, measured


def codec(name: str, card: Mapping[str, Any]) -> None:
    """One codec: its training, its held-out figures level by level, and every data set it was measured on."""
    training = card.get("training") or {}
    facts = {
        "fingerprint": card.get("fingerprint"),
        "training steps": cards.number(card.get("steps"), 0),
        "photographs": cards.number(card.get("photos"), 0),
        "device": card.get("device"),
        "classifier in the loss": str(training.get("classifier") or "none").partition("@")[0],
    }
    st.markdown(" · ".join(f"{key}: **{value}**" for key, value in facts.items() if value))
    rows = [
        {
            "prefix": level,
            "rate (bit/pixel)": row.get("bpp"),
            "PSNR (dB)": row.get("psnr"),
            "answer kept": row.get("agreement"),
        }
        for level, row in cards.levels(card).items()
    ]
    if (words := cards.slow(card)) is not None:
        st.markdown(words)
    photos = (card.get("validation") or {}).get("photos")
    if rows:
        st.caption(f"{photos} photographs held out from training; rates are file bytes, container and z included.")
        st.dataframe(rows, hide_index=True, width="content")
    else:
        st.markdown(f"Held-out figures: {cards.NOT_MEASURED}.")
    for title, found in (card.get("measured") or {}).items():
        st.caption(f"{title}: {found.get('photos')} photographs, by `{found.get('command', 'an unknown command')}`")
        st.dataframe(cards.points(found), hide_index=True, width="stretch")
    measured.against_rate(name)
    measured.learning(name)


def classifier(card: Mapping[str, Any]) -> None:
    """A classifier: its size, its teacher, and what both score."""
    training = card.get("training") or {}
    teacher = training.get("teacher") or {}
    facts = {
        "weights": card.get("weights_id"),
        "parameters": cards.number(card.get("parameters"), 0),
        "taught by": teacher.get("name"),
        "pictures seen": cards.number(training.get("pictures_seen"), 0),
        "training time": cards.number(training.get("wall_minutes"), 0, "minutes"),
    }
    st.markdown(" · ".join(f"{key}: **{value}**" for key, value in facts.items() if value))
    st.caption(str((card.get("measured") or {}).get("photos", f"Accuracy: {cards.NOT_MEASURED}.")))
    own, theirs = cards.accuracies(card), cards.accuracies(card, "teacher")
    columns = st.columns(2)
    for column, who, rows in zip(columns, ("This classifier", "Its teacher"), (own, theirs), strict=True):
        if rows:
            column.markdown(f"**{who}**")
            column.dataframe(rows, hide_index=True, width="stretch")
    for sentence in (*training.get("notes", []), *card.get("caveats", [])):
        st.markdown(f"- {sentence}")


chrome.page("Models", "What ships with this installation and what it measured. Figures come from the model cards.")
found = cached.cards()
if not found:
    chrome.empty("No weights are installed.", how="python -m hiercodec train configs/lite-rd.toml")
for name, card in sorted(found.items(), key=lambda row: "preset" not in row[1]):
    with st.container(border=True):
        kind = "codec" if "preset" in card else str(card.get("kind", "weights"))
        st.header(f"{kind.capitalize()} “{name}”", anchor=False)
        if "preset" in card:
            codec(name, card)
        elif kind == "classifier":
            classifier(card)
            measured.learning(name)
if (words := cards.missing_tic(found)) is not None:
    with st.container(border=True):
        st.header("Codec “tic”", anchor=False)
        st.markdown(words)
        measured.proof(cards.results("tic-proof"))
with st.container(border=True):
    measured.ablation(cards.results("ablation"))
chrome.footer({"source": "assets/models, assets/results"})

"""Models: what is shipped, what it was trained on, and what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec.classify import PACKAGED, card_of
from hiercodec.evaluation.judge import in_loss
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


def classifier(name: str) -> None:
    """A packaged classifier: its weights, whether it sat in a codec's loss, and how far its probabilities can be trusted."""
    card = card_of(name)
    photos = card.get("photos") or {}
    sat = {model: in_loss(name, of) for model, of in cached.models().items()}
    facts = {
        "package": PACKAGED[name].package,
        "weights (SHA-256)": PACKAGED[name].sha256[:12],
        "temperature": cards.number(card.get("temperature"), 3),
        **{
            f"in the loss of {model}": {True: "yes", False: "no", None: "unknown"}[value]
            for model, value in sat.items()
        },
    }
    st.markdown(" · ".join(f"{key}: **{value}**" for key, value in facts.items()))
    if not card:
        st.markdown(f"Calibration: {cards.NOT_MEASURED}.")
        return
    st.caption(
        f"One temperature, fitted on {photos['fitted']} photographs at {card['prefixes']} prefixes each of {card['model']}, "
        f"tried on {photos['held_out']} others. ECE: how far, on average, the probability of the first answer is from how "
        f"often it is right. By `{card['command']}`. {card.get('remark', '')}"
    )
    st.dataframe(cards.calibration(card), hide_index=True, width="stretch")


chrome.page("Models", "What ships with this installation and what it measured. Figures come from the model cards.")
found = cached.models()
if not found:
    chrome.empty("No weights are installed.", how="python -m hiercodec train configs/lite-rd.toml")
for name, card in sorted(found.items()):
    with st.container(border=True):
        st.header(f"Codec “{name}”", anchor=False)
        codec(name, card)
if (words := cards.missing_tic(found)) is not None:
    with st.container(border=True):
        st.header("Codec “tic”", anchor=False)
        st.markdown(words)
        measured.proof(cards.results("tic-proof"))
for name in PACKAGED:
    with st.container(border=True):
        st.header(f"Classifier “{name}”", anchor=False)
        classifier(name)
with st.container(border=True):
    measured.ablation(cards.results("ablation"))
chrome.footer({"source": "assets/models, assets/results"})

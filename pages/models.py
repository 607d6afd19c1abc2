"""Models: what is shipped, what it was trained on, and what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec import figures_agreement as figures
from hiercodec.ui import cached, cards, chrome


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
    for title, measured in (card.get("measured") or {}).items():
        st.caption(
            f"{title}: {measured.get('photos')} photographs, by `{measured.get('command', 'an unknown command')}`"
        )
        st.dataframe(cards.points(measured), hide_index=True, width="stretch")


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


def ablation(found: Mapping[str, Any]) -> None:
    """The paper's ablations: what Δ-networks and channel splits change, with intervals over seeds."""
    st.header("Ablations", anchor=False)
    st.markdown(
        "What the Δ-networks and the split of the channels among the levels are worth (paper, §5.3): Δ-networks give a "
        "BD-rate of −1.401 %, and 128/96/96 is the best split (59.25 % by ResNet-50, WUP 0.8352)."
    )
    rows = cards.ablation_arms(found)
    if not rows:
        st.markdown(f"Here: {cards.NOT_MEASURED}.")
        st.code("python -m hiercodec.training.ablation configs/ablation.toml", language="bash")
        return
    training, held_out = found["setting"]["training"], found["held_out"]
    st.caption(
        f"Here, by `{found['command']}`: every arm {training['steps']} steps on a reduced backbone "
        f"({training['preset']}, N = {training['changes'].get('n')}), so arms can be compared with each other only; figures "
        f"are file bytes of {held_out['photos']} held-out photographs ({held_out['labelled']} labelled, else the answer on "
        f"the original counts), by {found['environment']['classifier']}. Intervals: {found['summary']['interval']}."
    )
    if intervals := cards.ablation_intervals(found):
        fig = figures.intervals(intervals, x="BD-rate, % (below 0: fewer bytes)", mode=chrome.mode())
        fig.add_vline(x=0, line={"width": 1.5, "dash": "dot"})
        alt = "; ".join(f"{name}: {mean:+.2f} %, {low:+.2f} to {high:+.2f}" for name, mean, low, high in intervals)
        chrome.chart(fig, key="ablation", alt=alt)
    st.dataframe(cards.ablation_deltas(found), hide_index=True, width="stretch")
    st.dataframe(rows, hide_index=True, width="stretch")


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
if (words := cards.missing_tic(found)) is not None:
    with st.container(border=True):
        st.header("Codec “tic”", anchor=False)
        st.markdown(words)
with st.container(border=True):
    ablation(cards.results("ablation"))
chrome.footer({"source": "assets/models/*.json, assets/results/ablation.json"})

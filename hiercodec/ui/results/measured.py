"""The models that are installed: what their cards say of them, how they learned, and how far judges can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec import installed
from hiercodec.classify import PACKAGED, card_of
from hiercodec.errors import ConfigError
from hiercodec.evaluation.provenance import in_loss, loss_classifiers
from hiercodec.figures import training as figures
from hiercodec.report import cards
from hiercodec.ui.frame import cached, chrome

SAT = {True: "yes", False: "no", None: "unknown"}


def draw() -> None:
    """Every codec with its held-out figures and learning curves, then the classifiers."""
    found = dict(sorted(cached.models().items()))
    if not found:
        chrome.empty("No weights are installed.", how="python -m hiercodec train configs/lite-rd.toml")
    for name, card in found.items():
        codec(name, card)
        learning(name)
    classifiers(found)
    if (words := cards.missing_tic(found)) is not None:
        st.markdown(words)
    st.caption("What other models, splits of channels and Δ-networks reached, and what did not work: docs/training.md.")
    chrome.footer({"source": "assets/models, assets/classifiers"})


def codec(name: str, card: Mapping[str, Any]) -> None:
    """One codec: its training and its held-out figures level by level."""
    in_the_loss = dict.fromkeys(spec.partition("@")[0] for spec in loss_classifiers(card))
    facts = {
        "fingerprint": card.get("fingerprint"),
        "training steps": cards.number(card.get("steps"), 0),
        "photographs": cards.number(card.get("photos"), 0),
        "device": card.get("device"),
        "classifiers in the loss": ", ".join(in_the_loss) or "none",
    }
    st.header(f"Codec {name}", anchor=False)
    st.markdown(" · ".join(f"{key}: **{value}**" for key, value in facts.items() if value))
    if (words := cards.slow(card)) is not None:
        st.markdown(words)
    if rows := cards.prefixes(card):
        st.dataframe(rows, hide_index=True, width="content")
        photos = (card.get("validation") or {}).get("photos")
        st.caption(f"{photos} photographs held out from training; rates are file bytes, container and z included.")
    else:
        st.markdown(f"Held-out figures: {cards.NOT_MEASURED}.")
    measured = card.get("measured") or {}
    chrome.reproduce(*(row.get("command") for row in measured.values()), words=f"On {', '.join(measured)}.")


def learning(name: str) -> None:
    """The learning curves of a model whose training log ships."""
    weights = installed.MODELS.find(name)[1]
    logs = [weights.with_name(f"{weights.stem}_log.jsonl"), weights.with_name("log.jsonl")]
    path = next((path for path in logs if path.is_file()), None)
    if path is None:
        return
    try:
        records = figures.read_log(path)
    except ConfigError as error:
        st.caption(str(error))
        return
    found, runs = figures.in_sequence(records)
    words = seen = f"{found[-1]['at']:,} crops"
    if len(runs) > 1:
        words += f" in {len(runs)} runs, one after another (dotted lines); not all of them led to the weights that ship"
    fig = figures.learning_curves(records, figures.levels_of(records), mode=chrome.mode())
    chrome.chart(fig, key=f"learning_{name}", alt=f"Learning curves of {name} over {seen}")
    st.caption(
        f"{name}, {words}. Marks: photographs held out from training. Thin lines: training batches. Log: `{path.name}`."
    )


def classifiers(codecs: Mapping[str, Mapping[str, Any]]) -> None:
    """The packaged classifiers: weights, whether they sat in a loss, and how far their probabilities can be trusted."""
    st.header("Classifiers", anchor=False)
    st.markdown(
        "One temperature each makes the probabilities honest. ECE: how far, on average, the probability of the first answer "
        "is from how often it is right."
    )
    found = {name: card_of(name) for name in PACKAGED}
    rows = []
    for name, card in found.items():
        held = card.get("held_out") or {}
        rows.append(
            {
                "classifier": name,
                "package": PACKAGED[name].package,
                "weights (SHA-256)": PACKAGED[name].sha256[:12],
                "temperature": cards.number(card.get("temperature"), 3),
                "ECE before": cards.number(held.get("ece_before"), 3),
                "ECE after": cards.number(held.get("ece_after"), 3),
                **{f"in the loss of {model}": SAT[in_loss(name, of)] for model, of in codecs.items()},
            }
        )
    st.dataframe(rows, hide_index=True, width="stretch")
    for name, card in found.items():
        if not card:
            st.markdown(f"Calibration of {name}: {cards.NOT_MEASURED}.")
            continue
        with st.expander(f"Calibration of {name} at every cut"):
            photos = card["photos"]
            st.markdown(
                f"Fitted on {photos['fitted']} photographs at {card['prefixes']} prefixes each of {card['model']}, tried on "
                f"{photos['held_out']} others. {card.get('remark', '')}"
            )
            st.dataframe(cards.calibration(card), hide_index=True, width="stretch")
    chrome.reproduce(*(card.get("command") for card in found.values()))

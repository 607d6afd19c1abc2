"""Panels of the Models page: learning curves, rate against accuracy and quality, ablations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hiercodec.errors import ConfigError
from hiercodec.figures import agreement as figures_agreement
from hiercodec.figures import results as figures_results
from hiercodec.figures import training as figures_training
from hiercodec.figures.palette import palette
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import cards


def learning(name: str) -> None:
    """The learning curves of a model whose training log is shipped; nothing where there is none."""
    path = cached.MODELS / f"{name}_log.jsonl"
    if not path.is_file():
        return
    try:
        records = figures_training.read_log(path)
    except ConfigError as error:
        st.caption(str(error))
        return
    levels = figures_training.levels_of(records)
    found, runs = figures_training.in_sequence(records)
    st.subheader("Learning curves", anchor=False)
    seen = f"{found[-1]['at']:,} {figures_training.axis_of(records)}"
    words = seen
    if len(runs) > 1:
        words += f" in {len(runs)} runs, one after another (dotted lines); not all of them led to the weights that ship"
    st.caption(f"{words}. Marks: photographs held out from training. Thin lines: training batches. Log: `{path.name}`.")
    alt = f"Learning curves of {name} over {seen}"
    chrome.chart(figures_training.learning_curves(records, levels, mode=chrome.mode()), key=f"learning_{name}", alt=alt)


def against_rate(name: str) -> None:
    """Accuracy and PSNR of a codec against rate, beside classical codecs, from its results files."""
    semantic, kodak = cards.results(f"{name}-cuts"), cards.results(f"{name}-kodak")
    for classifier in (semantic.get("uncompressed") or {}).get("accuracy", {}):
        levels = tuple(semantic["uncompressed"]["accuracy"][classifier])
        st.subheader("Accuracy at any number of bytes", anchor=False)
        st.caption(
            f"{semantic['photos']} photographs at {semantic['crop']}×{semantic['crop']}, every stream cut at "
            f"{semantic.get('cuts', 0)} shares of its bytes and at its levels' ends; answers by {classifier}; bars are 95 % "
            f"intervals, the grey line is the uncompressed photographs. By `{semantic['command']}`."
        )
        fig = figures_results.rate_accuracy(semantic, classifier, levels, mode=chrome.mode())
        alt = f"Top-1 by {classifier} against bit/pixel at {len(levels)} levels: {name} beside classical codecs"
        chrome.chart(fig, key=f"accuracy_{name}_{classifier}", alt=alt, table=lambda: cards.points(semantic))
    if kodak:
        st.subheader("Quality on Kodak", anchor=False)
        fig = figures_results.rate_distortion(kodak, mode=chrome.mode())
        chrome.chart(fig, key=f"kodak_{name}", alt=f"PSNR against bit/pixel on Kodak: {name} beside classical codecs")


def proof(found: Mapping[str, Any]) -> None:
    """A training run at reduced size that shows that everything works: its words, its learning curves, what it reached."""
    rows = cards.compared(found.get("against_lite") or {})
    if not rows:
        return
    st.subheader("Proof at reduced size", anchor=False)
    st.markdown(found["what"])
    records = found["log"]
    fig = figures_training.learning_curves(records, figures_training.levels_of(records), mode=chrome.mode())
    chrome.chart(fig, key="proof", alt=f"Learning curves of {len(found['runs'])} short runs, one after another")
    st.dataframe(rows, hide_index=True, width="stretch")
    held = found["against_lite"]
    st.caption(
        f"{held['photos']} photographs held out from training, {held['labelled']} of them labelled (else the answer on the "
        f"original counts), by {held['classifier']}. By `{held['command']}`."
    )
    for remark in found.get("remarks", []):
        st.caption(remark)


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
        st.code("python -m hiercodec ablation configs/ablation.toml", language="bash")
        return
    training, held_out = found["setting"]["training"], found["held_out"]
    st.caption(
        f"Here, by `{found['command']}`: every arm {training['steps']} steps on a reduced backbone "
        f"({training['preset']}, N = {training['changes'].get('n')}), so arms can be compared with each other only; figures "
        f"are file bytes of {held_out['photos']} held-out photographs ({held_out['labelled']} labelled, else the answer on "
        f"the original counts), by {found['environment']['classifier']}. Intervals: {found['summary']['interval']}."
    )
    for remark in found.get("remarks", []):
        st.caption(remark)
    if intervals := cards.ablation_intervals(found):
        fig = figures_agreement.intervals(intervals, x="BD-rate, % (below 0: fewer bytes)", mode=chrome.mode())
        fig.add_vline(x=0, line={"width": 1.5, "dash": "dot", "color": palette(chrome.mode()).text})
        alt = "; ".join(f"{name}: {mean:+.2f} %, {low:+.2f} to {high:+.2f}" for name, mean, low, high in intervals)
        chrome.chart(fig, key="ablation", alt=alt)
    st.dataframe(cards.ablation_deltas(found), hide_index=True, width="stretch")
    st.dataframe(rows, hide_index=True, width="stretch")

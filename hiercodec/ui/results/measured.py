"""Panels of the Models page: accuracy against rate, quality, prefixes, classifiers, learning curves, ablations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from hiercodec import installed
from hiercodec.classify import PACKAGED, card_of
from hiercodec.errors import ConfigError
from hiercodec.evaluation.judge import in_loss, loss_classifiers
from hiercodec.figures import agreement as figures_agreement
from hiercodec.figures import results as figures_results
from hiercodec.figures import training as figures_training
from hiercodec.figures.palette import palette
from hiercodec.levels import spoken
from hiercodec.report import cards
from hiercodec.ui.frame import cached, chrome

PHOTOS, KODAK = "imagenet-val", "kodak"
"""Shipped files of rows."""

SAT = {True: "yes", False: "no", None: "unknown"}


def how(commands: Iterable[str | None], words: str = "") -> None:
    """How the figures above were made, folded away."""
    with st.expander("How this was measured", icon=":material/terminal:"):
        if words:
            st.markdown(words)
        for command in filter(None, dict.fromkeys(commands)):
            st.code(command.replace(" && ", "\n"), language=None, wrap_lines=True)


def against_rate(name: str) -> None:
    """The hardest question's answers at any number of bytes beside classical codecs; every other curve is on Evaluate."""
    found = cards.only(cached.measured(PHOTOS), name)
    judges = cards.judges(found, cached.models())
    if not judges:
        st.markdown(f"Accuracy against rate: {cards.NOT_MEASURED}.")
        return
    st.subheader(f"Accuracy against rate: “{name}”", anchor=False)
    judge = next(iter(judges))
    level = [*found["uncompressed"]["accuracy"][judge]][-1]
    st.markdown(cards.judge_sentence(judge, judges[judge]))
    fig = figures_results.rate_accuracy(found, judge, (level,), mode=chrome.mode())
    alt = f"{spoken(level).capitalize()} top-1 by {judge} against bit/pixel: {name} beside classical codecs"
    chrome.chart(fig, key=f"accuracy_{name}", alt=alt, table=lambda: cards.points(found, {judge}))
    st.caption(
        f"{found['photos']} photographs at {found['crop']}×{found['crop']}, every stream cut where its levels end and at "
        "other shares of its bytes. Bars are 95 % intervals, the grey line the uncompressed photographs."
    )
    chrome.link("evaluate", "Every level, judge and rival, and by how much: Evaluate", icon=":material/show_chart:")


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
    st.markdown(f"**Codec “{name}”.** " + " · ".join(f"{key}: **{value}**" for key, value in facts.items() if value))
    if (words := cards.slow(card)) is not None:
        st.markdown(words)
    if rows := cards.prefixes(card):
        st.dataframe(rows, hide_index=True, width="content")
        photos = (card.get("validation") or {}).get("photos")
        st.caption(f"{photos} photographs held out from training; rates are file bytes, container and z included.")
    else:
        st.markdown(f"Held-out figures: {cards.NOT_MEASURED}.")


def every_figure(codecs: Mapping[str, Mapping[str, Any]]) -> None:
    """Every data set that a codec was measured on, as rows, with the commands."""
    commands = []
    for name, card in codecs.items():
        for title, found in (card.get("measured") or {}).items():
            st.markdown(f"**“{name}” on {title}**, {found.get('photos')} photographs")
            st.dataframe(cards.points(found), hide_index=True, width="stretch")
            commands.append(found.get("command"))
    commands += [cached.measured(which).get("command") for which in (PHOTOS, KODAK)]
    how(commands)


def quality(codecs: Mapping[str, Mapping[str, Any]]) -> None:
    """PSNR on Kodak, as rows; the curves are on Evaluate."""
    for name in codecs:
        kodak = cards.only(cached.measured(KODAK), name)
        if not kodak:
            st.markdown(f"“{name}” on Kodak: {cards.NOT_MEASURED}.")
            continue
        st.markdown(f"**“{name}” on Kodak**, {kodak['photos']} photographs")
        st.dataframe(cards.points(kodak), hide_index=True, width="content")
        how([kodak.get("command")])
    chrome.link("evaluate", "As curves: Evaluate", query={"view": "Picture"}, icon=":material/show_chart:")


def learning(codecs: Mapping[str, Mapping[str, Any]]) -> None:
    """The learning curves of the models whose training log is shipped."""
    for name in codecs:
        weights = installed.MODELS.find(name)[1]
        logs = [weights.with_name(f"{weights.stem}_log.jsonl"), weights.with_name("log.jsonl")]
        path = next((path for path in logs if path.is_file()), None)
        if path is None:
            continue
        try:
            records = figures_training.read_log(path)
        except ConfigError as error:
            st.caption(str(error))
            continue
        found, runs = figures_training.in_sequence(records)
        words = seen = f"{found[-1]['at']:,} {figures_training.axis_of(records)}"
        if len(runs) > 1:
            words += (
                f" in {len(runs)} runs, one after another (dotted lines); not all of them led to the weights that ship"
            )
        fig = figures_training.learning_curves(records, figures_training.levels_of(records), mode=chrome.mode())
        alt = f"Learning curves of {name} over {seen}"
        chrome.chart(fig, key=f"learning_{name}", alt=alt)
        st.caption(
            f"“{name}”, {words}. Marks: photographs held out from training. Thin lines: training batches. Log: "
            f"`{path.name}`."
        )


def classifiers() -> None:
    """The packaged classifiers: weights, whether they sat in a loss, and how far their probabilities can be trusted."""
    st.markdown(
        "One temperature each makes the probabilities honest. ECE: how far, on average, the probability of the first answer "
        "is from how often it is right."
    )
    rows, found = [], {name: card_of(name) for name in PACKAGED}
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
                **{f"in the loss of {model}": SAT[in_loss(name, of)] for model, of in cached.models().items()},
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
    how(card.get("command") for card in found.values())


def tic(codecs: Mapping[str, Mapping[str, Any]]) -> None:
    """What to say of the paper's own network where it is not installed, and the proof that its training works."""
    if (words := cards.missing_tic(codecs)) is None:
        st.markdown("`tic` is installed: see the other tabs.")
        return
    st.markdown(words)
    found = cards.results("tic-proof")
    rows = cards.compared(found.get("against_lite") or {})
    if not rows:
        return
    st.markdown(f"**Proof at reduced size.** {found['what']}")
    records = found["log"]
    fig = figures_training.learning_curves(records, figures_training.levels_of(records), mode=chrome.mode())
    chrome.chart(fig, key="proof", alt=f"Learning curves of {len(found['runs'])} short runs, one after another")
    st.dataframe(rows, hide_index=True, width="stretch")
    held = found["against_lite"]
    words = (
        f"{held['photos']} photographs held out from training, {held['labelled']} of them labelled (else the answer on the "
        f"original counts), by {held['classifier']}."
    )
    how([held["command"]], "\n\n".join([words, *found.get("remarks", [])]))


def ablation(_: Mapping[str, Mapping[str, Any]]) -> None:
    """The paper's ablations: what Δ-networks and channel splits change, with intervals over seeds."""
    found = cards.results("ablation")
    st.markdown(
        "What the Δ-networks and the split of the channels among the levels are worth (paper, §5.3): Δ-networks give a "
        "BD-rate of −1.401 %, and 128/96/96 is the best split (59.25 % by ResNet-50, WUP 0.8352)."
    )
    rows = cards.ablation_arms(found)
    if not rows:
        st.markdown(f"Here: {cards.NOT_MEASURED}.")
        st.code("python -m tools.assets ablation configs/ablation.toml", language=None)
        return
    training, held_out = found["setting"]["training"], found["held_out"]
    if intervals := cards.ablation_intervals(found):
        fig = figures_agreement.intervals(intervals, x="BD-rate, % (below 0: fewer bytes)", mode=chrome.mode())
        fig.add_vline(x=0, line={"width": 1.5, "dash": "dot", "color": palette(chrome.mode()).text})
        alt = "; ".join(f"{name}: {mean:+.2f} %, {low:+.2f} to {high:+.2f}" for name, mean, low, high in intervals)
        chrome.chart(fig, key="ablation", alt=alt)
    st.dataframe(cards.ablation_deltas(found), hide_index=True, width="stretch")
    st.dataframe(rows, hide_index=True, width="stretch")
    words = (
        f"Every arm {training['steps']} steps on a reduced backbone ({training['preset']}, N = "
        f"{training['changes'].get('n')}), so arms can be compared with each other only; figures are file bytes of "
        f"{held_out['photos']} held-out photographs ({held_out['labelled']} labelled, else the answer on the original "
        f"counts), by {found['environment']['classifier']}. Intervals: {found['summary']['interval']}."
    )
    how([found["command"]], "\n\n".join([words, *found.get("remarks", [])]))

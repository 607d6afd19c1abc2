"""One photograph under every codec in the same bytes: pictures, answers and WUP (the paper's Fig. 6, live)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.classify import DEFAULT
from hiercodec.errors import HiercodecError
from hiercodec.evaluation.codecs.peers import available
from hiercodec.evaluation.measure import best_within
from hiercodec.evaluation.photos.samples import samples
from hiercodec.evaluation.traces.trace import Ranked, Trace
from hiercodec.levels import DEFAULT_MODEL, spoken
from hiercodec.report.answers import format_bytes, percent
from hiercodec.report.glossary import verdict
from hiercodec.report.measured import plain
from hiercodec.report.numbers import decibels
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY
from hiercodec.ui.frame import cached, chrome

WIDTH = 400
"""Of a card, in CSS pixels: three stand side by side on a laptop, one on a phone."""


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One codec's picture in at most the budget: None where no file is that small, with the smallest's bytes."""

    name: str
    bytes: int
    psnr: float
    picture: np.ndarray | None
    top: dict[str, Ranked]
    wup: float | None


def draw(at: float) -> None:
    """Choose a photograph; every codec has the bytes of `at` bits a pixel for it."""
    rows = {row.title: row for row in samples()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = chrome.menu("Photograph", "one", list(rows), width=280)
    try:
        bundle = cached.shipped_bundle(rows[title].id)
    except HiercodecError as error:
        chrome.empty(str(error), how="python -m tools.assets traces")
        return
    trace, truth = bundle.trace, rows[title].truth
    budget = int(at * trace.width * trace.height / 8)
    st.markdown(f"**{format_bytes(budget)}** for every codec ({at:g} bit/pixel; change it with “At” above).")
    cards = in_budget(bundle, budget)
    said, place = st.empty(), st.container(horizontal=True)
    judge = trace.provenance.get("classifier") or DEFAULT
    with st.spinner(f"Asking {judge} what each picture shows …"):
        cards = asked(cards, trace, truth, budget)
    said.markdown(sentence(cards, trace))
    with place:
        show("Original", format_bytes(3 * trace.width * trace.height) + " without any codec", bundle.original_pixels(),
             trace.original, None, trace)  # fmt: skip
        for card in cards:
            if card.picture is None:
                words = f"no file this small: {format_bytes(card.bytes)} at least"
                show(card.name, words, None, {}, None, trace)
            else:
                words = f"{format_bytes(card.bytes)}, {decibels(card.psnr)}"
                show(card.name, words, card.picture, card.top, card.wup, trace)
    st.caption(
        f"Judge: {judge}. Each codec comes as near to these bytes as its settings let it; ours is one file, cut. "
        "WUP: how near the answer is to the truth; 1 is the same."
    )


def in_budget(bundle: Any, budget: int) -> list[Card]:
    """Ours from the shipped trace, then every format at its best setting within the budget."""
    trace = bundle.trace
    showing = [i for i, step in enumerate(trace.steps) if not step.blank]
    fitting = [i for i in showing if trace.steps[i].bytes <= budget]
    first = trace.steps[next(iter(showing), -1)]
    ours = f"“{trace.provenance.get('model', DEFAULT_MODEL)}” (ours)"
    if fitting:
        step = trace.steps[fitting[-1]]
        found = [Card(ours, step.bytes, step.psnr, bundle.pixels(fitting[-1]), step.top, step.wup)]
    else:
        found = [Card(ours, first.bytes, first.psnr, None, {}, None)]
    sha, rgb = trace.provenance["image_sha256"], bundle.original_pixels()
    for rival in available():
        rows = cached.rival_rows(rival.name, sha, trace.file_bytes, rgb)  # as Explore asks, so computed once
        index = best_within(rows, budget)
        if index is None:
            found.append(Card(rival.title, rows[0].point.bytes, rows[0].psnr, None, {}, None))
        else:
            row = rows[index]
            found.append(Card(rival.title, row.point.bytes, row.psnr, row.point.picture, {}, None))
    return found


def asked(cards: list[Card], trace: Trace, truth: tuple[int, ...], budget: int) -> list[Card]:
    """The same with the answers of the classifier of the trace; as they were where there is none."""
    unknown = [card for card in cards if card.picture is not None and not card.top]
    if not unknown:
        return cards
    key = f"evaluate {trace.provenance['image_sha256']} {budget} {len(unknown)}"
    tree = str(trace.provenance.get("hierarchy") or DEFAULT_HIERARCHY)
    pictures = [card.picture for card in unknown if card.picture is not None]
    try:
        told = cached.ranked(key, trace.provenance.get("classifier") or DEFAULT, tree, truth, pictures)
    except HiercodecError as error:
        chrome.notice("warning", f"No answers for the other formats: {error}")
        return cards
    new = {id(card): replace(card, top=top, wup=wup) for card, (top, wup) in zip(unknown, told, strict=True)}
    return [new.get(id(card), card) for card in cards]


def sentence(cards: list[Card], trace: Trace) -> str:
    """Who has the class, the family or at least the kind right in these bytes."""
    if not trace.known:
        return "Nobody knows what is right here: = is the answer on the original, ≠ another."
    finest: dict[str, list[str]] = {}
    for card in cards:
        good = [lv for lv in trace.levels if card.top.get(lv) and card.top[lv][0][0] in trace.answers.get(lv, ())]
        finest.setdefault(f"the {spoken(good[-1])}" if good else "nothing", []).append(card.name)
    order = [*(f"the {spoken(level)}" for level in reversed(trace.levels)), "nothing"]
    said = [f"**{what}**: {', '.join(finest[what])}" for what in order if what in finest]
    return f"Right in these bytes: {'; '.join(said)}."


def show(
    name: str, size: str, picture: np.ndarray | None, top: dict[str, Ranked], wup: float | None, trace: Trace
) -> None:
    """One card: picture, size, and the answer at every level, marked right or wrong."""
    with st.container(border=True, width=WIDTH):
        st.markdown(f"**{name}**  \n{size}")
        if picture is not None:
            chrome.picture(picture, f"{name}: {size}")
        lines = []
        for level, ranked in top.items():
            group, label, p = ranked[0]
            lines.append(f"{verdict(trace, level, group).sign} {spoken(level)}: {plain(label)} ({percent(p)})")
        if wup is not None:
            lines.append(f"WUP {wup:.2f}")
        st.markdown("  \n".join(lines))

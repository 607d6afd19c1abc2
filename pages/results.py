"""Results: what every byte brings, in meaning and in picture, worked out from measured rows; and the models."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from hiercodec.report import measured as words
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import choice, compare, curves, data, exchange, label, measured, photo


def of_rows(draw: Callable[[choice.Choice], None]) -> Callable[[], None]:
    """A view of a file of rows: the choice of what to draw, then that."""

    def view() -> None:
        found = data.sources()
        if not found:
            chrome.empty(
                "No measured rows are shipped. Measure photographs of your own, then open the file here.",
                how="python -m hiercodec evaluate DATASET --out mine.parquet",
            )
            exchange.upload()
            chrome.footer()
            return
        chosen = choice.pick(found)
        if chosen.judge and chosen.sat is not False:
            chrome.notice("warning", words.judge(chosen.judge, chosen.sat))
        draw(chosen)
        about, provenance = chosen.meta.get("data") or {}, chosen.meta["provenance"]
        models = (provenance.get("models") or {}).items()
        chrome.footer(
            {
                "rows": f"{words.plain(about.get('name', chosen.source.title))}, {about.get('photos', '?')} photographs",
                "sha256": chosen.source.sha256[:12],
                "models": words.plain(", ".join(f"{name} {mark}" for name, mark in models)),
                "hierarchy": words.plain(provenance.get("hierarchy")),
            }
        )

    return view


def models() -> None:
    """What ships and what it measured."""
    found = dict(sorted(cached.models().items()))
    if not found:
        chrome.empty("No weights are installed.", how="python -m hiercodec train configs/lite-rd.toml")
    for name, card in found.items():
        measured.codec(name, card)
    measured.classifiers()
    measured.learning(found)
    measured.ablation(found)
    measured.tic(found)
    chrome.footer({"source": "assets/models, assets/results, assets/classifiers"})


VIEWS = {
    "Accuracy": of_rows(curves.accuracy),
    "Meaning": of_rows(curves.meaning),
    "Picture": of_rows(curves.picture),
    "How many groups?": of_rows(curves.groups),
    "Against rivals": of_rows(compare.rivals),
    "Whole files": of_rows(compare.full_rate),
    "Stop when sure": of_rows(compare.stopping),
    "Label or pixels": of_rows(label.draw),
    "One photograph": of_rows(lambda chosen: photo.draw(chosen.at)),
    "Files": of_rows(lambda chosen: exchange.draw(chosen, data.sources())),
    "Models": models,
}

with st.container(horizontal=True, vertical_alignment="center"):
    chrome.page("Results", width="content")
    view = chrome.views(VIEWS)
view()

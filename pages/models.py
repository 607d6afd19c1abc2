"""Models: what is shipped, what it measured, and what it was trained on."""

from __future__ import annotations

from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import measured


def codecs(found) -> None:
    """Every codec that is installed."""
    for name, card in found.items():
        measured.codec(name, card)


TABS = {
    "Codecs": codecs,
    "Every figure": measured.every_figure,
    "Quality": measured.quality,
    "Classifiers": lambda _: measured.classifiers(),
    "Learning curves": measured.learning,
    "Ablations": measured.ablation,
    "tic": measured.tic,
}

chrome.page("Models", "What ships with this installation and what it measured. Figures come from the model cards.")
found = dict(sorted(cached.models().items()))
if not found:
    chrome.empty("No weights are installed.", how="python -m hiercodec train configs/lite-rd.toml")
for name in found:
    measured.against_rate(name)
chrome.tabs(TABS, "models_tab", found)
chrome.footer({"source": "assets/models, assets/results, assets/classifiers"})

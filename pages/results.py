"""Results: what every byte brings, in meaning and in picture, worked out from measured rows; and the models."""

from __future__ import annotations

from hiercodec.ui.frame import chrome
from hiercodec.ui.results import compare, curves, exchange, label, measured, stopping

VIEWS = {
    "Curves": curves.draw,
    "Against rivals": compare.draw,
    "Stop when sure": stopping.draw,
    "Label or pixels": label.draw,
    "Files": exchange.draw,
    "Models": measured.draw,
}

INTRO = "How often answers are right, and how good the picture is, at every file size: our codec beside those in use."

chrome.views("Results", INTRO, VIEWS)

"""Failures: where answers go wrong, of samples under stress, of measured photographs and of one's own."""

from __future__ import annotations

from hiercodec.ui.failures import charts, gallery
from hiercodec.ui.frame import chrome

VIEWS = {"Gallery": gallery.draw, "Confusion": charts.confusion, "Mistakes": charts.mistakes}
INTRO = "What a classifier mistakes photographs for when a file is cut early, and from which byte on it is right."

gallery.leave()
chrome.views("Failures", INTRO, VIEWS)

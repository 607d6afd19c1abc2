"""Explore: slide the byte budget and watch the picture sharpen and the prediction descend the hierarchy."""

from __future__ import annotations

from hiercodec.ui import chrome

chrome.page("Explore", "Slide the byte budget; watch the picture sharpen and the prediction become precise.")
chrome.empty("The samples are being prepared.")
chrome.footer()

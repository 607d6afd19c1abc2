"""Groups: where the hierarchy comes from, how it compares with WordNet, and how stable it is."""

from __future__ import annotations

from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import class_map, opened, shared, stability, structure, versus

VIEWS = {
    "Map": class_map.draw,
    "Tree": structure.draw,
    "CLIP against WordNet": versus.draw,
    "Stability": stability.draw,
    "Your own": opened.draw,
}

INTRO = "Where the levels come from: 1000 classes in 100 families and 10 kinds, and how sure that grouping is."

chrome.views("Groups", INTRO, VIEWS, how=shared.ASSETS_COMMAND)

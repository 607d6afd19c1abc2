"""Groups: where the hierarchy comes from, how it compares with WordNet, and how stable it is."""

from __future__ import annotations

from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import class_map, live, pair, shared, stability, structure, versus

VIEWS = {
    "Map": class_map.draw,
    "Tree": structure.draw,
    "CLIP against WordNet": versus.draw,
    "Two side by side": pair.draw,
    "Stability": stability.draw,
    "Cluster anew": live.draw,
}

chrome.views("Groups", VIEWS, how=shared.ASSETS_COMMAND)

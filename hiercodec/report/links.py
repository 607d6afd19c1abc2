"""Addresses of the page Groups with a group or a class lit.

    groups?tree=Consensus&level=family&group=cat          a group, by its label at its level
    groups?tree=Consensus&find=n02123045                  a class, by its wnid

They are relative, so that they hold under any base path. Names that do not exist light nothing.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from hiercodec import taxonomy
from hiercodec.levels import spoken
from hiercodec.taxonomy.embeddings import known_embedding

TREE, LEVEL, GROUP, FIND = "tree", "level", "group", "find"
"""The keys of the widgets of Groups that the address carries."""


def title(name: str) -> str:
    """What people read, and the address carries, instead of "clip-b16-nested-s1".

    >>> title("clip-b16-nested-s1")
    'ViT-B/16, nested, seed 1'
    """
    if name.startswith("yours "):
        return f"Yours: {name.removeprefix('yours ')}"
    fixed = {"consensus": "Consensus", "consensus-mended": "Consensus, mended", "wordnet": "WordNet depth-cut"}
    parts = re.fullmatch(r"(.+)-(flat|nested)(?:-s(\d+))?", name)
    known = known_embedding(parts[1]) if parts else None
    if parts is None or known is None:
        return fixed.get(name, name)
    return f"{known.title}, {parts[2]}" + (f", seed {parts[3]}" if parts[3] else "")


def group_link(hierarchy: str, level: str, group: str) -> str:
    """The address of a group: the hierarchy's name, the level's name ("coarse" …), the group's label."""
    return f"groups?{urlencode({TREE: title(hierarchy), LEVEL: spoken(level), GROUP: group})}"


def class_link(hierarchy: str, index: int) -> str:
    """The address of one of the 1000 classes, by its index."""
    return f"groups?{urlencode({TREE: title(hierarchy), FIND: taxonomy.classes()[index].wnid})}"

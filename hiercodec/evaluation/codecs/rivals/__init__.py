"""All that our codec is measured against, by name.

rival("jpeg"), rival("avif"), …    peers.RIVALS: real encoders at their best, a file a setting
rival("jpeg-cut"), …               cut.CUT_FILES: one file, cut
rival("compressai:mbt2018:1-8"), … zoo.py: a trained model of CompressAI, a file a quality
rival("folder:PATH")               folder.py: pictures that were made elsewhere
rival("module:codec"), …           functions.py: a codec of one's own, registered by a plugin or named by its module
"""

from __future__ import annotations

from collections.abc import Callable

from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.functions import CODECS, peer_of
from hiercodec.evaluation.codecs.peers import MACHINES, RIVALS
from hiercodec.evaluation.codecs.rivals import folder, zoo
from hiercodec.evaluation.codecs.rivals.cut import CUT_FILES
from hiercodec.protocols import Peer

OUTSIDE: dict[str, Callable[[str], Peer]] = {zoo.KIND: zoo.Zoo, folder.KIND: folder.read}
"""Codecs of others, by what stands before the colon: from what stands behind it."""


def rival(name: str, purpose: str = MACHINES) -> Peer:
    """The rival called `name`; a format serves a purpose. `InputError` names those there are."""
    if name in RIVALS:
        return RIVALS[name].tuned_for(purpose)
    if name in CUT_FILES:
        return CUT_FILES[name]
    kind, _, rest = name.partition(":")
    if rest and kind in OUTSIDE:
        return OUTSIDE[kind](rest)
    if ":" in name or name in CODECS:
        return peer_of(name)
    known = ", ".join([*RIVALS, *CUT_FILES, *CODECS, f"{zoo.KIND}:NAME", f"{folder.KIND}:PATH"])
    raise InputError(f"no codec {name!r}; there are {known}, and MODULE:OBJECT")

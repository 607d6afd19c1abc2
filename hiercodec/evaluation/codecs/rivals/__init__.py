"""All that our codec is measured against, by name: formats that everybody uses, and published ways to order a latent.

rival("jpeg"), rival("avif"), …    peers.RIVALS: real encoders at their best, a file a setting
rival("jpeg-cut"), …               cut.CUT_FILES: one file, cut
rival("order:trit"), …             peer.py: a mechanism of a paper on our own transforms, one stream, cut
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

LEVELS = {"order:levels": "sigma", "order:levels-unsorted": "raster"}
"""Our own streams, at the cuts that the other orders have, by the order inside their blocks."""

ORDERS = (
    *LEVELS,
    *(f"order:{name}" for name in ("single", "sigma", "channel", "trit", "trit+refine", "nested", "learned-step",
                                   "saliency", "task")),
)  # fmt: skip
"""Orders on a model's own transforms; docs/rivals.md says what each one is."""


OUTSIDE: dict[str, Callable[[str], Peer]] = {zoo.KIND: zoo.Zoo, folder.KIND: folder.read}
"""Codecs of others, by what stands before the colon: from what stands behind it."""


def rival(name: str, model: str = "lite", purpose: str = MACHINES) -> Peer:
    """The rival called `name`; an order works on the transforms of `model`, a name or a path, a format serves a purpose.

    `InputError` names those there are; orders raise what `models.load` and `fitted.load` raise.
    """
    if name in RIVALS:
        return RIVALS[name].tuned_for(purpose)
    if name in CUT_FILES:
        return CUT_FILES[name]
    kind, _, rest = name.partition(":")
    if rest and kind in OUTSIDE:
        return OUTSIDE[kind](rest)
    if name not in ORDERS:
        if ":" in name.removeprefix("order:") or name in CODECS:
            return peer_of(name)
        known = ", ".join([*RIVALS, *CUT_FILES, *ORDERS, *CODECS, f"{zoo.KIND}:NAME", f"{folder.KIND}:PATH"])
        raise InputError(f"no codec {name!r}; there are {known}, and MODULE:OBJECT")
    from hiercodec.evaluation.codecs.rivals.backbone import backbone
    from hiercodec.evaluation.codecs.rivals.peer import OrderPeer, Single, levels
    from hiercodec.models.store import load_channels

    if name in LEVELS:
        return levels(load_channels(model), name, LEVELS[name])
    return (
        Single(backbone(model)) if name == "order:single" else OrderPeer(backbone(model), name.removeprefix("order:"))
    )

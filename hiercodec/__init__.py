"""hiercodec: an image codec whose one bitstream means more the more of it arrives.

    import hiercodec as hc
    from PIL import Image

    codec, picture = hc.load("wave"), Image.open("photo.jpg")    # a PIL image, or a uint8 array (H, W, 3)
    data = codec.encode(picture)
    better = hc.encode(picture, effort=5)            # takes longer, has less error in fewer bytes
    cut = hc.truncate(data, level="coarse")          # or bytes=900: any prefix decodes
    seen = codec.decode(cut)                         # seen.image is a uint8 array (H, W, 3)
    hc.predict(seen.image).path                      # the likeliest groups and class, with probabilities
    hc.decode_until(data, "coarse:0.9").bytes        # as many bytes as it takes to be 90 % sure of the kind
    hc.read_label(codec.encode(picture, label=hc.label(picture)))    # what it is, from the first bytes of the stream
    hc.wup("tabby", "Egyptian cat")                  # how near two classes are in WordNet, 0…1

Importing costs milliseconds: a name is loaded when it is first used, and torch only by `load`, `Codec` and `predict`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hiercodec import errors
from hiercodec._version import __version__ as __version__
from hiercodec.errors import *  # noqa: F403

if TYPE_CHECKING:
    from hiercodec.api import (
        Prediction,
        Stopped,
        decode,
        decode_until,
        encode,
        hierarchy,
        label,
        load,
        predict,
        read_label,
        truncate,
        wup,
    )
    from hiercodec.classify import LabelReading
    from hiercodec.models import Codec, Decoded
    from hiercodec.stream import Label


__all__ = [
    "Codec",
    "Decoded",
    "Label",
    "LabelReading",
    "Prediction",
    "Stopped",
    "decode",
    "decode_until",
    "encode",
    "hierarchy",
    "label",
    "load",
    "predict",
    "read_label",
    "truncate",
    "wup",
]
_HOMES = {
    "Codec": "hiercodec.models",
    "Label": "hiercodec.stream",
    "Decoded": "hiercodec.models",
    "LabelReading": "hiercodec.classify",
}
_HOMES |= {name: "hiercodec.api" for name in __all__ if name not in _HOMES}
__all__ += errors.__all__


def __getattr__(name: str) -> object:
    """Load a name of the front door at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

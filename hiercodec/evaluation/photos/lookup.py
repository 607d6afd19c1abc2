"""The photographs behind rows, where whoever starts the program says that they are; a row names them, it holds none."""

from __future__ import annotations

import functools
import os
import re
import unicodedata

import numpy as np

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.dataset import SAMPLES, TORCHVISION, inventory
from hiercodec.evaluation.photos.labels import NONE
from hiercodec.evaluation.photos.stored import Stored
from hiercodec.images import centre_crop

PHOTOS = "HIERCODEC_PHOTOS"
"""Environment variable: the data sets that rows were measured on, like the entries of PATH: folders, tars or zips, or
`torchvision:NAME`, which is fetched when the first photograph is looked for."""

IMAGENET = re.compile(r"ILSVRC2012_\w+\.JPEG|n\d{8}_\d+\.JPEG")
"""Names of files that ImageNet gave once and for all: they name the same photograph in whatever folder they lie."""


def picture(name: str, crop: int | None = None) -> np.ndarray | None:
    """The photograph that rows call `name`, uint8 (H, W, 3), its central square if `crop`; None where no data set has it."""
    own = name.rpartition("/")[2]
    names = [name, unicodedata.normalize("NFC", name), *([own] if IMAGENET.fullmatch(own) else [])]
    for source in [*sources(), SAMPLES]:
        known = _named(source)
        if (stored := next((known[n] for n in names if n in known), None)) is not None:
            try:
                rgb = stored.read()
                return centre_crop(rgb, crop) if crop else rgb
            except HiercodecError:
                return None
    return None


def sources() -> list[str]:
    """The data sets that `PHOTOS` names; the separator of its entries may stand inside `torchvision:NAME`."""
    named = os.environ.get(PHOTOS, "")
    inside = re.escape(TORCHVISION.removesuffix(":"))
    return list(
        filter(None, re.split(rf"(?<!^{inside})(?<!{re.escape(os.pathsep)}{inside}){re.escape(os.pathsep)}", named))
    )


@functools.lru_cache(maxsize=8)
def _named(source: str) -> dict[str, Stored]:
    """Photographs by name, by its composed form (systems copy names in the one that they like), and by ImageNet's own."""
    try:
        places = [place for place, _ in inventory([source], NONE).photos]
    except HiercodecError:
        return {}
    imagenet = {own: place for place in places if IMAGENET.fullmatch(own := place.name.rpartition("/")[2])}
    composed = {unicodedata.normalize("NFC", place.name): place for place in places}
    return imagenet | composed | {place.name: place for place in places}

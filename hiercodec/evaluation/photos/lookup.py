"""The photographs behind rows, where whoever starts the program says that they are; a row names them, it holds none."""

from __future__ import annotations

import functools
import os
import unicodedata

import numpy as np

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.dataset import SAMPLES, inventory
from hiercodec.evaluation.photos.labels import NONE
from hiercodec.evaluation.photos.stored import Stored
from hiercodec.images import centre_crop

PHOTOS = "HIERCODEC_PHOTOS"
"""Environment variable: the data sets that rows were measured on, folders, tars or zips, like the entries of PATH."""


def picture(name: str, crop: int | None = None) -> np.ndarray | None:
    """The photograph that rows call `name`, uint8 (H, W, 3), its central square if `crop`; None where no data set has it."""
    for source in [*filter(None, os.environ.get(PHOTOS, "").split(os.pathsep)), SAMPLES]:
        known = _named(source)
        if (stored := known.get(name) or known.get(unicodedata.normalize("NFC", name))) is not None:
            try:
                rgb = stored.read()
                return centre_crop(rgb, crop) if crop else rgb
            except HiercodecError:
                return None
    return None


@functools.lru_cache(maxsize=8)
def _named(source: str) -> dict[str, Stored]:
    """Photographs by name, and by its composed form: systems copy names in the one that they like."""
    try:
        places = [place for place, _ in inventory([source], NONE).photos]
    except HiercodecError:
        return {}
    return {unicodedata.normalize("NFC", place.name): place for place in places} | {
        place.name: place for place in places
    }

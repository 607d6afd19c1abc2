"""The photographs behind rows, where whoever starts the program says that they are; a row names them, it holds none."""

from __future__ import annotations

import functools
import os

import numpy as np

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.photos.dataset import SAMPLES, Stored, index
from hiercodec.images import centre_crop

PHOTOS = "HIERCODEC_PHOTOS"
"""Environment variable: the data sets that rows were measured on, folders or tar shards, like the entries of PATH."""


def picture(name: str, crop: int | None = None) -> np.ndarray | None:
    """The photograph that rows call `name`, uint8 (H, W, 3), its central square if `crop`; None where no data set has it."""
    for source in [*filter(None, os.environ.get(PHOTOS, "").split(os.pathsep)), SAMPLES]:
        if (stored := _named(source).get(name)) is not None:
            try:
                rgb = stored.read()
                return centre_crop(rgb, crop) if crop else rgb
            except HiercodecError:
                return None
    return None


@functools.lru_cache(maxsize=8)
def _named(source: str) -> dict[str, Stored]:
    try:
        return {stored.name: stored for stored, _ in index(source)}
    except HiercodecError:
        return {}

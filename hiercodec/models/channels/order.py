"""Ordering policies: in which order a block's symbols stand in its payload, so which of them a cut loses.

A policy ranks the symbols by what a decoder knows before the first of them: unsigned scale indexes of any shape, numpy or
torch, to ranks of that shape. Smaller ranks come first, ties in raster order (channel, row, column). Streams of level
plans 1 to 4 are ordered by "sigma" for ever; a model with another policy says so in its card, and its streams carry the
plan id of a model's own layout (FORMAT.md), which no reader mistakes for one of those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hiercodec.plugins import Registry
from hiercodec.stream import SCALE_LEVELS

DEFAULT = "sigma"
Policy = Callable[[Any], Any]

ORDERS: Registry[Policy] = Registry(
    "ordering policy",
    {
        "sigma": lambda indexes: SCALE_LEVELS - 1 - indexes,  # largest scale first: where the most is still unknown
        "raster": lambda indexes: 0 * indexes,
    },
)
"""What `Preset.order` can name."""


def coding_order(policy: str, indexes: np.ndarray) -> np.ndarray:
    """Positions (int64[n]) of a block's symbols in coding order, from its scale indexes (uint8, any shape of n).

    >>> coding_order("sigma", np.array([3, 9, 3, 9], np.uint8)).tolist()
    [1, 3, 0, 2]
    """
    return np.argsort(ORDERS[policy](indexes).ravel(), kind="stable")

"""Published ways to order or portion a latent, on `lite`'s own transforms with real streams: a plugin for `evaluate`.

    python -m hiercodec evaluate FOLDER --out orders.parquet --plugin tools.orders --codec order:trit

`peer` makes them of a model and what was fitted to it; docs/rivals.md says what each one is. torch and the model load when
an order is first asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hiercodec.evaluation.codecs.functions import CODECS
from hiercodec.protocols import OperatingPoint, Peer

MODEL = "lite"
"""The model whose transforms and hyper-latent the orders stand on."""

LEVELS = {"order:levels": "sigma", "order:levels-unsorted": "raster"}
"""Our own streams, at the cuts that the other orders have, by the order inside their blocks."""

ORDERS = (
    *LEVELS,
    *(f"order:{name}" for name in ("single", "sigma", "channel", "trit", "trit+refine", "nested", "learned-step",
                                   "saliency", "task")),
)  # fmt: skip


class Order:
    """The order called `name`; raises what `backbone.load_channels` and `fitted.load` raise."""

    def __init__(self, name: str) -> None:
        self.name = name

    @functools.cached_property
    def _peer(self) -> Peer:
        from tools.orders.backbone import backbone, load_channels
        from tools.orders.peer import OrderPeer, Single, levels

        if self.name in LEVELS:
            return levels(load_channels(MODEL), self.name, LEVELS[self.name])
        if self.name == "order:single":
            return Single(backbone(MODEL))
        return OrderPeer(backbone(MODEL), self.name.removeprefix("order:"))

    def points(self, rgb: np.ndarray) -> Iterable[OperatingPoint]:
        """See `Peer`."""
        return self._peer.points(rgb)

    def provenance(self) -> Mapping[str, Any]:
        """See `Peer`."""
        return self._peer.provenance()


for _name in ORDERS:
    CODECS[_name] = Order(_name)

"""Rate and PSNR on Kodak as other people published them, read and not measured here; how far measured codecs are away."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hiercodec.evaluation.metrics import bd_rate, reached
from hiercodec.evaluation.results.curves import Curve
from hiercodec.fsio import locate

FILE = locate("results", "published-kodak.json")


@dataclass(frozen=True, slots=True)
class Published:
    """A curve as published: mean bits a pixel, rising, and mean PSNR in dB over the 24 photographs.

    `progressive`: one file that may be cut gives all points. `format` names the rival (`codecs`) that writes this format.
    """

    name: str
    source: str
    progressive: bool
    bpp: Sequence[float]
    psnr: Sequence[float]
    format: str = ""


@functools.lru_cache(maxsize=1)
def on_kodak() -> Mapping[str, Published]:
    """Name → curve, in the order of the file."""
    return {row["name"]: Published(**row) for row in json.loads(FILE.read_text(encoding="utf-8"))["curves"]}


def more_bytes(ours: Curve, theirs: Published) -> float | None:
    """How many per cent more bytes our mean PSNR on Kodak needs than theirs; None where no quality is common.

    Bjøntegaard's delta of rate over the qualities that both reach. Without an interval: theirs is known as a mean only.
    """
    curves = [reached(ours.bpp, ours.mean), reached(theirs.bpp, theirs.psnr)]
    (_, a), (_, b) = curves
    return bd_rate(*curves[1], *curves[0]) if max(a[0], b[0]) < min(a[-1], b[-1]) else None

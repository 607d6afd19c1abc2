"""What one trained arm of an ablation gives on held-out photographs, by the bytes of real files."""

from __future__ import annotations

from typing import Any

from hiercodec.evaluation.codecs.peers import HierPeer, halved_blocks
from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.results.gather import gather
from hiercodec.evaluation.results.table import right, tables
from hiercodec.protocols import Codec

SIDE = 224


def measure(codec: Codec, photos: Photos, judging: Judging) -> list[dict[str, Any]]:
    """Points of the codec's curve, two a block (half of its bytes, all of them): plain data, shortest prefix first.

    Each has `level`, `share` of the level's block, `bpp` (file bytes, header and z included) and `psnr` (dB), means over
    the photographs; `agreement`, one a level: how often the likeliest group is right; and `wup`, the mean Wu-Palmer
    similarity (NLTK's) of the likeliest class and the right one. Right is the label, where there is none the
    classifier's own answer on the original.
    """
    peer = HierPeer(codec, halved_blocks)
    table = tables(gather(photos, [peer], [judging], crop=SIDE), judging.classifier.name)[peer.name]
    points = []
    for level in codec.plan.names:
        for share in (0.5, 1.0):
            at = table.settings.index(f"{level} {100 * share:.0f} %")
            hits = {name: table.measure(right(name))[:, at] for name in table.levels}
            points.append(
                {
                    "level": level,
                    "share": share,
                    "bpp": round(float(table.bpp[:, at].mean()), 5),
                    "psnr": round(float(table.psnr[:, at].mean()), 4),
                    "agreement": {name: round(float(row.mean()), 5) for name, row in hits.items()},
                    "wup": round(float(table.wup[:, at].mean()), 5),
                }
            )
    return points

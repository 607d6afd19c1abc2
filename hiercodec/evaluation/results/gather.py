"""A run in memory, for training's validation and for ablations: photographs in, rows out; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hiercodec.evaluation.measure import Judging, Row, measure_peers
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.results.records import described
from hiercodec.evaluation.results.rows import Rows
from hiercodec.images import centre_crop
from hiercodec.protocols import Peer


def gather(
    photos: Photos,
    peers: Sequence[Peer],
    judges: Sequence[Judging] = (),
    *,
    crop: int | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
    seen: Callable[[Row], object] = lambda row: None,
) -> Rows:
    """Measure every peer on every photograph; `progress(done, total)` after each, `seen` takes every row as it is made.

    `crop` takes the central square of that side first. MS-SSIM is not measured: it would take most of the time. Beside the
    columns of a file the rows have `right_p`, the probability of what is right at every level.
    """
    import pandas as pd

    kept = []  # photographs by number: two folders may hold one name
    for done, (name, rgb, label) in enumerate(photos.each(), start=1):
        picture = centre_crop(rgb, crop) if crop else rgb
        for row in measure_peers(picture, label, peers, judges):
            kept += described(f"{done} {name}", int(label), row, judges)
            seen(row)
        progress(done, len(photos))
    levels = {level.name: level.k for judge in judges[:1] for level in judge.hierarchy.levels}
    return Rows(pd.DataFrame(kept), {"levels": levels})

"""What rows add up to: for every codec and setting the mean rate and quality, and accuracy with its interval.

Every rate is that of real bytes, container included. PSNR is the mean of the photographs' PSNRs. Accuracy at a level is the
share of photographs whose likeliest group (summed softmax mass) is that of the true class; where a photograph has no label,
the classifier's own answer on the original stands in and the result says `agreement` instead.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.rows import HEAVY, POINT, Rows, read, schema

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def read_summary(path: str | Path) -> dict[str, Any]:
    """The summary of a file of rows."""
    return summary(read(path, columns=[name for name in schema().names if name not in HEAVY]))


def summary(rows: Rows) -> dict[str, Any]:
    """Plain data: `photos`, `labelled`, `crop`, `groups`, `command`, `provenance`, `uncompressed`, and a point a setting.

    A point has `codec`, `setting`, means and standard deviations over photographs of `bpp`, `psnr` (dB) and `ms_ssim`
    (where it could be measured), and judge → level → share of right answers in `accuracy`, with its 95 % Wilson interval;
    `wup` is judge → mean.
    """
    frame = rows.frame
    labelled = int(frame.drop_duplicates("photo")["label"].ge(0).sum())
    photos = int(frame["photo"].nunique())
    kind = "top1" if labelled == photos else "agreement"
    points = {
        key: _answers(part, list(rows.levels), kind) for key, part in frame.groupby(["codec", "setting"], sort=False)
    }
    means = frame.drop_duplicates(list(POINT)).groupby(["codec", "setting"], sort=False)
    return {
        "photos": photos,
        "labelled": labelled,
        "crop": rows.meta.get("crop"),
        "groups": rows.levels,
        "command": rows.meta.get("command"),
        "provenance": rows.meta.get("provenance", {}),
        "uncompressed": points.pop((ORIGINAL, ""), {}),
        "points": [
            {"codec": codec, "setting": setting, **_quality(part), **points[codec, setting]}
            for (codec, setting), part in _named(means)
            if codec != ORIGINAL
        ],
    }


def _named(groups: Any) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    return [((str(key[0]), str(key[1])), part) for key, part in groups]


def _quality(part: pd.DataFrame) -> dict[str, float]:
    """Means and standard deviations over photographs, of what was measured."""
    found: dict[str, float] = {}
    for name, digits in (("bpp", 5), ("psnr", 4), ("ms_ssim", 5)):
        values = part[name].to_numpy(np.float64)
        if len(values) and not np.isnan(values).any():
            found |= {name: round(float(values.mean()), digits), f"{name}_std": round(float(values.std()), digits)}
    return found


def _answers(part: pd.DataFrame, levels: list[str], kind: str) -> dict[str, Any]:
    """{"accuracy": judge → level → share and interval, "wup": judge → mean}; empty where nobody judged."""
    accuracy: dict[Hashable, dict[str, dict[str, float]]] = {}
    wup: dict[Hashable, float] = {}
    for judge, rows in part.groupby("judge", sort=False):
        if not judge:
            continue
        right = np.stack(rows["right"].to_list())  # (photos, levels)
        accuracy[judge] = {level: _share(hits, kind) for level, hits in zip(levels, right.T, strict=True)}
        wup[judge] = round(float(rows["wup"].mean()), 5)
    return {"accuracy": accuracy, "wup": wup} if accuracy else {}


def _share(hits: np.ndarray, kind: str) -> dict[str, float]:
    low, high = wilson(int(hits.sum()), len(hits))
    return {kind: round(float(hits.mean()), 5), "low": round(low, 5), "high": round(high, 5)}

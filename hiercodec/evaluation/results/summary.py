"""What rows add up to: for every codec and setting the mean rate and quality, and accuracy with its interval.

Every rate is that of real bytes, container included. PSNR is the mean of the photographs' PSNRs. Accuracy at a level is the
share of photographs whose likeliest group (summed softmax mass) is that of the true class; where a photograph has no label,
the classifier's own answer on the original stands in and the result says `agreement` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.metrics import countable, mean_of, wilson
from hiercodec.evaluation.results.rows import HEAVY, Rows, read
from hiercodec.evaluation.results.table import COLUMNS, Table, counts, score, tables


def read_summary(path: str | Path) -> dict[str, Any]:
    """The summary of a file of rows."""
    return summary(read(path, columns=[name for name in COLUMNS if name not in HEAVY]))


def summary(rows: Rows) -> dict[str, Any]:
    """Plain data: `photos`, `of`, `left_out`, `labelled`, `crop`, `groups`, `command`, `provenance`, `uncompressed`, and a
    point a setting.

    `photos` is how many of the file's photographs (`of`) count, see `table.tables`: a codec of which none does is named in
    `left_out`. A point has `codec`, `setting`, means and standard deviations over photographs of `bpp`, `psnr` (dB) and
    `ms_ssim` (where it could be measured), and judge → level → share of right answers in `accuracy`, with its 95 % Wilson
    interval; `wup` is judge → mean, `scores` task → mean. A picture that is reproduced exactly at some setting is in no
    mean of PSNR; a mean is infinite where all are (`metrics.mean_of`).
    """
    by_judge = {judge: tables(rows, judge) for judge in rows.judges or [""]}
    first = next(iter(by_judge.values()))
    labels = next(iter(first.values())).labels
    kind = "top1" if (labels >= 0).all() else "agreement"
    points = [
        {
            "codec": codec,
            "setting": setting,
            **_quality(first[codec], i),
            **_scored(first[codec], i),
            **_answers(by_judge, codec, i, kind),
        }
        for codec, setting, i in _measured(rows, first)
    ]
    return {
        **counts(rows, first),
        "labelled": int((labels >= 0).sum()),
        "crop": rows.meta.get("crop"),
        "groups": rows.levels,
        "command": rows.meta.get("command"),
        "provenance": rows.meta.get("provenance", {}),
        "uncompressed": _answers(by_judge, ORIGINAL, 0, kind) if ORIGINAL in first else {},
        "points": points,
    }


def counted(summed: Mapping[str, Any]) -> str:
    """Over which photographs the figures of a summary are, in words: how many, and why not all where it is not all.

    >>> counted({"photos": 970, "of": 1000, "left_out": ["jpeg-cut"]})
    '970 of 1000 photographs (those with all settings of every codec), without jpeg-cut (no photograph has all its settings)'
    """
    n, of = summed["photos"], summed.get("of", summed["photos"])
    words = f"{n} photographs" if n == of else f"{n} of {of} photographs (those with all settings of every codec)"
    absent = ", ".join(summed.get("left_out", ()))
    return words + (f", without {absent} (no photograph has all its settings)" if absent else "")


def _measured(rows: Rows, by_codec: Mapping[str, Table]) -> list[tuple[str, str, int]]:
    """(codec, setting, its place in the codec's table), in the order they were measured."""
    pairs = rows.frame[["codec", "setting"]].drop_duplicates().itertuples(index=False, name=None)
    return [(c, s, by_codec[c].settings.index(s)) for c, s in pairs if c in by_codec and c != ORIGINAL]


def _quality(table: Table, setting: int) -> dict[str, float]:
    """Means and standard deviations over photographs, of what was measured on all of them."""
    means: dict[str, float] = {}
    for name, digits in (("bpp", 5), ("psnr", 4), ("ms_ssim", 5)):
        values = getattr(table, name)
        if len(values) and not np.isnan(values[:, setting]).any():
            means[name] = round(float(mean_of(values)[setting]), digits)
            if np.isfinite(means[name]):
                means[f"{name}_std"] = round(float(values[countable(values), setting].std()), digits)
    return means


def _scored(table: Table, setting: int) -> dict[str, Any]:
    """{"scores": task → mean over the photographs whose original gives something to compare with}; empty without tasks."""
    columns = {name.partition(" ")[2]: v[:, setting] for name, v in table.extra.items() if name.startswith(score(""))}
    means = {task: v[np.isfinite(v)] for task, v in columns.items()}
    return {"scores": {t: round(float(v.mean()), 5) if len(v) else None for t, v in means.items()}} if means else {}


def _answers(by_judge: Mapping[str, Mapping[str, Table]], codec: str, setting: int, kind: str) -> dict[str, Any]:
    """{"accuracy": judge → level → share and interval, "wup": judge → mean}; empty where nobody judged."""
    judged = {judge: by_codec[codec] for judge, by_codec in by_judge.items() if judge and codec in by_codec}
    accuracy = {
        judge: {level: _share(table.right[:, setting, i], kind) for i, level in enumerate(table.levels)}
        for judge, table in judged.items()
    }
    wup = {judge: round(float(table.wup[:, setting].mean()), 5) for judge, table in judged.items()}
    return {"accuracy": accuracy, "wup": wup} if accuracy else {}


def _share(hits: np.ndarray, kind: str) -> dict[str, float]:
    low, high = wilson(int(hits.sum()), len(hits))
    return {kind: round(float(hits.mean()), 5), "low": round(low, 5), "high": round(high, 5)}

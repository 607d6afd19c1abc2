"""Curves in and out in CompressAI's results format, and rows as CSV: what other tools read.

CompressAI's `python -m compressai.utils.eval_model` and its `plot` speak
{"name", "description", "results": {"bpp": […], "psnr": […], "ms-ssim": […], …}}, a list entry a setting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from hiercodec.errors import InputError
from hiercodec.evaluation.results import rows as files
from hiercodec.evaluation.results.records import LISTS, UNJUDGED
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.summary import counted, summary

AVERAGE = "average"
"""What stands for a photograph in rows that come from a curve."""

MAX_POINTS = 1000
MAX_TEXT = 1 << 20
THEIRS = {"bpp": "bpp", "psnr": "psnr", "ms_ssim": "ms-ssim"}
"""Our column → CompressAI's name of the measure."""


def to_compressai(rows: Rows, codec: str) -> dict[str, Any]:
    """A codec's curve, lowest rate first: means over photographs; `InputError` where the rows have no such codec.

    Beside CompressAI's own measures there are, for every judge, "NAME LEVEL top-1" (0…1; "NAME LEVEL agreement" without
    labels) and "NAME wup".
    """
    if codec not in rows.codecs:
        raise InputError(f"no codec {codec!r} in these rows; there are {', '.join(rows.codecs)}")
    found = summary(rows)
    points = sorted((p for p in found["points"] if p["codec"] == codec), key=lambda point: point["bpp"])
    if not points:
        raise InputError(f"no photograph has all settings of {codec}, so it has no curve")
    curves = {
        theirs: [point[ours] for point in points] for ours, theirs in THEIRS.items() if all(ours in p for p in points)
    }
    for judge in rows.judges:
        for level in rows.levels:
            shares = [point["accuracy"][judge][level] for point in points]
            kind = "top1" if "top1" in shares[0] else "agreement"
            curves[f"{judge} {level} {kind.replace('top1', 'top-1')}"] = [share[kind] for share in shares]
        curves[f"{judge} wup"] = [point["wup"][judge] for point in points]
    description = f"hiercodec, mean of {counted(found)}: {found['command']}"
    return {"name": codec, "description": description, "settings": [p["setting"] for p in points], "results": curves}


def from_compressai(text: str | bytes, name: str = "") -> Rows:
    """A curve as rows of one stand-in photograph, `AVERAGE`, without judges; `name` replaces the name in the file.

    `meta["averages"]` is true: such rows have no spread, so no intervals. `InputError` says what is wrong with the text,
    which need not be trusted.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"a curve of {len(text):,} bytes; {MAX_TEXT:,} at most can be read")
    try:
        found = json.loads(text)
        results = found["results"]
        curves = {ours: [float(v) for v in results[theirs]] for ours, theirs in THEIRS.items() if results.get(theirs)}
        codec = str(name or found["name"])[:60]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"this is not a curve in CompressAI's format: {type(error).__name__} {error}") from None
    rates = curves.pop("bpp", [])
    if not 0 < len(rates) <= MAX_POINTS or any(len(values) != len(rates) for values in curves.values()):
        raise InputError("a curve needs 1 to 1000 rates under results.bpp, and as many values of every other measure")
    if not all(0 < rate < 1e4 for rate in rates) or not all(
        math.isfinite(v) for values in curves.values() for v in values
    ):
        raise InputError("rates must lie above 0, and all values be finite")
    fixed = {"photo": AVERAGE, "label": -1, "codec": codec, "bytes": 0, "seconds": None, "judge": "", **UNJUDGED}
    made = [
        {
            **fixed,
            "setting": str(_setting(found, i)),
            "bpp": rate,
            **{ours: curves[ours][i] if ours in curves else None for ours in ("psnr", "ms_ssim")},
        }
        for i, rate in enumerate(rates)
    ]
    meta = {
        "command": "",
        "averages": True,
        "data": {"name": str(found.get("description") or "")[:300], "photos": 1, "labelled": 0},
        "crop": None,
        "levels": {},
        "provenance": {"models": {}, "rivals": {codec: {"imported": "a curve in CompressAI's format"}}, "judges": {}},
    }
    return files.decode(files.encode(files.table(made, meta)))


def to_csv(rows: Rows) -> str:
    """Every row as a line; lists in cells, blanks between their values."""
    frame = rows.frame.copy()
    for column in LISTS:
        frame[column] = [" ".join(f"{value:.6g}" for value in cell) for cell in frame[column]]
    return frame.to_csv(index=False)


def _setting(found: Mapping[str, Any], place: int) -> Any:
    named = found.get("settings")
    return named[place] if isinstance(named, list) and place < len(named) else place + 1

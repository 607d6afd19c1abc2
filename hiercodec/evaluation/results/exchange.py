"""Curves in and out in CompressAI's results format, and rows as CSV: what other tools read.

CompressAI's `python -m compressai.utils.eval_model` and `bench` write, and its `plot` reads,
{"name", "description", "results": {"bpp": […], "psnr-rgb": […], "ms-ssim-rgb": […], …}}, a list entry a setting; of one
picture single numbers. Its older files and papers' say "psnr" and "ms-ssim".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from hiercodec import values
from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import rows as files
from hiercodec.evaluation.results.records import LISTS, UNJUDGED
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.summary import counted, summary
from hiercodec.fsio import printable

AVERAGE = "average"
"""What stands for a photograph in rows that come from a curve."""

MAX_POINTS = 1000
MAX_TEXT = 1 << 20
THEIRS = {"bpp": ("bpp",), "psnr": ("psnr-rgb", "psnr"), "ms_ssim": ("ms-ssim-rgb", "ms-ssim")}
"""Our column → CompressAI's names of the measure: the one that is written and read first, then others that are read."""

SCALES = {
    "bpp": (1e-6, 1e4, "bits a pixel lie above 0"),
    "psnr": (0.0, math.inf, "PSNR is 0 dB or more"),
    "ms_ssim": (0.0, 1.0, "MS-SSIM runs from 0 to 1; of decibels d take 1 − 10^(−d/10)"),
    "wup": (0.0, 1.0, "similarities run from 0 to 1"),
    "wup_eq1": (0.0, 1.0, "similarities run from 0 to 1"),
}
"""The least and the largest value of a measure that anybody may hand us, and what to say of others."""


def to_compressai(rows: Rows, codec: str) -> dict[str, Any]:
    """A codec's curve, lowest rate first: means over photographs; `InputError` where the rows have no such codec.

    Beside CompressAI's own measures there are, for every judge, "NAME LEVEL top-1" (0…1; "NAME LEVEL agreement" without
    labels) and "NAME wup". CompressAI draws numbers only: a setting that reproduces every picture exactly, so that its PSNR
    is infinite, is left out and named in the description.
    """
    if codec not in rows.codecs:
        raise InputError(f"no codec {codec!r} in these rows; there are {', '.join(rows.codecs)}")
    summed = summary(rows)
    every = sorted((p for p in summed["points"] if p["codec"] == codec), key=lambda point: point["bpp"])
    if not every:
        raise InputError(f"no photograph has all settings of {codec}, so it has no curve")
    points = [point for point in every if all(math.isfinite(point.get(ours, 0.0)) for ours in THEIRS)]
    if not points:
        raise InputError(f"every setting of {codec} reproduces its pictures exactly: CompressAI has no way to say so")
    curves = {
        theirs: [point[ours] for point in points]
        for ours, (theirs, *_) in THEIRS.items()
        if all(ours in p for p in every)
    }
    for judge in rows.judges:
        for level in rows.levels:
            shares = [point["accuracy"][judge][level] for point in points]
            kind = "top1" if "top1" in shares[0] else "agreement"
            curves[f"{judge} {level} {kind.replace('top1', 'top-1')}"] = [share[kind] for share in shares]
        curves[f"{judge} wup"] = [point["wup"][judge] for point in points]
    description = f"hiercodec, mean of {counted(summed)}: {summed['command']}"
    if left := [point["setting"] for point in every if point not in points]:
        description += (
            f"; without {', '.join(left)}, where a measure is no number (an exact picture's PSNR is infinite)"
        )
    return {"name": codec, "description": description, "settings": [p["setting"] for p in points], "results": curves}


def from_compressai(text: str | bytes, name: str = "") -> Rows:
    """A curve as rows of one stand-in photograph, `AVERAGE`, without judges; `name` replaces the name in the file.

    `meta["averages"]` is true: such rows have no spread, so no intervals. `InputError` says what is wrong with the text,
    which need not be trusted.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"a curve of {len(text):,} bytes; {MAX_TEXT:,} at most can be read")
    try:
        plain = values.loads(text)
        results = plain.get("results", plain)
        given = {ours: next((results[n] for n in names if results.get(n)), []) for ours, names in THEIRS.items()}
        curves = {
            ours: [values.number(v) for v in (several if isinstance(several, list) else [several])]
            for ours, several in given.items()
        }
        curves = {ours: several for ours, several in curves.items() if several}
        codec, named = _called(name or plain["name"]), plain.get("settings")
        settings = list(map(_called, named)) if isinstance(named, list) else []
    except (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"this is not a curve in CompressAI's format: {type(error).__name__} {error}") from None
    if codec in (files.SKIPPED, ORIGINAL):
        raise InputError(f"a curve needs a name of its own, and {codec!r} is none")
    rates = curves.get("bpp", [])
    if not 0 < len(rates) <= MAX_POINTS or any(len(several) != len(rates) for several in curves.values()):
        raise InputError("a curve needs 1 to 1000 rates under results.bpp, and as many values of every other measure")
    if len(set(settings)) != len(rates):
        settings = [str(place) for place in range(1, len(rates) + 1)]
    for ours, several in curves.items():
        wanted = [math.nan if value is None else value for value in several]
        if problem := off_scale(ours, wanted if ours == "bpp" else [v for v in wanted if not math.isnan(v)]):
            raise InputError(f"results.{THEIRS[ours][0]}: {problem}")
    if len(curves) == 1:
        raise InputError(
            f"a curve needs results.{THEIRS['psnr'][0]} or results.{THEIRS['ms_ssim'][0]} beside its rates"
        )
    fixed = {"photo": AVERAGE, "label": -1, "codec": codec, "bytes": 0, "seconds": None, "judge": "", **UNJUDGED}
    made = [
        {
            **fixed,
            "setting": settings[i],
            "bpp": rate,
            **{ours: curves[ours][i] if ours in curves else None for ours in ("psnr", "ms_ssim")},
        }
        for i, rate in enumerate(rates)
    ]
    meta = {
        "command": "",
        "averages": True,
        "data": {"name": str(plain.get("description") or "")[:300], "photos": 1, "labelled": 0},
        "crop": None,
        "levels": {},
        "provenance": {"models": {}, "rivals": {codec: {"imported": "a curve in CompressAI's format"}}, "judges": {}},
    }
    return files.decode(files.encode(files.table(made, meta)))


def off_scale(measure: str, measured: Iterable[float]) -> str:
    """What is wrong with the first of some values that no such measure has (NaN is none); empty where nothing is."""
    low, high, words = SCALES[measure]
    bad = next((value for value in measured if not low <= value <= high), None)
    return "" if bad is None else f"{words}, and this has {bad:.6g}"


def to_csv(rows: Rows) -> str:
    """Every row as a line; lists in cells, blanks between their values; what is no number as in `values`.

    A measure that a codec's rows lack altogether was not measured of it; where some have it, the others are undefined.
    """
    frame = rows.frame.copy()
    for column in ("psnr", "ms_ssim", "seconds", "wup", "wup_eq1"):
        undefined = frame[column].isna() & (frame.groupby(["codec", "judge"])[column].transform("count") > 0)
        frame[column] = frame[column].astype(object).mask(undefined, "nan")
    for column in LISTS:
        frame[column] = [" ".join(f"{value:.6g}" for value in cell) for cell in frame[column]]
    return frame.to_csv(index=False)


def _called(name: Any) -> str:
    """A name that somebody gave, as rows hold such."""
    return printable(str(name))[:60]

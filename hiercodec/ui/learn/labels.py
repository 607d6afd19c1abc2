"""Facts about labels in files, for lessons: what they tell beside what pixels show, and what they cannot do.

Read from the shipped rows of files with a label (`results/label-val.parquet`) and from `results/label-limits.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hiercodec.errors import CourseError
from hiercodec.evaluation.traces.label import FUSED, LABEL_ONLY
from hiercodec.ui.frame import cached
from hiercodec.ui.learn.places import Place

ROWS, LIMITS, JUDGE = "label-val", "label-limits.json", "lite2"
"""The files, and who looks at the pixels: neither the label's own classifier nor one in the codec's loss."""

WAYS = {"label": LABEL_ONLY, "both": FUSED}


def _share(way: str, level: str, bpp: str) -> Mapping[str, float] | None:
    """{top1, low, high} of the label, the pixels or both at a rate; None where nothing was measured."""
    for row in cached.measured(ROWS).get("points", ()):
        codec, setting = str(row["codec"]), str(row["setting"])
        mine = codec.endswith(WAYS[way]) if way in WAYS else "," not in codec and "+" not in codec
        if mine and setting == ("label" if way == "label" else f"{bpp} bpp"):
            return row["accuracy"][JUDGE][level]
    return None


def _said(way: str, level: str, bpp: str = "") -> str:
    found = _share(way, level, bpp)
    if found is None:
        return "(not measured)"
    return f"{100 * found['top1']:.0f} of 100 ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def _limits() -> dict[str, Any]:
    path = cached.RESULTS / LIMITS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _limit(experiment: str, about: str, who: str) -> Mapping[str, float] | None:
    """The share of right answers of `who` ("label", "0.2 bpp") in an experiment, where its name holds the words `about`."""
    for row in _limits().get(experiment, ()):
        if row["name"].count(who) and all(word in " ".join(row["name"]) for word in about.split()):
            return row
    if _limits():
        raise CourseError(f"no answers of {who!r} on {about!r} in {experiment!r}")
    return None


def _said_limit(place: Place, experiment: str, about: str, who: str) -> str:
    found = _limit(experiment, about, who)
    return "(not measured)" if found is None else f"{100 * found['share']:.0f} %"


def _stranger(place: Place) -> str:
    """What the label calls the lesson's photograph, which shows none of the classes."""
    return next(
        (row["labels"][-1] for row in _limits().get("strangers", ()) if row["id"] == place.photo.id), "(not asked)"
    )


def _wins(place: Place, level: str, bpp: str) -> bool:
    label, pixels = _share("label", level, ""), _share("pixels", level, bpp)
    return label is not None and pixels is not None and label["top1"] > pixels["top1"]


FACTS: dict[str, Callable[..., str]] = {
    "label_right": lambda place, level: _said("label", level),
    "pixels_right": lambda place, level, bpp: _said("pixels", level, bpp),
    "both_right": lambda place, level, bpp: _said("both", level, bpp),
    "limit": _said_limit,
    "stranger": _stranger,
}
CLAIMS: dict[str, Callable[..., bool]] = {"label_wins": _wins, "limits_known": lambda place: bool(_limits())}

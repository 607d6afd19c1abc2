"""What the cards of shipped weights say, in words. Cards are written by training; what they lack is "not measured"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_MEASURED = "not measured"
GOOD_PSNR = 31.0
GOOD_RATE = 0.7
GOOD_COARSE_RATE = 0.25
GOOD_TOP1 = 60.0


def number(value: Any, digits: int = 2, unit: str = "") -> str:
    """A figure with its unit, or "not measured"."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOT_MEASURED
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def levels(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Level → measured row of a codec's card; empty if nothing was measured."""
    return dict((card.get("validation") or {}).get("levels") or {})


def accuracies(card: Mapping[str, Any], who: str = "top1_percent_with_95_interval") -> list[dict[str, Any]]:
    """Rows of a classifier's card: hierarchy, level, groups, top-1 in per cent with its 95 % interval."""
    measured = (card.get("measured") or {}).get(who) or {}
    return [
        {
            "hierarchy": hierarchy,
            "level": level,
            "groups": row.get("k"),
            "top-1 (%)": row.get("top1"),
            "95 % interval": f"{number(row.get('low'), 1)} to {number(row.get('high'), 1)}",
        }
        for hierarchy, rows in measured.items()
        for level, row in rows.items()
    ]


def fine_top1(card: Mapping[str, Any]) -> float | None:
    """Accuracy over the 1000 classes in per cent, or None."""
    return next((row["top-1 (%)"] for row in accuracies(card) if row["level"] == "fine"), None)


def points(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of one data set in a codec's card: codec, setting, rate, quality, and top-1 in per cent by classifier.

    The first row is the uncompressed photographs, where those were classified.
    """
    rows = []
    for point in ({"codec": "uncompressed", **(measured.get("uncompressed") or {})}, *measured.get("points", [])):
        row = {name: point.get(name, "" if name == "setting" else None) for name in ("codec", "setting", "bpp", "psnr")}
        for classifier, levels_ in (point.get("accuracy") or {}).items():
            for level, shares in levels_.items():
                kind = "top1" if "top1" in shares else "agreement"
                row[f"{classifier} {level} {kind} (%)"] = round(100 * shares[kind], 1)
        rows.append(row)
    return rows if measured.get("uncompressed") else rows[1:]


def weaknesses(codec: Mapping[str, Any], classifier: Mapping[str, Any] | None) -> list[str]:
    """Sentences on what the weights cannot do yet, from their own cards; empty where they reach the project's targets."""
    found = []
    rows = levels(codec)
    whole, coarse = rows.get("fine", {}), rows.get("coarse", {})
    photos = (codec.get("validation") or {}).get("photos")
    if not rows:
        found.append("The codec's quality has not been measured.")
    elif (
        whole.get("psnr", 0) < GOOD_PSNR or whole.get("bpp", 99) > GOOD_RATE or coarse.get("bpp", 99) > GOOD_COARSE_RATE
    ):
        found.append(
            f"Early codec weights: on {photos} held-out photographs the coarse prefix costs "
            f"{number(coarse.get('bpp'))} bit/pixel, the whole file {number(whole.get('bpp'))} bit/pixel at "
            f"{number(whole.get('psnr'), 1, 'dB')}."
        )
    if classifier is not None:
        share = fine_top1(classifier)
        if share is None:
            found.append("The classifier's accuracy has not been measured.")
        elif share < GOOD_TOP1:
            found.append(
                f"A small classifier: it names the right one of 1000 classes in {share:.0f} % of validation photographs, "
                "so a wrong answer may be its fault and not the codec's."
            )
    return found

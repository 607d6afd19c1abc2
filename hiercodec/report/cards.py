"""What the cards of shipped weights say, in words. Cards are written by training; what they lack is "not measured"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hiercodec.fsio import locate
from hiercodec.levels import spoken

RESULTS = locate("results")
TRAIN_TIC = "python -m hiercodec train configs/tic-rd.toml && python -m hiercodec train configs/tic.toml"

NOT_MEASURED = "not measured"
GOOD_PSNR = 31.0
GOOD_RATE = 0.7
GOOD_COARSE_RATE = 0.25


def number(value: Any, digits: int = 2, unit: str = "") -> str:
    """A figure with its unit, or "not measured"."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOT_MEASURED
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def results(name: str) -> dict[str, Any]:
    """A results file of assets/results, or an empty dictionary where it is missing."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def missing_tic(codecs: Mapping[str, Any]) -> str | None:
    """What to say where the weights of `tic` are not installed; None where they are."""
    if "tic" in codecs:
        return None
    return (
        "`tic`, the paper's own network, is not shipped: nobody has trained it at full size yet. Train it (hours on one "
        f"GPU) with `{TRAIN_TIC}`, then put `runs/tic/tic.safetensors` and `tic.json` into `assets/models/`."
    )


def slow(codec: Mapping[str, Any]) -> str | None:
    """A word of patience for a `tic`-class codec, which the app runs on the CPU; None for others."""
    if (codec.get("preset") or {}).get("transform") != "tic":
        return None
    return "A large network on a CPU: a picture takes seconds, once for every step of a trace."


def about_switch(codecs: Mapping[str, Mapping[str, Any]], chosen: str) -> list[str]:
    """What to say under the switch between codec models: which one is missing, and that the chosen one takes its time."""
    return [words for words in (missing_tic(codecs), slow(codecs.get(chosen, {}))) if words]


def levels(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Level → measured row of a codec's card; empty if nothing was measured."""
    return dict((card.get("validation") or {}).get("levels") or {})


def calibration(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a classifier's card: on held-out photographs, how far its sureness is from how often it is right."""
    rows = {"all prefixes": card.get("held_out"), **(card.get("held_out_by_prefix") or {})}
    return [
        {
            "prefix": spoken(prefix),
            "top-1 (%)": round(100 * row["top1"], 1),
            "ECE before": round(row["ece_before"], 3),
            "ECE after": round(row["ece_after"], 3),
            "NLL before (nats)": round(row["nll_before"], 2),
            "NLL after (nats)": round(row["nll_after"], 2),
        }
        for prefix, row in rows.items()
        if row
    ]


def prefixes(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of a codec's card: what its prefixes cost and keep on photographs held out from training."""
    return [
        {
            "prefix up to": spoken(level),
            "bit/pixel": _rounded(row.get("bpp"), 3),
            "PSNR (dB)": _rounded(row.get("psnr"), 1),
            "answer kept (%)": _rounded(row.get("agreement"), 1, 100),
        }
        for level, row in levels(card).items()
    ]


def _rounded(value: Any, digits: int, scale: float = 1.0) -> float | None:
    return round(scale * value, digits) if isinstance(value, (int, float)) else None


def weaknesses(codec: Mapping[str, Any]) -> list[str]:
    """Sentences on what the weights cannot do yet, from their own card; empty where they reach the project's targets."""
    sentences = [words] if (words := slow(codec)) else []
    rows = levels(codec)
    coarse, whole = ([*rows.values()][i] if rows else {} for i in (0, -1))
    photos = (codec.get("validation") or {}).get("photos")
    if not rows:
        sentences.append("The codec's quality has not been measured.")
    elif (
        whole.get("psnr", 0) < GOOD_PSNR or whole.get("bpp", 99) > GOOD_RATE or coarse.get("bpp", 99) > GOOD_COARSE_RATE
    ):
        sentences.append(
            f"Early codec weights: on {photos} held-out photographs the first block costs "
            f"{number(coarse.get('bpp'))} bit/pixel, the whole file {number(whole.get('bpp'))} bit/pixel at "
            f"{number(whole.get('psnr'), 1, 'dB')}."
        )
    return sentences

"""How sure a classifier may be of decoded prefixes, fitted on labelled photographs: a temperature, and a curve a level.

    python -m tools.calibrate DATASET … --out FOLDER        a card a classifier; those in assets/classifiers are in use

How sure a classifier should be depends on what it looks at, so both are fitted on what the app shows it: every
photograph's stream, cut at shares of its bytes and at its levels' ends. Half of the photographs are held out, and the card
says what temperature (Guo et al., On Calibration of Modern Neural Networks, ICML 2017) and curves do to them.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec import fsio
from hiercodec.classify import Confidence, level_probabilities
from hiercodec.classify.confidence import log_softmax, logit
from hiercodec.cli.base import (
    CROP,
    DEVICE,
    MODEL,
    SAMPLE,
    Arguments,
    argument,
    classifiers,
    command,
    command_line,
    flag,
    labels,
    note,
    option,
)
from hiercodec.cli.main import main
from hiercodec.evaluation.codecs.peers import HierPeer, shares_and_ends
from hiercodec.images import centre_crop
from hiercodec.taxonomy import Hierarchy

HELD_OUT = 0.5
RANGE = (0.05, 20.0)
"""Temperatures that `fit_temperature` looks among."""

RIDGE = 1e-4
"""Keeps the curve finite where all answers of a small set are right."""


def gather(
    photos: Any,
    codec: Any,
    classifiers: Sequence[Any],
    *,
    crop: int | None,
    cuts: int,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[list[str], np.ndarray, dict[str, np.ndarray]]:
    """Every photograph's decoded prefixes: settings, shares of the file (0…1] [photos, settings], and by classifier's name
    logits [photos, settings, classes]."""
    settings: list[str] = []
    shares: list[list[float]] = []
    logits: dict[str, list[np.ndarray]] = {classifier.name: [] for classifier in classifiers}
    peer = HierPeer(codec, shares_and_ends(cuts))
    for i, photo in enumerate(photos.pixels):
        points = list(peer.points(centre_crop(photo, crop) if crop else photo))
        settings = [point.setting for point in points]
        shares.append([point.bytes / point.whole.total_bytes for point in points])
        for classifier in classifiers:
            logits[classifier.name].append(classifier.logits([point.picture for point in points]))
        progress(i + 1)
    return settings, np.array(shares), {name: np.stack(rows) for name, rows in logits.items()}


def calibrated(logits: np.ndarray, labels: np.ndarray, settings: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The temperature fitted on a half of the photographs, and NLL and ECE of the other half before and after.

    logits: [photos, settings, classes]; labels: [photos]. The halves share no photograph.
    """
    held, fitted = halves(len(labels), seed)

    def flat(rows: np.ndarray, columns: Any = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        picked = logits[rows][:, columns]
        return picked.reshape(-1, logits.shape[-1]), np.repeat(labels[rows], picked.shape[1])

    temperature = fit_temperature(*flat(fitted))

    def measured(columns: Any = slice(None)) -> dict[str, float]:
        z, truth = flat(held, columns)
        found = {"top1": round(float((z.argmax(1) == truth).mean()), 4)}
        for when, t in (("before", 1.0), ("after", temperature)):
            confidence = np.exp(log_softmax(z, t)).max(1)
            found[f"ece_{when}"] = round(ece(confidence, z.argmax(1) == truth), 4)
            found[f"nll_{when}"] = round(nll(z, truth, t), 4)
        return found

    return {
        "temperature": temperature,
        "photos": {"fitted": len(fitted), "held_out": len(held)},
        "prefixes": len(settings),
        "held_out": measured(),
        "held_out_by_prefix": {setting: measured([i]) for i, setting in enumerate(settings)},
    }


def confident(
    logits: np.ndarray,
    labels: np.ndarray,
    shares: np.ndarray,
    settings: Sequence[str],
    temperature: float,
    hierarchy: Hierarchy,
    seed: int = 0,
) -> dict[str, Any]:
    """The curve of every level (see `Confidence`) fitted on a half of the photographs, and ECE of the other half.

    logits: [photos, settings, classes]; labels: [photos]; shares: [photos, settings] in 0…1. The halves are those of
    `calibrated`; "before" is what the temperature alone gives.
    """
    held, fitted = halves(len(labels), seed)
    p = np.exp(log_softmax(logits.reshape(-1, logits.shape[-1]), temperature))
    levels = {}
    for level, masses in zip(hierarchy.levels, level_probabilities(p, hierarchy).values(), strict=True):
        likely = masses.max(1).reshape(shares.shape)
        right = masses.argmax(1).reshape(shares.shape) == level.assignment[labels][:, None]
        curve = fit_confidence(likely[fitted].ravel(), shares[fitted].ravel(), right[fitted].ravel())
        after = Confidence({level.name: curve})(level.name, likely, shares)
        errors = {"before": likely, "after": after}
        levels[level.name] = {
            "curve": list(curve),
            "held_out": {
                f"ece_{when}": round(ece(q[held].ravel(), right[held].ravel()), 4) for when, q in errors.items()
            },
            "held_out_by_prefix": {
                setting: {f"ece_{when}": round(ece(q[held, i], right[held, i]), 4) for when, q in errors.items()}
                for i, setting in enumerate(settings)
            },
        }
    return {"hierarchy": hierarchy.name, "least_share": math.floor(1000 * shares.min()) / 1000, "levels": levels}


def halves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indexes of the photographs that are held out, and of those that are fitted to."""
    held, fitted = np.split(np.random.default_rng(seed).permutation(n), [round(HELD_OUT * n)])
    return held, fitted


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the true classes [n], in nats."""
    return float(-log_softmax(logits, temperature)[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least `nll` on logits [n, classes] and true classes [n], to four decimals."""
    from scipy.optimize import minimize_scalar

    # NLL is convex in 1 / T, so a bounded search finds the one minimum.
    low, high = 1 / RANGE[1], 1 / RANGE[0]
    found = minimize_scalar(lambda inverse: nll(logits, labels, 1 / inverse), bounds=(low, high), method="bounded")
    return round(1 / float(found.x), 4)


def fit_confidence(p: np.ndarray, share: np.ndarray, right: np.ndarray) -> tuple[float, float, float]:
    """(a, b, c) of the likeliest curve through answers [n]: their probability, share of the bytes, and whether right."""
    from scipy.optimize import minimize

    x = np.stack([logit(p), np.ones(len(p)), np.log(share)])
    sign = np.where(right, 1.0, -1.0)
    found = minimize(lambda w: np.logaddexp(0, -sign * (w @ x)).mean() + RIDGE * w @ w, x0=(1.0, 0.0, 0.0))
    a, b, c = (round(float(value), 4) for value in found.x)
    return a, b, c


def ece(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error 0…1 (Guo et al., 2017, Eq. 3): mean |accuracy − confidence| over equal-width bins.

    confidence: (n,) probabilities of the answers given, 0…1; right: (n,) whether each was. Bins weigh by their answers.
    """
    if not len(confidence):
        raise ValueError("no observations")
    where = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    gaps = np.bincount(where, weights=np.asarray(right, float) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


@command(
    "calibrate", "fit how sure a classifier is to how often it is right",
    argument("dataset", many=True, metavar="DATASET…"),
    labels(),
    option("--out", required=True, metavar="DIR", help="folder for the cards; those in assets/classifiers are in use"),
    classifiers(), MODEL, DEVICE, CROP,
    option("--cuts", type=int, default=3, metavar="N", help="cut streams at N shares too"),
    SAMPLE,
    option("--hierarchy", metavar="H", help="whose levels get a curve each (default: the default hierarchy)"),
    option("--seed", type=int, default=0, help="which photographs are held out"),
    flag("--curves-only",
         help="keep the temperature of the cards in --out, on which published results stand, and fit the curves anew"),
    option("--remark", help="a sentence for the cards, say on what the photographs are"),
    details="Fits a temperature per classifier and a curve per level on prefixes of labelled photographs, folders (wnid "
    "sub-folders give labels) or .tar shards, and writes a card for each.",
)  # fmt: skip
def calibrate(args: Arguments) -> int:
    from tqdm import tqdm

    from hiercodec import models, taxonomy
    from hiercodec.classify import load_classifier
    from tools.common import labelled_photos

    classifiers = [load_classifier(spec) for spec in args.classifier or ["lite0"]]
    codec = models.load(args.model)
    hierarchy = taxonomy.load_hierarchy(args.hierarchy) if args.hierarchy else taxonomy.load_hierarchy()
    photos = labelled_photos(args.dataset, sample=args.sample, how=args.labels)
    cards = [json.loads(fsio.read_bytes(_card_path(args, c.name))) for c in classifiers] if args.curves_only else []
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        settings, shares, logits = gather(
            photos, codec, classifiers, crop=args.crop, cuts=args.cuts, progress=lambda done: bar.update(done - bar.n)
        )
    for classifier, known in itertools.zip_longest(classifiers, cards):
        scores, path = logits[classifier.name], _card_path(args, classifier.name)
        found = known or calibrated(scores, photos.labels, settings, args.seed)
        curves = confident(scores, photos.labels, shares, settings, found["temperature"], hierarchy, args.seed)
        made = {"model": f"{codec.name} {codec.fingerprint.hex()}", "crop": args.crop, "command": command_line(args)}
        card = known or {
            "name": classifier.name,
            "sha256": classifier.sha256,
            "preprocess": dataclasses.asdict(classifier.preprocess),
            **found,
            **made,
            **({"remark": args.remark} if args.remark else {}),
        }
        fsio.write_json(path, card | {"confidence": {**curves, "photos": len(photos), **made}})
        note(f"{path.name}: temperature {card['temperature']}{_improved(card)}; {_improved_curves(curves)}")
    return 0


def _card_path(args: Arguments, name: str) -> Path:
    return Path(args.out) / f"{name.replace(':', '-')}.json"


def _improved(card: dict[str, Any]) -> str:
    held = card["held_out"]
    return (
        f", ECE {held['ece_before']:.3f} → {held['ece_after']:.3f}, NLL {held['nll_before']:.3f} → {held['nll_after']:.3f} "
        f"on {card['photos']['held_out']} held-out photographs"
    )


def _improved_curves(curves: dict[str, Any]) -> str:
    rows = {level: row["held_out"] for level, row in curves["levels"].items()}
    return "curves, ECE " + ", ".join(
        f"{level} {row['ece_before']:.3f} → {row['ece_after']:.3f}" for level, row in rows.items()
    )


if __name__ == "__main__":
    sys.exit(main(commands=calibrate, program="python -m tools.calibrate"))

"""Rows as `hiercodec evaluate` writes them, made up: accuracy and quality rise with the bytes, some codecs are better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.rows import AS_ORIGINAL, LABEL, UNKNOWN, Rows
from hiercodec.evaluation.results.table import Table
from hiercodec.taxonomy import HierarchyLevel, load_hierarchy
from hiercodec.taxonomy.similarity import wup_matrix

LEVELS = {"coarse": 10, "intermediate": 100, "fine": 1000}
SETTINGS = ("q1", "q10", "q40")
PIXELS = 224 * 224


def some_rows(
    photos: int = 8,
    codecs: Sequence[str] = ("lite", "jpeg"),
    judges: Sequence[str] = ("lite0",),
    settings: Sequence[str] = SETTINGS,
    *,
    labelled: bool = True,
    seed: int = 0,
) -> Rows:
    """Rows of `photos` photographs: the original and every codec (the earlier ones are better) at every setting.

    Right answers come more often with more bytes and at coarser levels. `judges=("",)` has none. Without labels the
    answer on the original counts. Deterministic.
    """
    rng = np.random.default_rng(seed)
    hierarchy = load_hierarchy("consensus")
    kept: list[dict[str, Any]] = []
    for photo in range(photos):
        label = int(rng.integers(1000))
        hard = rng.uniform(size=len(judges))
        points = [("original", "", 3 * PIXELS, math.inf, 0.95)]
        for worse, codec in enumerate(codecs):
            for step, setting in enumerate(settings, start=1):
                size = int(400 * 2.2**step * (1 + 0.3 * worse) * rng.uniform(0.9, 1.1))
                points.append((codec, setting, size, 20 + 2.5 * step - worse, 0.9 * (1 - 0.5**step) - 0.05 * worse))
        for codec, setting, size, quality, easy in points:
            whole = codec == "original"
            psnr = None if whole else quality + rng.normal(0, 0.2)
            known = LABEL if labelled else AS_ORIGINAL
            for judge, name in enumerate(judges):
                kept.append(
                    {
                        "photo": f"photo{photo:04d}.png",
                        "label": label if labelled else -1,
                        "codec": codec,
                        "setting": setting,
                        "bytes": size,
                        "bpp": 8 * size / PIXELS,
                        "psnr": psnr,
                        "ms_ssim": None if whole else 1 - 2 ** (-quality / 6),
                        "seconds": math.nan if codec == "lite" else 0.01,
                        "judge": name,
                        "truth_from": known if name else UNKNOWN,
                        **(_answer(label, hierarchy, hard[judge] < easy, easy, rng) if name else NO_ANSWER),
                    }
                )
    if not labelled:
        own = {(row["photo"], row["judge"]): row["path"] for row in kept if row["codec"] == "original"}
        for row in kept:
            path = own[row["photo"], row["judge"]]
            row["right"] = [a == b for a, b in zip(row["path"], path, strict=True)]
            row |= _similarity(row["path"][-1], path[-1]) if path else {}
    frame = pd.DataFrame(kept)
    meta = {
        "command": "python -m hiercodec evaluate photos --out rows.parquet",
        "levels": LEVELS,
        "crop": 224,
        "data": {"name": "made up", "photos": photos, "labelled": photos * labelled, "digest": f"{seed:016x}"},
        "provenance": {
            "models": {name: "00000000" for name in codecs if name == "lite"},
            "rivals": {name: {"encoder": "1.0", "options": [{}]} for name in codecs if name != "lite"},
            "judges": {name: {"sha256": "0" * 64, "in_loss": {"lite": False}} for name in judges if name},
            "hierarchy": hierarchy.name,
            "hierarchy_digest": hierarchy.digest,
        },
    }
    return rows.decode(rows.encode(rows.table(frame, meta)))


NO_ANSWER = {
    **dict.fromkeys(("classes", "p", "path", "path_p", "right", "bits"), ()),
    **dict.fromkeys(("wup", "wup_eq1")),
}


def _similarity(answer: int, truth: int) -> dict[str, float]:
    """Both similarities of an answer and what is right."""
    measures = {"wup": "nltk", "wup_eq1": "eq1"}
    return {name: 1.0 if answer == truth else float(wup_matrix(m)[answer, truth]) for name, m in measures.items()}


def _answer(label: int, hierarchy, right: bool, sure: float, rng) -> dict[str, Any]:
    """Four classes, the right one first where `right`, else second; a wrong answer is in the right group half the time."""
    coarse = hierarchy.levels[0].assignment
    near = np.flatnonzero((coarse == coarse[label]) & (np.arange(1000) != label))
    far = np.flatnonzero(coarse != coarse[label])
    wrong = rng.choice(near if rng.uniform() < 0.5 else far, 3, replace=False).tolist()
    classes = [label, *wrong] if right else [wrong[0], label, *wrong[1:]]
    p = np.array([max(sure, 0.3), 0.12, 0.04, 0.01])
    groups = [[int(level.assignment[c]) for c in classes] for level in hierarchy.levels]
    masses = [
        np.bincount(found, weights=p, minlength=level.k) for found, level in zip(groups, hierarchy.levels, strict=True)
    ]
    path = [int(mass.argmax()) for mass in masses]
    truth = [int(level.assignment[label]) for level in hierarchy.levels]
    return {
        "classes": classes,
        "p": p.astype(np.float16),
        "path": path,
        "path_p": [float(mass.max()) for mass in masses],
        "right": [a == b for a, b in zip(path, truth, strict=True)],
        "bits": [max(0.0, math.log2(len(m)) + math.log2(max(m[t], 1e-9))) for m, t in zip(masses, truth, strict=True)],
        **_similarity(path[-1], label),
    }


def some_table(right: np.ndarray, sizes: np.ndarray, **columns: Any) -> Table:
    """A table with these right answers bool[n, s, L] and bytes int[n, s]; other columns as given, else next to nothing."""
    n, s, levels = right.shape
    nothing = np.full((n, s), np.nan)
    made: dict[str, Any] = {
        "codec": "lite",
        "judge": "lite0",
        "levels": tuple(LEVELS)[:levels],
        "settings": tuple("abcdefgh")[:s],
        "photos": np.array([f"photo{i:04d}.png" for i in range(n)]),
        "labels": np.zeros(n, int),
        "truth_from": np.full(n, LABEL),
        "truth": np.zeros((n, levels), int),
        "bytes": sizes,
        "bpp": 8 * sizes / PIXELS,
        **dict.fromkeys(("psnr", "ms_ssim", "wup", "wup_eq1", "margin"), nothing),
        "path": np.zeros(right.shape, int),
        "probability": np.ones(right.shape),
        "right": right,
        "bits": np.zeros(right.shape),
    }
    return Table(**made | columns)


def rungs(groups: Mapping[int, np.ndarray]) -> list[HierarchyLevel]:
    """Levels named "2", "3", … of a ladder (K → groups int64[1000]), and "1000", the classes themselves."""
    ladder = {**groups, 1000: np.arange(1000)}
    return [HierarchyLevel(str(k), k, found, tuple(map(str, range(k)))) for k, found in sorted(ladder.items())]

"""From measured pictures to rows: the one place where a photograph's points become what `rows.schema` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hiercodec.evaluation.measure import ORIGINAL, Evaluator, Row, Verdict, measure_peers
from hiercodec.evaluation.metrics import MS_SSIM_SIDE, bits_of_meaning, ms_ssim
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.results.rows import AS_ORIGINAL, LABEL, MASS, MAX_CLASSES, UNKNOWN, Rows
from hiercodec.evaluation.traces.label import witnesses
from hiercodec.images import centre_crop
from hiercodec.protocols import Archive, Peer
from hiercodec.tasks import Task, scores

LISTS = ("classes", "p", "path", "path_p", "right", "bits")
UNJUDGED: dict[str, Any] = {**dict.fromkeys(LISTS, ()), "wup": None, "wup_eq1": None, "truth_from": UNKNOWN}


def records(
    photo: str,
    rgb: np.ndarray,
    label: int,
    peers: Sequence[Peer],
    judges: Sequence[Evaluator] = (),
    tasks: Sequence[Task] = (),
    seen: Callable[[Row], object] = lambda row: None,
) -> Iterator[dict[str, Any]]:
    """Rows of one photograph, uint8 (H, W, 3), of class `label` (−1: unknown) under every peer, the original first.

    `seen` takes every point as it was measured.
    Of files with a label there are rows of what it says alone, and together with the pixels, too (see `traces.label`).
    """
    references = [task.answers([rgb])[0] for task in tasks]
    peers = [peer.of(photo) if isinstance(peer, Archive) else peer for peer in peers]
    for row in measure_peers(rgb, label, peers, judges):
        seen(row)
        scored = {"scores": scores(tasks, references, row.point.picture)} if tasks else {}
        large = min(rgb.shape[:2]) >= MS_SSIM_SIDE and row.peer != ORIGINAL
        for point in described(photo, label, row, judges, ms_ssim(rgb, row.point.picture) if large else None):
            yield {**point, **scored}


def described(
    photo: str, label: int, row: Row, judges: Sequence[Evaluator] = (), similarity: float | None = None
) -> Iterator[dict[str, Any]]:
    """One measured row as the rows of a file, one a judge; `similarity` is its MS-SSIM."""
    point = {
        "photo": photo,
        "label": label,
        "codec": row.peer,
        "setting": row.point.setting,
        "bytes": row.point.bytes,
        "bpp": row.bpp,
        "psnr": None if row.peer == ORIGINAL else row.psnr,
        "ms_ssim": similarity,
        "seconds": row.point.seconds,
    }
    evaluator = {judge.classifier.name: judge for judge in judges}
    for name, verdict in row.verdicts.items():
        yield {**point, "judge": name, **_answer(verdict, known=label >= 0)}
        for suffix, answer in witnesses(row.point, verdict, evaluator[name]):
            yield {**point, "codec": row.peer + suffix, "judge": name, **_answer(answer, known=label >= 0)}
    if not row.verdicts:
        yield {**point, "judge": "", **UNJUDGED}


def _answer(verdict: Verdict, *, known: bool) -> dict[str, Any]:
    """`known`: right is the photograph's own class, so information counts only where it is about that class.

    `right_p`, the probability of what is right, is for runs in memory; files have no such column.
    """
    classes = likeliest(verdict.probabilities)
    return {
        "classes": classes,
        "p": verdict.probabilities[classes].astype(np.float16),
        "path": list(verdict.winners.values()),
        "path_p": [float(mass.max()) for mass in verdict.masses.values()],
        "right": list(verdict.hits.values()),
        "right_p": [float(verdict.masses[level][list(groups)].sum()) for level, groups in verdict.right.items()],
        "bits": [
            0.0 if verdict.blank else bits_of_meaning(mass, verdict.right[level] if known else ())
            for level, mass in verdict.masses.items()
        ],
        "wup": verdict.wup,
        "wup_eq1": verdict.similarity("eq1"),
        "truth_from": LABEL if known else AS_ORIGINAL,
    }


def likeliest(p: np.ndarray) -> np.ndarray:
    """The classes that a row keeps of probabilities (1000,): likeliest first, ties in class order.

    >>> likeliest(np.array([0.2, 0.7995, 0.0005])).tolist()
    [1, 0]
    """
    order = np.argsort(-p, kind="stable")[:MAX_CLASSES]
    enough = int(np.searchsorted(np.cumsum(p[order], dtype=np.float64), MASS)) + 1
    return order[:enough]


def gather(
    photos: Photos,
    peers: Sequence[Peer],
    judges: Sequence[Evaluator] = (),
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

"""What knowing the core saves: real files of one picture without a core, with the right one, and with a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hiercodec import stream
from hiercodec.classify import core_of_path
from hiercodec.evaluation.metrics import bootstrap
from hiercodec.evaluation.peers import Teller
from hiercodec.models import Codec


def wrong_core(core: stream.Core, teller: Teller, rng: np.random.Generator) -> stream.Core:
    """A core as sure as this one of `teller`'s of a class of another coarsest group, any of them."""
    levels = [level.assignment for level in teller.hierarchy.levels]
    told = core.path(levels)
    leaf = int(rng.choice(np.flatnonzero(levels[0] != told[0][0])))
    path = [(int(level[leaf]), sure) for level, (_, sure) in zip(levels, told, strict=True)]
    return core_of_path(path, teller.hierarchy, teller.classifier.sha256)


def lengths(codec: Codec, pictures: Iterable[np.ndarray], teller: Teller, seed: int = 0) -> np.ndarray:
    """Payload bytes, int64 (pictures, 3, levels): coded without a core, conditioned on the right one, and on a wrong one."""
    rng, rows = np.random.default_rng(seed), []
    for rgb in pictures:
        right = teller(rgb)
        wrong = wrong_core(right, teller, rng)
        files = [codec.encode(rgb), *(codec.encode(rgb, core=core, conditioned=True) for core in (right, wrong))]
        rows.append([[block.length for block in stream.parse(data).blocks] for data in files])
    return np.array(rows)


def savings(found: np.ndarray, names: tuple[str, ...]) -> dict[str, Any]:
    """What `lengths` found, ready for JSON: mean bytes of every block, and what a core changes in percent, with intervals.

    Percent are of all bytes of the block; 95 % intervals are paired bootstraps over pictures.
    """
    blocks = {name: found[:, :, j] for j, name in enumerate(names)} | {"all": found.sum(2)}
    return {"photos": len(found)} | {name: {"bytes": round(float(rows[:, 0].mean()), 1)} | {
        which: _change(rows[:, 0], rows[:, i]) for i, which in ((1, "right"), (2, "wrong"))
    } | {"right against wrong": _change(rows[:, 2], rows[:, 1])} for name, rows in blocks.items()}  # fmt: skip


def _change(before: np.ndarray, after: np.ndarray) -> list[float]:
    """Percent by which the sum changes, and its interval."""

    def percent(rows: np.ndarray) -> float:
        return float(100 * (after[rows].sum() / before[rows].sum() - 1))

    whole = percent(np.arange(len(before)))
    return [round(value, 3) for value in (whole, *bootstrap(percent, len(before)))]

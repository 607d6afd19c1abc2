"""Measured rows as arrays: what one judge says of every photograph at every cut of one codec. No pictures, no torch.

    Rows ── answers(codec, judge) ──► Answers: arrays [photo, cut, level] ──► masks, orders, counts (`failures`)

Right is what the rows say, for the class in `label`; where a photograph has none, what the same judge says of its original.
Shapes below: n photographs, s cuts (rising by mean bytes), L levels (coarse first).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.taxonomy import Hierarchy

if TYPE_CHECKING:
    from hiercodec.evaluation.rows import Rows

COLUMNS = ("photo", "label", "codec", "setting", "bytes", "bpp", "judge", "p", "path", "path_p", "right")
"""All that is read here: without the likeliest classes, which make most of a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one judge says of every photograph at every cut of one codec.

    photos (n names), labels int[n] (−1: no class is known), settings (s names), bytes int[n, s], bpp float[n, s],
    winners int[n, s, L], sure float[n, s, L] (the winner's probability), right bool[n, s, L], truth int[n, L] (the right
    group), margin float[n, s] (lead of the likeliest class over the next), wup float[n, s] (of class and truth, 1 if right).
    """

    codec: str
    judge: str
    hierarchy: Hierarchy
    settings: tuple[str, ...]
    photos: np.ndarray
    labels: np.ndarray
    bytes: np.ndarray
    bpp: np.ndarray
    winners: np.ndarray
    sure: np.ndarray
    right: np.ndarray
    truth: np.ndarray
    margin: np.ndarray
    wup: np.ndarray

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def labelled(self) -> bool:
        """Whether every photograph's class is known, so that "right" means right."""
        return bool((self.labels >= 0).all())

    def where(self, mask: np.ndarray) -> Answers:
        """The photographs of a mask bool[n] or of indexes, in that order."""
        kept = {f.name: value[mask] for f in fields(self) if isinstance(value := getattr(self, f.name), np.ndarray)}
        return replace(self, **kept)

    def first_right(self, level: int) -> np.ndarray:
        """int[n]: the first cut whose answer at `level` is right; −1 where none is."""
        right = self.right[:, :, level]
        return np.where(right.any(1), right.argmax(1), -1)

    def bytes_to_right(self, level: int) -> np.ndarray:
        """float[n]: bytes of the first right answer at `level`; infinite where there is none."""
        first = self.first_right(level)
        return np.where(first < 0, np.inf, self.bytes[np.arange(len(self)), first])

    def nearest(self, bpp: float) -> int:
        """The cut whose mean rate is nearest to `bpp`, by ratio."""
        return int(np.abs(np.log(self.bpp.mean(0) / bpp)).argmin())


def answers(rows: Rows, codec: str, judge: str, hierarchy: Hierarchy) -> Answers:
    """The rows of one codec and one judge as arrays; photographs that lack a cut are left out. `InputError` if none is left.

    `hierarchy` must be the one that the rows were read in: their metadata name it.
    """
    from hiercodec.taxonomy.similarity import wup_matrix

    chosen: Any = rows.of(codec=codec, judge=judge).frame
    sizes = chosen.groupby("setting")["bytes"].mean().sort_values(kind="stable")
    counts = chosen.groupby("photo")["setting"].nunique()
    whole = chosen[chosen["photo"].isin(counts.index[counts == len(sizes)])]
    if whole.empty or not len(whole["path"].iloc[0]):
        raise InputError(f"these rows hold no answers of {judge or 'a judge'} on {codec}")
    order = dict(zip(sizes.index, range(len(sizes)), strict=True))
    whole = whole.assign(cut=whole["setting"].map(order)).sort_values(["photo", "cut"], kind="stable")
    n, s = whole["photo"].nunique(), len(sizes)

    def column(name: str, dtype: Any) -> np.ndarray:
        return np.stack(whole[name].to_list()).reshape(n, s, -1).astype(dtype)

    first = whole.iloc[::s]
    labels = first["label"].to_numpy(int)
    winners = column("path", int)
    truth = np.stack([level.assignment[labels] for level in hierarchy.levels], 1)
    told = whole["right"].map(len).to_numpy().reshape(n, s).all(1)
    if (labels < 0).any():
        truth[labels < 0] = _of_originals(rows, judge, first["photo"][labels < 0], winners.shape[2])
    right = winners == truth[:, None]
    right[told] = (
        np.stack(whole["right"][np.repeat(told, s)].to_list()).reshape(-1, s, right.shape[2]) if told.any() else 0
    )
    similar = wup_matrix()[winners[:, :, -1], truth[:, None, -1]]
    return Answers(
        codec=codec,
        judge=judge,
        hierarchy=hierarchy,
        settings=tuple(sizes.index),
        photos=first["photo"].to_numpy(str),
        labels=labels,
        bytes=whole["bytes"].to_numpy(int).reshape(n, s),
        bpp=whole["bpp"].to_numpy(float).reshape(n, s),
        winners=winners,
        sure=column("path_p", float),
        right=right,
        truth=truth,
        margin=np.array([_lead(p) for p in whole["p"]]).reshape(n, s),
        wup=np.where(right[:, :, -1], 1.0, similar),
    )


def _of_originals(rows: Rows, judge: str, photos: Any, levels: int) -> np.ndarray:
    """int[m, L]: what the judge says of these photographs' originals."""
    frame: Any = rows.of(codec=ORIGINAL, judge=judge).frame.drop_duplicates("photo").set_index("photo")
    try:
        return np.stack(frame["path"].loc[photos].to_list()).reshape(-1, levels).astype(int)
    except KeyError:
        raise InputError(
            "these rows name no class and hold no answer on the original, so nothing can be called right"
        ) from None


def _lead(p: np.ndarray) -> float:
    return float(p[0]) - (float(p[1]) if len(p) > 1 else 0.0)

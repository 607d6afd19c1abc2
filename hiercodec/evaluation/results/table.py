"""The table of measurements: what one codec gave by one judge, photograph by photograph and setting by setting.

    Rows (a file, or a run in memory) ── tables(judge) ──► codec → Table: arrays [photo, setting(, level)] ──► every figure

Here, and nowhere else, rows are pivoted: which photographs count, in which order settings stand, and what is right are
decided once for every page and command. Curves, Bjøntegaard differences, failures, stopping, summaries and cards are
functions of tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results.rows import LABEL, schema
from hiercodec.taxonomy import Hierarchy, HierarchyLevel

if TYPE_CHECKING:
    import pandas as pd

    from hiercodec.evaluation.results.rows import Rows

PLAIN = ("psnr", "ms_ssim", "wup", "wup_eq1")
"""Measures that have one value a photograph and setting, in columns of these names."""

COLUMNS = tuple(name for name in schema().names if name not in ("classes", "content"))
"""What a table is made from; the likeliest classes, which make most of a file, only where answers are read in others'
groups."""


def right(level: str) -> str:
    """The measure "the answer at this level is right" (0 or 1)."""
    return f"right {level}"


def bits(level: str) -> str:
    """The measure "bits of meaning at this level"."""
    return f"bits {level}"


def score(task: str) -> str:
    """The measure "a task's score against the original" (0…1)."""
    return f"score {task}"


def unsure(level: str) -> str:
    """The measure "classes that were not stored could make another group the answer" (0 or 1); of others' groups only."""
    return f"unsure {level}"


def believed(level: str) -> str:
    """The measure "probability of what is right at this level" (0…1); of runs in memory only."""
    return f"believed {level}"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What one codec gave by one judge: n photographs, s settings by their mean rate, L levels (none without a judge).

    photos str[n]; labels int[n], the class (−1: not known); truth_from str[n], where what is right comes from (`rows`);
    truth int[n, L], the group that is right (−1 where neither labels nor `hierarchy` tell). bytes int[n, s] of whole files
    or prefixes, bpp float[n, s]; psnr (dB), ms_ssim, wup, wup_eq1 float[n, s], NaN where not measured. path int[n, s, L],
    the likeliest group, its probability float[n, s, L], whether it is right bool[n, s, L], bits float[n, s, L]; margin
    float[n, s], the lead of the likeliest class (NaN where classes' probabilities were not read). `extra` holds measures
    float[n, s] that no column has.
    """

    codec: str
    judge: str
    levels: tuple[str, ...]
    settings: tuple[str, ...]
    photos: np.ndarray
    labels: np.ndarray
    truth_from: np.ndarray
    truth: np.ndarray
    bytes: np.ndarray
    bpp: np.ndarray
    psnr: np.ndarray
    ms_ssim: np.ndarray
    wup: np.ndarray
    wup_eq1: np.ndarray
    path: np.ndarray
    probability: np.ndarray
    right: np.ndarray
    bits: np.ndarray
    margin: np.ndarray
    hierarchy: Hierarchy | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def labelled(self) -> bool:
        """Whether every photograph's class is known, so that "right" means right and not "as of the original"."""
        return bool((self.truth_from == LABEL).all())

    @property
    def tree(self) -> Hierarchy:
        """The hierarchy that answers are read in; `InputError` where the table was made without."""
        if self.hierarchy is None:
            raise InputError("these answers were read in a hierarchy that is not at hand")
        return self.hierarchy

    def where(self, chosen: np.ndarray) -> Table:
        """The photographs of a mask bool[n] or of indexes, in that order."""
        kept = {f.name: value[chosen] for f in fields(self) if isinstance(value := getattr(self, f.name), np.ndarray)}
        return replace(self, **kept, extra={name: value[chosen] for name, value in self.extra.items()})

    def at(self, chosen: np.ndarray) -> Table:
        """The settings of a mask bool[s]."""
        names = ("bytes", "bpp", *PLAIN, "path", "probability", "right", "bits", "margin")
        kept = {name: getattr(self, name)[:, chosen] for name in names}
        settings = tuple(name for name, wanted in zip(self.settings, chosen, strict=True) if wanted)
        return replace(self, settings=settings, **kept, extra={n: v[:, chosen] for n, v in self.extra.items()})

    def measure(self, name: str) -> np.ndarray:
        """float[n, s] of a measure: one of `PLAIN`, `right(level)`, `bits(level)`, or one of `extra`; `KeyError`."""
        if name in self.extra:
            return self.extra[name]
        if name in PLAIN:
            return getattr(self, name)
        what, _, level = name.partition(" ")
        if what not in ("right", "bits") or level not in self.levels:
            raise KeyError(name)
        return getattr(self, what)[:, :, self.levels.index(level)].astype(float)

    @property
    def measures(self) -> list[str]:
        """The names of everything that was measured."""
        names = [*PLAIN, *(kind(level) for kind in (right, bits) for level in self.levels), *self.extra]
        return [name for name in names if self.has(name)]

    def has(self, name: str) -> bool:
        """Whether a measure has a value anywhere."""
        try:
            return bool(np.isfinite(self.measure(name)).any())
        except KeyError:
            return False

    def whole(self, name: str) -> Table:
        """The settings at which any photograph has a measure, and the photographs that have it at all of these."""
        kept = self.at(np.isfinite(self.measure(name)).any(0))
        return kept.where(np.isfinite(kept.measure(name)).all(1) & bool(kept.settings))

    def nearest(self, bpp: float) -> int:
        """The setting whose mean rate is nearest to `bpp`, by ratio."""
        return int(np.abs(np.log(self.bpp.mean(0) / bpp)).argmin())

    def first_right(self, level: int) -> np.ndarray:
        """int[n]: the first setting at which the answer is right; −1 where none is."""
        hits = self.right[:, :, level]
        return np.where(hits.any(1), hits.argmax(1), -1)

    def bytes_to_right(self, level: int) -> np.ndarray:
        """float[n]: bytes of the first right answer; infinite where there is none."""
        first = self.first_right(level)
        return np.where(first < 0, np.inf, self.bytes[np.arange(len(self)), first])


def tables(
    rows: Rows,
    judge: str,
    groups: Hierarchy | Sequence[HierarchyLevel] | None = None,
    *,
    common_to: Sequence[str] | None = None,
) -> dict[str, Table]:
    """Codec (the uncompressed photographs as `ORIGINAL`) → its table by this judge ("": nobody).

    Photographs count that every codec of `common_to` has at all its settings, and the codec itself; by default all of the
    file, so that any two figures of a file are over the same ones. A codec of which no photograph has all settings has no
    table and takes no other codec's photographs away. `InputError` where no photograph is left.

    Answers are those in the rows, or with other `groups` worked out from the stored classes (see `regroup`).
    """
    import pandas as pd

    frame = rows.of(judge=judge).frame
    own = groups is None or (isinstance(groups, Hierarchy) and groups.digest == _digest(rows))
    names = tuple(rows.levels) if judge else ()
    photo, photos = pd.factorize(frame["photo"])
    answered = frame["right" if own else "classes"].map(len).to_numpy() > 0 if judge else np.ones(len(frame), bool)
    codecs, places = frame["codec"].to_numpy(), {}
    for codec in frame["codec"].unique():
        at = np.flatnonzero((codecs == codec) & answered)
        setting, settings = pd.factorize(frame["setting"].to_numpy()[at])
        places[codec] = np.full((len(photos), len(settings)), -1), settings
        places[codec][0][photo[at], setting] = at
    whole = {codec: (place >= 0).all(1) for codec, (place, settings) in places.items() if len(settings)}
    whole = {codec: has for codec, has in whole.items() if has.any()}
    wanted = whole if common_to is None else [name for name in common_to if name in whole]
    common = np.logical_and.reduce([np.ones(len(photos), bool), *(whole[codec] for codec in wanted)])
    if not any((common & has).any() for has in whole.values()):
        judged = f" that {judge} has judged" if judge else ""
        raise InputError(f"these rows have no photograph{judged} with all settings of {', '.join(wanted or places)}")
    column = _columns(frame, names) if own else _regrouped(frame, _levels_of(groups))
    column |= {name: _numbers(frame, name) for name in ("bytes", "bpp", *PLAIN)}
    column |= _scores(frame, rows.meta.get("tasks") or ())
    tree = groups if isinstance(groups, Hierarchy) else None
    if own and names:
        column["truth"] = _truth(frame, column["path"], tree)
    levels = names if own else tuple(level.name for level in _levels_of(groups))
    made = {}
    for codec, has in whole.items():
        place, settings = places[codec]
        at = place[common & has]
        order = np.argsort(column["bpp"][at].mean(0), kind="stable") if len(at) else np.arange(len(settings))
        made[codec] = _table(frame, codec, judge, levels, settings[order], at[:, order], column, tree)
    return made


def counts(rows: Rows, by_codec: Mapping[str, Table]) -> dict[str, Any]:
    """Over which photographs `tables` are: `photos`, how many count, `of` how many, and the codecs that are `left_out`."""
    absent = [codec for codec in rows.codecs if codec not in by_codec]
    return {"photos": len(next(iter(by_codec.values()))), "of": int(rows.frame["photo"].nunique()), "left_out": absent}


def _table(frame: pd.DataFrame, codec: str, judge: str, levels: tuple[str, ...], settings: Any, at: np.ndarray,
           column: Mapping[str, np.ndarray], tree: Hierarchy | None) -> Table:  # fmt: skip
    """The table of the rows at int[n, s]."""
    first = at[:, 0]
    one = {name: frame[name].to_numpy()[first] for name in ("photo", "label", "truth_from")}
    values = {name: array[at] for name, array in column.items() if name != "truth"}
    return Table(
        codec=codec,
        judge=judge,
        levels=levels,
        settings=tuple(map(str, settings)),
        photos=one["photo"].astype(str),
        labels=one["label"].astype(int),
        truth_from=one["truth_from"].astype(str),
        truth=column["truth"][first],
        hierarchy=tree,
        extra={name: values.pop(name) for name in list(values) if " " in name},
        **values | {"bytes": values["bytes"].astype(int)},
    )


def _digest(rows: Rows) -> str:
    return str((rows.meta.get("provenance") or {}).get("hierarchy_digest"))


def _levels_of(groups: Hierarchy | Sequence[HierarchyLevel] | None) -> Sequence[HierarchyLevel]:
    return groups.levels if isinstance(groups, Hierarchy) else groups or ()


def _scores(frame: pd.DataFrame, tasks: Sequence[str]) -> dict[str, np.ndarray]:
    """What tasks say, float64[rows] each; NaN where a row has nothing of them."""
    if not tasks or "scores" not in frame:
        return {}
    nothing = [np.nan] * len(tasks)
    values = np.array([nothing if row is None or len(row) != len(tasks) else row for row in frame["scores"]], float)
    return {score(task): values[:, i] for i, task in enumerate(tasks)}


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as float64[rows]; NaN where it was not read."""
    return frame[name].to_numpy(np.float64) if name in frame else np.full(len(frame), np.nan)


def _stacked(frame: pd.DataFrame, name: str, levels: int, dtype: type) -> np.ndarray:
    """A column of lists as [rows, levels]; zeros where a row has none (such a row is in no table)."""
    out = np.zeros((len(frame), levels), dtype)
    full = frame[name].map(len).to_numpy() == levels
    if levels and full.any():
        out[full] = np.concatenate(frame[name].to_numpy()[full]).reshape(-1, levels)
    return out


def _columns(frame: pd.DataFrame, levels: Sequence[str]) -> dict[str, np.ndarray]:
    """The answers as they stand in the rows."""
    types = {"path": int, "path_p": float, "right": bool, "bits": float}
    path, probability, hits, meaning = (_stacked(frame, name, len(levels), dtype) for name, dtype in types.items())
    names = {"path": path, "probability": probability, "right": hits, "bits": meaning}
    chances = _stacked(frame, "right_p", len(levels), float) if "right_p" in frame else np.zeros((len(frame), 0))
    extra = {believed(level): chances[:, i] for i, level in enumerate(levels) if chances.size}
    return {**names, **extra, "margin": _margins(frame), "truth": np.full(path.shape, -1)}


def _truth(frame: pd.DataFrame, path: np.ndarray, tree: Hierarchy | None) -> np.ndarray:
    """int[rows, L]: the groups of the label, where `tree` tells them; without a label those of the original's answer."""
    labels, of = frame["label"].to_numpy(np.int64), _original(frame)
    truth = np.where((of >= 0)[:, None], path[of], -1)
    known = labels >= 0
    truth[known] = np.stack([level.assignment[labels[known]] for level in tree.levels], 1) if tree else -1
    return truth


def _original(frame: pd.DataFrame) -> np.ndarray:
    """int[rows]: the position of the row of each one's uncompressed photograph; −1 where there is none."""
    at = np.flatnonzero(frame["codec"].to_numpy() == ORIGINAL)
    place = dict(zip(frame["photo"].to_numpy()[at], at, strict=True))
    return frame["photo"].map(place).fillna(-1).to_numpy(int)


def _margins(frame: pd.DataFrame) -> np.ndarray:
    """float[rows]: the likeliest class' probability less the next one's."""
    if "p" not in frame:
        return np.full(len(frame), np.nan)
    leads = [(float(p[0]) if len(p) else np.nan) - (float(p[1]) if len(p) > 1 else 0.0) for p in frame["p"]]
    return np.array(leads, float)


def _regrouped(frame: pd.DataFrame, levels: Sequence[HierarchyLevel]) -> dict[str, np.ndarray]:
    """The answers in other groups, and for every level how many of them the classes that were not kept could change."""
    labels, originals = frame["label"].to_numpy(np.int64), _original(frame)
    answers = [regroup(frame["classes"], frame["p"], labels, originals, level) for level in levels]
    names = {"path": "winner", "probability": "p", "right": "right", "bits": "bits", "truth": "truth"}
    return {
        **{name: np.stack([getattr(one, theirs) for one in answers], 1) for name, theirs in names.items()},
        "margin": _margins(frame),
        **{unsure(level.name): one.unsure for level, one in zip(levels, answers, strict=True)},
    }


# ---- other groups ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, eq=False)
class Regrouped:
    """Per row: the likeliest group and its probability, the right group and whether it is that one, bits of meaning, and
    (0 or 1) whether the classes that were not kept could make another group the winner. Zeros where nothing was judged."""

    winner: np.ndarray
    p: np.ndarray
    truth: np.ndarray
    right: np.ndarray
    bits: np.ndarray
    unsure: np.ndarray


def regroup(
    classes: Sequence[np.ndarray] | pd.Series,
    p: Sequence[np.ndarray] | pd.Series,
    labels: np.ndarray,
    originals: np.ndarray,
    level: HierarchyLevel,
) -> Regrouped:
    """The answer at any grouping of the classes, from stored probabilities.

    classes, p: the likeliest classes of every row and their probabilities; what is missing to 1 belongs to no group.
    labels: int[rows], the class that is right; where it is −1 the winner of row `originals[row]` is right, and bits say
    how sure the answer is (`meaning.bits_of_meaning`).
    """
    counts = np.fromiter((len(row) for row in classes), int, len(classes))
    answers = Regrouped(*(np.zeros(len(counts), kind) for kind in (int, float, int, bool, float, float)))
    judged = np.flatnonzero(counts)
    if not judged.size:
        return answers
    row = np.repeat(np.arange(len(counts)), counts)
    group = level.assignment[np.concatenate([c for c in classes if len(c)])]
    keys, inverse = np.unique(row * level.k + group, return_inverse=True)  # one a row and group that has probability
    mass = np.bincount(inverse, np.concatenate([q for q in p if len(q)]).astype(np.float64))
    of, groups = keys // level.k, keys % level.k
    starts = np.searchsorted(of, judged)
    order = np.lexsort((groups, -mass, of))  # in every row the likeliest group first, ties to the lower number
    totals = np.add.reduceat(mass, starts)
    answers.winner[judged], answers.p[judged] = groups[order[starts]], mass[order[starts]]
    answers.truth[:] = np.where(labels >= 0, level.assignment[np.maximum(labels, 0)], answers.winner[originals])
    target = answers.truth[judged]
    wanted = judged * level.k + target
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    believed = np.where(keys[place] == wanted, mass[place], 0.0)
    share = mass / np.repeat(totals, np.diff([*starts, len(mass)]))
    sure = np.log2(level.k) + np.add.reduceat(share * np.log2(share, where=share > 0, out=np.zeros_like(share)), starts)
    known = np.log2(np.maximum(level.k * believed, 1.0))
    answers.right[judged] = answers.winner[judged] == target
    answers.bits[judged] = np.clip(np.where(labels[judged] >= 0, known, sure), 0, np.log2(level.k))
    answers.unsure[judged] = _challenger(p, inverse, mass, of, groups, level, order[starts]) > mass[order[starts]]
    return answers


def _challenger(p, inverse, mass, of, groups, level: HierarchyLevel, winners: np.ndarray) -> np.ndarray:
    """The most that a group other than the winner can have in every judged row, if classes that were not kept are its.

    None of those is likelier than the least likely class kept, and together they have what is missing to 1.
    """
    judged = [q for q in p if len(q)]
    rest = np.array([1 - float(q.sum(dtype=np.float64)) for q in judged]).clip(0)
    least = np.array([float(q.min()) for q in judged])
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    row = np.repeat(np.arange(len(starts)), np.diff([*starts, len(of)]))
    absent = level.sizes[groups] - np.bincount(inverse)
    most = mass + np.minimum(rest[row], least[row] * absent)
    most[winners] = 0.0
    return np.maximum(np.maximum.reduceat(most, starts), np.minimum(rest, least * level.sizes.max()))

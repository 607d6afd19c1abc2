"""Rows from a file that anybody may have made: bounded before it is unpacked, checked before it is believed."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.errors import InputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results.exchange import SCALES, off_scale
from hiercodec.evaluation.results.rows import Rows, decode
from hiercodec.evaluation.results.table import PLAIN
from hiercodec.levels import MAX_LEVELS

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 12 * 1024 * 1024
MAX_ROWS = 300_000
MAX_VALUES = 20_000_000
"""Values of all columns together: what 300 000 rows with 32 classes each have."""

MAX_WORDS = 600
"""Characters of what is said of a photograph."""

MAX_NAME = 300
MAX_PATH = 6 * 4096
"""Characters of a codec's, setting's or judge's name, and of a photograph's: systems have paths of 4096 bytes, and
`fsio.printable` spells one of them by six characters at most."""

MAX_NAMES = 60
"""Codecs, and judges, that a file may have: more than a chart can tell apart."""


def open_rows(data: bytes, *, name: str = "this file") -> Rows:
    """The rows in the bytes of a Parquet file; `InputError` says in words what is wrong with it."""
    _bounded(data, name)
    rows = decode(data, name=name)
    if problem := _problem(rows.frame, rows.meta) or _problem_of_words(rows):
        raise InputError(f"{name}: {problem}")
    return rows


def check(data: bytes, name: str) -> None:
    """`open_rows` for its errors only: what a process of its own does first, lest a crafted file take the server down."""
    open_rows(data, name=name)


def _bounded(data: bytes, name: str) -> None:
    """Raise `InputError` where the file, or what it unpacks to, is larger than results are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has {len(data):,} bytes; {MAX_BYTES:,} at most can be opened")
    try:
        facts = pq.ParquetFile(io.BytesIO(data)).metadata
        groups = [facts.row_group(i) for i in range(facts.num_row_groups)]
        values = sum(group.column(i).num_values for group in groups for i in range(group.num_columns))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name} is not a Parquet file of rows ({error})") from None
    if facts.num_rows > MAX_ROWS or values > MAX_VALUES:
        raise InputError(f"{name} has {facts.num_rows:,} rows; {MAX_ROWS:,} at most can be opened")


def _problem(frame: pd.DataFrame, meta: Mapping[str, Any]) -> str:
    """The first thing that cannot be true of measured rows; empty where all is well."""
    levels = meta.get("levels")
    if not isinstance(levels, dict) or len(levels) > MAX_LEVELS or not all(isinstance(k, int) for k in levels.values()):
        return "its metadata does not say which levels were measured, and how many groups each has"
    if not isinstance(meta.get("provenance"), dict):
        return "its metadata does not say where the rows come from"
    if not len(frame):
        return "there are no rows in it"
    for column in ("photo", "codec", "setting", "judge"):
        most = MAX_PATH if column == "photo" else MAX_NAME
        if frame[column].isna().any() or frame[column].str.len().max() > most:
            return f"a {column} has no name, or one of more than {most} characters"
    for column in ("codec", "judge"):
        if frame[column].nunique() > MAX_NAMES:
            return f"more than {MAX_NAMES} different values of {column!r}"
    if frame.duplicated(["photo", "codec", "setting", "judge"]).any():
        return "a photograph was measured twice by one codec, setting and judge"
    least = 0 if meta.get("averages") else 1  # a curve of averages is of no file
    if not (frame["bytes"].ge(least).all() and frame["bpp"].between(1e-6, 1e4).all()):
        return "rates must be above 0"
    if np.isinf(frame[[column for column in PLAIN if column != "psnr"]].to_numpy(float)).any():
        return "a measure is infinite"
    for column in SCALES:
        if problem := off_scale(column, frame[column].dropna()):
            return problem
    if not frame["label"].between(-1, 999).all():
        return "labels are class indexes from 0 to 999, or −1"
    photos = frame.groupby("judge")["photo"]
    originals = frame[frame["codec"] == ORIGINAL].groupby("judge")["photo"]
    if any(set(names) - set(originals.get_group(j) if j in originals.groups else ()) for j, names in photos if j):
        return "the uncompressed photograph is missing of some that were judged"
    return _problem_of_lists(frame, tuple(levels.values())) or _problem_of_tasks(frame, meta.get("tasks") or [])


def _problem_of_tasks(frame: pd.DataFrame, tasks: Any) -> str:
    named = isinstance(tasks, list) and all(isinstance(task, str) and len(task) <= 300 for task in tasks)
    if not named or len(tasks) > MAX_NAMES:
        return f"its metadata names more than {MAX_NAMES} tasks, or such as have no name"
    scores = frame["scores"].dropna()
    values = np.concatenate([np.zeros(0), *scores])
    if (scores.map(len) != len(tasks)).any() or (values < 0).any() or (values > 1).any():
        return "'scores' must have one value a task, from 0 to 1"
    return ""


def _problem_of_words(rows: Rows) -> str:
    words = [*rows.skipped.items(), *rows.notes.items()]
    bounds = (MAX_PATH, MAX_WORDS)
    if not all(isinstance(t, str) and len(t) <= most for pair in words for t, most in zip(pair, bounds, strict=True)):
        return f"a remark on a photograph is missing, or has more than {MAX_WORDS} characters"
    return ""


def _problem_of_lists(frame: pd.DataFrame, ks: tuple[int, ...]) -> str:
    for column, most in (("classes", 1000), ("path", max(ks, default=0))):
        lists = frame[column].dropna()
        numbers = np.concatenate([np.zeros(0, int), *lists])
        if len(lists) < len(frame) or (numbers.size and (numbers.min() < 0 or numbers.max() >= most)):
            return f"{column!r} holds numbers outside 0…{most - 1}, or nothing"
    due = np.where(frame["judge"] == "", 0, len(ks))
    for column in ("path", "path_p", "right", "bits"):
        if frame[column].isna().any() or (frame[column].map(len) != due).any():
            return f"{column!r} must have one value a level ({len(ks)}) where there is a judge, and none elsewhere"
    if frame["p"].isna().any() or (frame["p"].map(len) != frame["classes"].map(len)).any():
        return "every class needs a probability"
    p = np.concatenate([np.zeros(0), *frame["p"]])
    if not (np.isfinite(p).all() and (p >= 0).all() and math.isclose(max(1.0, p.max(initial=0)), 1.0, abs_tol=0.01)):
        return "probabilities lie between 0 and 1"
    return ""

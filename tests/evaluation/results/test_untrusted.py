"""Rows that somebody else made: opened where they can be true, else refused in words."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation.results import rows, run, untrusted
from hiercodec.fsio import printable
from tests.evaluation.some_rows import some_rows

GOOD = some_rows(3)


def opened(frame=None, meta=None):
    return untrusted.open_rows(rows.encode(rows.table(GOOD.frame if frame is None else frame, meta or GOOD.meta)))


def test_what_evaluate_writes_is_opened():
    assert len(opened()) == len(GOOD)


def lists(column, value):
    return lambda frame: frame.assign(**{column: [value] * len(frame)})


WRONG = {
    "no rows": lambda f: f.iloc[:0],
    "more than 300": lambda f: f.assign(setting="x" * 301),
    "a photo has no name": lambda f: f.assign(photo="x" * (untrusted.MAX_PATH + 1)),
    "above 0": lambda f: f.assign(bpp=np.float32(0)),
    "infinite": lambda f: f.assign(wup=np.float32(np.inf)),
    "class indexes": lambda f: f.assign(label=np.int16(1000)),
    "measured twice": lambda f: f.assign(setting=""),
    "uncompressed photograph is missing": lambda f: f[f["codec"] != "original"],
    "'classes' holds": lists("classes", np.array([1000, 1, 2, 3], np.int16)),
    "'path' holds": lists("path", np.array([-1, 0, 0], np.int16)),
    "one value a level": lists("right", np.array([True])),
    "where there is a judge": lists("right", np.array([], bool)),
    "needs a probability": lists("p", np.array([0.5], np.float16)),
    "between 0 and 1": lists("p", np.array([2, 0, 0, 0], np.float16)),
    "different values of 'codec'": lambda f: f.assign(codec=[f"c{i}" for i in range(len(f))], judge=""),
}


@pytest.mark.parametrize("words", list(WRONG))
def test_what_cannot_be_true_is_refused_in_words(words, monkeypatch):
    monkeypatch.setattr(untrusted, "MAX_NAMES", 5)
    with pytest.raises(InputError, match=words):
        opened(WRONG[words](GOOD.frame.copy()))


def test_a_photograph_is_called_by_the_longest_path_that_a_system_has():
    name, first = printable(os.fsdecode(b"\xff" * 4095)), GOOD.frame["photo"].iloc[0]
    renamed = GOOD.frame.assign(photo=GOOD.frame["photo"].replace({first: name}))
    assert name in set(opened(renamed).frame["photo"])
    skipped = pd.DataFrame([run.skipped(name, -1, "why")])
    assert opened(pd.concat([GOOD.frame, skipped], ignore_index=True)).skipped == {name: "why"}


def test_metadata_must_say_what_was_measured():
    for meta in ({"provenance": {}}, {"levels": {"fine": "many"}}, {"levels": {"fine": 1000}, "provenance": None}):
        with pytest.raises(InputError, match="metadata"):
            opened(meta=meta)


def test_size_is_bounded_before_anything_is_unpacked(monkeypatch):
    for name in ("MAX_BYTES", "MAX_ROWS", "MAX_VALUES"):
        with monkeypatch.context() as patch:
            patch.setattr(untrusted, name, 5)
            patch.setattr(untrusted, "decode", lambda *a, **k: pytest.fail("unpacked"))
            with pytest.raises(InputError, match="at most"):
                opened()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(200) + b"PAR1", b"not parquet" * 50])
def test_other_files_are_refused(data):
    with pytest.raises(InputError, match="not a Parquet file"):
        untrusted.open_rows(data)


def test_damaged_files_are_refused():
    data = rows.encode(rows.table(GOOD.frame, GOOD.meta))
    rng = np.random.default_rng(0)
    for _ in range(20):
        bad = bytearray(data)
        bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
        try:
            untrusted.open_rows(bytes(bad))
        except InputError:
            continue

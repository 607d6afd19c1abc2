"""Whose failures: a file of rows that ships, a visitor's own file or photographs; and which codec, judge, cut and level."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation import answers as of_rows
from hiercodec.evaluation import foreign
from hiercodec.evaluation import rows as files
from hiercodec.evaluation.answers import Answers
from hiercodec.evaluation.dataset import Stored, index
from hiercodec.evaluation.rows import Rows
from hiercodec.fsio import locate
from hiercodec.images import centre_crop, encode_png
from hiercodec.levels import spoken
from hiercodec.taxonomy import Hierarchy
from hiercodec.ui.failures import own
from hiercodec.ui.frame import cached, chrome, work
from hiercodec.workers import tasks

RESULTS = locate("results")
OWN = "Your own …"
PHOTOS = "HIERCODEC_PHOTOS"
"""Environment variable: folders or tar shards whose photographs the page may show beside their rows."""

RESULT, CODEC, JUDGE, CUT, LEVEL, BY = "rows", "codec", "judge", "cut", "of", "by"
"""Keys of the widgets, and what the address calls them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows under a name, with an identity for caches; `thumbnail` and `picture` say what a photograph looks like, if known.

    `thumbnail(photo, setting)` is an image file of the decoded picture or of the original, `picture(photo)` the PNG that
    was encoded; both None where the picture is not at hand.
    """

    name: str
    identity: str
    rows: Rows
    thumbnail: Callable[[str, str], bytes | None]
    picture: Callable[[str], bytes | None]

    @property
    def has_pictures(self) -> bool:
        """Whether the first photograph's picture is at hand."""
        return self.picture(str(self.rows.frame["photo"].iloc[0])) is not None


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: the rows, one codec's answers by one judge, the level and the cut in question, and the level
    by whose groups photographs are told apart (`by`)."""

    source: Source
    answers: Answers
    level: int
    cut: int
    by: int

    @property
    def level_name(self) -> str:
        """Kind, family or class."""
        return spoken(self.answers.hierarchy.names[self.level])

    @property
    def groups(self) -> tuple[str, ...]:
        """Labels of the groups that photographs are told apart by."""
        return self.answers.hierarchy.levels[self.by].labels

    def other(self, *, codec: str | None = None, judge: str | None = None) -> Answers:
        """The answers of another codec or judge in the same rows. Raises `InputError`."""
        return answers(self.source, codec or self.answers.codec, judge or self.answers.judge)


# ---- rows --------------------------------------------------------------------------------------------------------------
@st.cache_resource(max_entries=3, show_spinner="Reading the rows …")
def _read(path: str, stamp: float) -> Rows:
    return files.read(path, columns=of_rows.COLUMNS)


def shipped() -> dict[str, Path]:
    """Name → file of the rows that ship."""
    return {path.stem: path for path in sorted(RESULTS.glob("*.parquet"))}


@st.cache_resource(max_entries=12, show_spinner=False)
def _answers(identity: str, codec: str, judge: str, _rows: Rows) -> Answers:
    return of_rows.answers(_rows, codec, judge, _hierarchy(_rows))


def _hierarchy(rows: Rows) -> Hierarchy:
    """The shipped hierarchy that rows were read in; `InputError` where this installation has no such one."""
    said = rows.meta.get("provenance") or {}
    name = str(said.get("hierarchy"))
    tree = cached.load_hierarchy(name) if name in cached.hierarchy_names() else None
    if tree is None or tree.digest != said.get("hierarchy_digest") or list(tree.ks) != list(rows.levels.values()):
        raise InputError(f"these rows were read in a hierarchy that is not installed here ({name[:60]!r})")
    return tree


def answers(source: Source, codec: str, judge: str) -> Answers:
    """The answers of a judge on a codec, kept. Raises `InputError`."""
    return _answers(source.identity, codec, judge, source.rows)


def choose() -> str:
    """Whose failures, from a box: the name of a file of rows that ships, or OWN."""
    return pick("Results", RESULT, [*shipped(), OWN], width=260)


def opened(name: str) -> Source | None:
    """What `choose` named; None (with words on the page) where the visitor gave nothing yet. Raises `InputError`."""
    return _own() if name == OWN else stored(name)


def stored(name: str) -> Source:
    """The rows that ship under a name. Raises `InputError`."""
    path = shipped()[name]
    return _with_pictures(name, f"{name} {path.stat().st_mtime}", _read(str(path), path.stat().st_mtime))


def _own() -> Source | None:
    given = own.choose()
    if given is None:
        return None
    if isinstance(given, own.Gallery):
        return Source(OWN, given.identity, given.rows, given.thumbnail, given.picture)
    name, data = given
    return _with_pictures(name, cached.key_of(data), _decoded(cached.key_of(data), name, data))


@st.cache_resource(max_entries=2, show_spinner="Reading the rows …")
def _decoded(key: str, name: str, _data: bytes) -> Rows:
    work.run(tasks.call, foreign.check, (_data, name))  # first in a process of its own
    return files.decode(_data, name=name, columns=of_rows.COLUMNS)


def _with_pictures(name: str, identity: str, rows: Rows) -> Source:
    places, crop = pictures(os.environ.get(PHOTOS, "")), rows.meta.get("crop")

    def picture(photo: str) -> bytes | None:
        if photo not in places:
            return None
        rgb = places[photo].read()
        return encode_png(centre_crop(rgb, int(crop)) if crop else rgb)

    return Source(name, identity, rows, lambda photo, setting: picture(photo), picture)


@st.cache_resource(max_entries=2, show_spinner=False)
def pictures(sources: str) -> dict[str, Stored]:
    """Name → place of the photographs in folders and tar shards, whose paths stand in one text as in PATH."""
    try:
        return {place.name: place for path in sources.split(os.pathsep) if path for place, _ in index(path)}
    except HiercodecError:
        return {}


# ---- codec, judge, cut, level ------------------------------------------------------------------------------------------
def pick(label: str, key: str, options: Sequence[str], *, default: str | None = None, **more: Any) -> str:
    """A select box that the address knows; what it does not offer counts as nothing."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    start = options.index(default) if default in options and key not in st.session_state else 0
    return st.selectbox(label, options, index=start, key=key, bind="query-params", **more)


def view(source: Source) -> View | None:
    """What to look at in the rows; None (with words on the page) where they hold no answers."""
    rows = source.rows
    if not rows.judges or not rows.codecs:
        chrome.empty("These rows hold no answers of a classifier, so nothing in them can be wrong.")
        return None
    codec = pick("Codec", CODEC, rows.codecs, default="lite", width=150)
    judge = pick("Judge", JUDGE, rows.judges, width=150, help="The classifier whose answers are looked at.")
    try:
        found = answers(source, codec, judge)
    except InputError as error:
        chrome.empty(str(error))
        return None
    cut = _cut(found)
    names = [spoken(name) for name in found.hierarchy.names]
    level = pick(
        "Right at", LEVEL, names, default=names[-1], width=120, help="The level whose answers count as right or wrong."
    )
    groups = names[:-1] or names
    by = pick("Groups", BY, groups, width=120, help="The groups to filter by, and those of “Confusion” and “Groups”.")
    return View(source, found, names.index(level), cut, groups.index(by))


def _cut(found: Answers) -> int:
    """At how many bytes: a slider over the cuts, which opens where the first level ends."""
    named = {cut_name(found, cut): cut for cut in range(len(found.settings))}
    labels = list(named)
    if CUT in st.session_state and st.session_state[CUT] not in labels:
        del st.session_state[CUT]
    first = next((i for i, setting in enumerate(found.settings) if setting in found.hierarchy.names), len(labels) // 2)
    chosen = st.select_slider("Cut", labels, value=labels[first], key=CUT, bind="query-params", width=320)
    return named[chosen]


def cut_name(found: Answers, cut: int) -> str:
    """A cut in words: "8.5%", or "kind whole" where a level ends."""
    setting = found.settings[cut]
    return f"{spoken(setting)} whole" if setting in found.hierarchy.names else setting


def mean_bytes(found: Answers, cut: int) -> str:
    """The mean size of a cut, in words."""
    return f"{np.mean(found.bytes[:, cut]):,.0f} bytes"


def provenance(view: View) -> dict[str, Any]:
    """What the footer says of the rows."""
    meta, found = view.source.rows.meta, view.answers
    facts = meta.get("provenance") or {}
    judge = (facts.get("judges") or {}).get(found.judge) or {}
    in_loss = (judge.get("in_loss") or {}).get(found.codec)
    seen = "" if in_loss is None else f", {'sat' if in_loss else 'never'} in this codec's loss"
    known = (
        "the class that is known" if found.labelled else "where no class is known, the judge's answer on the original"
    )
    return {
        "photographs": f"{len(found)} of {(meta.get('data') or {}).get('name', view.source.name)}",
        "right is": known,
        "judge": found.judge + seen,
        "hierarchy": found.hierarchy.name,
        "crop": meta.get("crop"),
        "command": meta.get("command"),
    }

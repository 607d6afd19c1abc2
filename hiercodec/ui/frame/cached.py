"""Cached calls. Keys are names and content hashes, never arrays: Streamlit samples large arrays and may mix them up."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from hiercodec import installed, taxonomy
from hiercodec.classify import DEFAULT
from hiercodec.evaluation.codecs.purposes import PLAIN
from hiercodec.evaluation.traces import bundle as bundles
from hiercodec.evaluation.traces.bundle import TRACES, Bundle
from hiercodec.fsio import locate
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY
from hiercodec.ui.frame import work
from hiercodec.workers import Urgency, tasks

if TYPE_CHECKING:
    from hiercodec.evaluation.measure import Row
    from hiercodec.evaluation.traces.trace import Ranked, Trace

RESULTS = locate("results")
SIDES = (384, 512, 768)
"""A visitor's photograph is shrunk until neither side is longer than this many pixels: the first, unless they choose."""
NO_FINER = "none"


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """How a photograph is traced; as they stand, what the shipped traces were made with.

    The argument of the work and, beside the photograph, the key of what a session keeps. Fields are called as the widgets
    of Explore that hold them, and so as in the address. `classifier` is a specification (None: none); `side` shrinks a
    visitor's photograph, in pixels; `finer` is the level whose block has finer steps, or `NO_FINER`.
    """

    model: str = DEFAULT_MODEL
    purpose: str = PLAIN
    label: bool = False
    classifier: str | None = DEFAULT
    hierarchy: str = DEFAULT_HIERARCHY
    steps: int = 24
    side: int = SIDES[0]
    finer: str = NO_FINER

    @property
    def judge(self) -> tasks.Judge:
        """The classifier and the hierarchy."""
        return self.classifier, self.hierarchy


@st.cache_resource(show_spinner=False)
def settle(page: str) -> None:
    """After the first run of a page: keep what was imported for it out of the garbage collector's sight.

    Streamlit collects after every run. To walk through all modules each time took more than half of what a run of Explore
    costs, and of a drag two thirds.
    """
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=12, show_spinner=False)
def _read_bundle(name: str, stamp: float) -> Bundle:
    return bundles.read(TRACES / f"{name}.zip")


def shipped_bundle(name: str) -> Bundle:
    """The shipped trace of a sample; `InputError` if there is none. Shared between sessions: never change it."""
    path = TRACES / f"{name}.zip"
    return _read_bundle(name, path.stat().st_mtime if path.exists() else 0.0)


def models() -> dict[str, dict[str, Any]]:
    """Name → card of the codec models there are. Shared between sessions: never change them."""
    return installed.models()


@st.cache_data(max_entries=4, show_spinner=False)
def _measured(name: str, stamp: float) -> dict[str, Any]:
    from hiercodec.evaluation.results.summary import read_summary

    return read_summary(RESULTS / f"{name}.parquet")


def measured(name: str) -> dict[str, Any]:
    """The summary of shipped rows (`evaluation.results.summary`), or an empty dictionary where there are none."""
    path = RESULTS / f"{name}.parquet"
    return _measured(name, path.stat().st_mtime) if path.is_file() else {}


@st.cache_resource(max_entries=64, show_spinner=False)
def load_hierarchy(name: str) -> Hierarchy:
    """A hierarchy by name, shared between sessions: never change it."""
    return taxonomy.load_hierarchy(name)


def hierarchy_names() -> list[str]:
    """Names of the hierarchies of the 1000 classes, the default one first."""
    return list(taxonomy.available_hierarchies(imagenet_only=True)) or [DEFAULT_HIERARCHY]


@st.cache_data(max_entries=24, max_size="128MiB", show_spinner=False)
def rival_rows(name: str, image_sha256: str, budget: int, _rgb: np.ndarray) -> list[Row]:
    """A picture under another format at every quality, smallest file first, up to the first over `budget` bytes."""
    return work.run(tasks.rival_rows, name, _rgb, budget)


@st.cache_data(max_entries=24, show_spinner=False)
def ranked(
    key: str, classifier: str, hierarchy: str, truth: tuple[int, ...], _pictures: Sequence[np.ndarray]
) -> list[tuple[dict[str, Ranked], float | None]]:
    """What a classifier takes pictures (which `key` names) for, and the WUP of that. Raises the project's errors."""
    return work.run(tasks.ranked, (classifier, hierarchy), truth, _pictures)


def compute(
    source: str | bytes,
    settings: TraceSettings,
    *,
    progress: work.Progress,
    show: Callable[[bytes], object],
    note: Callable[[str], object],
) -> tuple[Bundle, list[int]]:
    """Trace a sample (by name), a photograph or a .hc stream (by its bytes) with the real codec.

    Returns a trace of the first few steps, and at which bytes the others are. `note` hears what was mended in a file. Raises
    the project's errors on bytes it cannot use.
    """
    label_in = settings.hierarchy if settings.label else None
    how, heard = (settings.model, settings.side, settings.purpose, label_in), {"show": show, "note": note}
    opened = work.run(tasks.first_picture, source, *how, urgency=Urgency.PICTURE, progress=progress, **heard)
    judge, steps = settings.judge, settings.steps
    return work.run(
        tasks.first_view, opened, settings.model, judge, steps, urgency=Urgency.FIRST, progress=progress, **heard
    )


def judge_again(bundle: Bundle, judge: tasks.Judge, truth: tuple[int, ...]) -> Bundle:
    """The same pictures, judged by another classifier or hierarchy. Raises the project's errors."""
    return work.run(tasks.judged_again, bundle, judge, truth)


def more(bundle: Bundle, settings: TraceSettings) -> Callable[[Trace, Sequence[int]], tuple[Trace, dict[int, Any]]]:
    """How to add steps to a trace made by `compute`, from any thread; each call waits its turn."""
    steps = work.later(tasks.more_steps)
    return lambda found, budgets: steps(found, bundle.stream, bundle.original, settings.model, settings.judge, budgets)


def pack() -> Callable[[Bundle, Trace, dict[int, Any]], Bundle]:
    """How to put the steps of `more` into a bundle, from any thread."""
    return work.later(tasks.with_steps)


def compute_finer(bundle: Bundle, settings: TraceSettings, judge: tasks.Judge, progress: work.Progress) -> Bundle:
    """Add finer steps inside the block of `settings.finer` to a trace. Raises the project's errors."""
    return work.run(tasks.finer, bundle, settings.finer, settings.model, judge, progress=progress)


def key_of(source: str | bytes, settings: TraceSettings | None = None) -> str:
    """A short content hash of a sample's name or of a file, and of how it is traced."""
    raw = source.encode() if isinstance(source, str) else source
    return hashlib.sha256(repr((type(source).__name__, settings)).encode() + raw).hexdigest()[:20]

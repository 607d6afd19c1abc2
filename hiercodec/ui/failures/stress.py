"""Stress: photographs cropped, turned, blurred, noisy, dark and occluded; does the meaning still come first?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.photos.samples import sample, samples
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.table import COLUMNS, Table
from hiercodec.evaluation.stress import CLEAN, STRESSES, split
from hiercodec.figures import failures as figures
from hiercodec.fsio import locate
from hiercodec.levels import spoken
from hiercodec.ui.failures import own
from hiercodec.ui.failures.batch import Batch
from hiercodec.ui.failures.gallery import MARKS, trails
from hiercodec.ui.failures.source import Source, View, table_of
from hiercodec.ui.frame import chrome, work
from hiercodec.ui.results.files import RowsFile
from hiercodec.workers import gallery
from hiercodec.workers.gallery import Traced

STRESS = locate("samples", "stress.parquet")
COMMAND = "python -m tools.assets stress --classifier lite0 --classifier lite2"
PHOTO, ALL = "stressed", "all shipped photographs"
CARD = 168
_JOB = "failures_stress"


def panel(view: View, chosen: np.ndarray) -> None:
    """One photograph under every stress, or all of the shipped ones together; a visitor's own is traced when asked."""
    ready = _shipped()
    titles = {row.title: row.id for row in samples()} if ready else {}
    mine = _own_photographs(view)
    if not ready and not mine:
        chrome.empty("No photograph under stress is shipped.", how=COMMAND)
        return
    name = chrome.menu("Photograph", PHOTO, [*([ALL] if ready else []), *titles, *mine], width=300)
    if name == ALL:
        _together(_table(ready, view))
    elif name in titles:
        row = next(row for row in samples() if row.title == name)
        _one(_table(ready, view), row.id, lambda stresses: _pictures(row.id, tuple(stresses)))
    else:
        _own(view, name)


def _shipped() -> Source | None:
    if not STRESS.is_file():
        return None
    file = RowsFile.at(STRESS)
    return _pictureless(file.sha256, file.rows(COLUMNS))


def _pictureless(identity: str, rows: Rows) -> Source:
    return Source("stress", identity, rows, lambda photo, setting: None, lambda photo: None)


def _table(source: Source | None, view: View) -> Table:
    """The answers of the page's judge, where it was asked, else of the first."""
    if source is None:
        raise InputError("no photograph under stress is shipped")
    judges = source.rows.judges
    judge = view.table.judge if view.table.judge in judges else judges[0]
    return table_of(source, source.rows.codecs[0], judge)


def _of(found: Table, photo: str | None, stress: str) -> Table:
    """The answers on one photograph, or on all, under one stress."""
    names = [split(str(name)) for name in found.photos]
    return found.where(np.array([kind == stress and photo in (None, base) for base, kind in names]))


# ---- all together ------------------------------------------------------------------------------------------------------
def _together(found: Table) -> None:
    rows = summary(found)
    clean, worst = rows[0], min(rows[1:], key=lambda row: row["class right"])
    first = sum(row["meaning first"] for row in rows) / len(rows)
    st.markdown(
        f"The {len(_of(found, None, CLEAN))} shipped photographs, each clean and under {len(rows) - 1} stresses, judged by "
        f"{found.judge}. Of the whole files, {clean['class right']:.0%} have the class right where the photograph is clean "
        f"and {worst['class right']:.0%} under “{worst['stress']}”. **The kind is right no later than the class in "
        f"{first:.0%}** of the cases, over all stresses."
    )
    fig = figures.shares([[row[name] for name in SHARES] for row in rows], [row["stress"] for row in rows], SHARES,
                       mode=chrome.mode())  # fmt: skip
    alt = "Share of photographs with the right kind, family and class in the whole file, and with meaning first, by stress"
    chrome.chart(fig, key="stress_shares", alt=alt, table=lambda: rows)
    st.caption(
        "“Meaning first”: the first right kind comes no later in the file than the first right class (or there is no right "
        "class at all, but a right kind). Right is what is right of the clean photograph; where that is not known, the "
        "judge's answer on the clean original. Ten photographs are few: a step is ten points."
    )


SHARES = ("kind right", "family right", "class right", "meaning first")


def summary(found: Table) -> list[dict[str, Any]]:
    """One row a stress: the share right at the end of the file, by level, and how often the meaning comes first."""
    rows = []
    names = [spoken(name) for name in found.tree.names]
    for stress in STRESSES:
        part = _of(found, None, stress)
        if len(part):
            shares = {f"{name} right": float(part.right[:, -1, level].mean()) for level, name in enumerate(names)}
            rows.append({"stress": stress, **shares, "meaning first": float(meaning_first(part).mean())})
    return rows


def meaning_first(found: Table) -> np.ndarray:
    """bool[n]: whether the coarsest level is right at some cut, and no later than the finest."""
    kind, name = found.bytes_to_right(0), found.bytes_to_right(-1)
    return np.isfinite(kind) & (kind <= name)


# ---- one photograph ----------------------------------------------------------------------------------------------------
def _one(found: Table, photo: str, pictures: Callable[[list[str]], Mapping[str, bytes]]) -> None:
    """A card a stress: the stressed picture, what the whole file says, and the trail of every level."""
    levels = found.tree.levels
    part = _of(found, photo, CLEAN)
    if not len(part):
        chrome.empty("This photograph was not put under stress.")
        return
    st.markdown(
        f"Cut at {', '.join(f'{n:,}' for n in part.bytes[0])} bytes where it is clean. Under each picture: {MARKS[1]} right "
        f"and {MARKS[0]} wrong at every cut, as judged by {found.judge}."
    )
    shown = [stress for stress in STRESSES if len(_of(found, photo, stress))]
    seen = pictures(shown)
    with st.container(horizontal=True, gap="small"):
        for stress in shown:
            part = _of(found, photo, stress)
            with st.container(width=CARD, height="stretch", border=True, gap="xxsmall"):
                chrome.picture(seen[stress], f"The photograph, {stress}")
                answer = levels[-1].labels[part.path[0, -1, -1]]
                st.markdown(f"**{stress}**  \n→ {answer} {part.probability[0, -1, -1]:.0%}")
                st.caption("  \n".join(f"{marks} {spoken(name)}" for name, marks in trails(part, 0).items()))
    kept = _of_photo(found, photo)
    st.markdown(f"**Meaning comes first in {int(meaning_first(kept).sum())} of {len(kept)}** of these.")


def _of_photo(found: Table, photo: str) -> Table:
    return found.where(np.array([split(str(name))[0] == photo for name in found.photos]))


@st.cache_data(max_entries=20, show_spinner="Putting the photograph under stress …")
def _pictures(sample_id: str, stresses: tuple[str, ...]) -> dict[str, bytes]:
    return work.run(gallery.pictures_under_stress, sample(sample_id).pixels(), stresses, CARD)


# ---- a visitor's own ---------------------------------------------------------------------------------------------------
def _own_photographs(view: View) -> list[str]:
    """Names of the photographs of the page whose pictures are at hand, if they are the visitor's."""
    return [str(name) for name in view.table.photos] if isinstance(own.given(), own.Gallery) else []


def _own(view: View, name: str) -> None:
    jobs: dict[str, Batch[str, Traced]] = st.session_state.setdefault(_JOB, {})
    if name not in jobs:
        st.markdown(
            f"Twelve forms of stress make twelve more files of **{name}**: some seconds each, in the background."
        )
        st.button("Put it under stress", on_click=_begin, args=(view, name), type="primary")
        return
    job = jobs[name]
    if not job.finished:
        own.progress(job, job.done, "Under stress", 3)
    for problem in job.problems[:3]:
        chrome.notice("warning", problem)
    results = list(job.results)
    if results:
        source = _pictureless(f"{name} {view.source.identity} {len(results)}", own.rows_of(results))
        seen = {stress: picture for one in results for stress, picture in one.thumbnails.items()}
        _one(_table(source, view), name, lambda stresses: seen)


def _begin(view: View, name: str) -> None:
    """Trace the photograph under every stress, in the background."""
    png = view.source.picture(name)
    assert png is not None
    label = int(view.table.labels[list(view.table.photos).index(name)])
    told, classes, trace = own.measure(), [label] if label >= 0 else [], work.later(gallery.under_stress)
    jobs = st.session_state[_JOB]
    for job in jobs.values():
        job.cancel()
    jobs[name] = Batch(STRESSES, lambda stress: trace(told, name, png, classes, stress))

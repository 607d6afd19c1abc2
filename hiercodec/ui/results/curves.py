"""Every codec against rate, by the measure that the visitor chooses: right answers, meaning, similarity, picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results.curves import Curve, Published, curve, more_bytes, on_kodak, per_byte
from hiercodec.evaluation.results.table import bits, right, score
from hiercodec.figures import rates as figures
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.ui.frame import chrome
from hiercodec.ui.results import choice as choices
from hiercodec.ui.results import files
from hiercodec.ui.results.choice import Choice
from hiercodec.ui.results.files import called

RIGHT, BITS, SIMILAR, PSNR, SSIM = "right answers", "bits of meaning", "similarity (WUP)", "PSNR", "MS-SSIM"
COLUMNS = {SIMILAR: "wup", PSNR: "psnr", SSIM: "ms_ssim"}
"""Measures that have one value a photograph → their columns."""

DASHED = "Dashed: uncompressed."

TASKS = {
    "classify": "the share of levels at which the answer is that on the original",
    "clip": "the share of questions in which CLIP chooses the word that it chooses on the original",
    "detect": "the AP of a detector's boxes against those on the original, where it finds any there",
    "segment": "the mean IoU of a segmenter's areas with those on the original",
    "lpips": "1 − LPIPS: how alike picture and original look",
}
"""Kind of a task (`hiercodec.tasks`) → what its score is."""


def draw() -> None:
    """The measure of the visitor's choice, of those that the file has, for the codecs chosen."""
    with chrome.controls():
        choice = choices.pick()
        tables = choice.tables.values()
        columns = COLUMNS | {task: score(task) for task in choice.meta.get("tasks") or ()}
        has = [what for what, column in columns.items() if any(table.has(column) for table in tables)]
        offered: list[str] = [RIGHT, BITS, *has] if choice.levels else has
        y = chrome.menu("Measure", "y", offered, width=140)
        levels, level = list(choice.levels), ""
        if y in (RIGHT, BITS):
            level = chrome.menu("Level", "level_told", levels, default=levels[-1], width=100, format_func=spoken)
    choices.notices(choice)
    with st.container(horizontal=True, vertical_alignment="center", key="controls_drawn"):
        names, at = choices.shown(choice), choices.rate()
    if y == RIGHT:
        answers(choice, names, level, at)
    elif y == BITS:
        meaning(choice, names, level, at)
    else:
        one_value(choice, names, y, columns[y], at)
    choice.footer()


def _lines(choice: Choice, names: Sequence[str], measure: str) -> list[Curve]:
    return [curve(choice.tables[name], measure) for name in names if choice.tables[name].has(measure)]


def answers(choice: Choice, names: Sequence[str], level: str, at: float) -> None:
    """Every codec at one level, beside the levels of the first on one axis."""
    lines = _lines(choice, names, right(level))
    ours = choice.ours if choice.ours in names else names[0]
    k, found = choice.levels[level], choice.levels_of(ours)
    whole = {spoken(name): choice.whole(right(name)) or 1.0 for name in choice.levels}
    others = {title(name): choice.levels_of(name) for name in names if name != ours}
    every = figures.codecs(
        lines, choice.looks, y=f"right {spoken(level)}, all codecs", share=True, whole=choice.whole(right(level)),
        chance=1 / k, at=at, mode=chrome.mode(),
    )  # fmt: skip
    chance = {spoken(name): 1 / k for name, k in choice.levels.items()}
    three = figures.three_levels(
        found, whole=whole, chance=chance, at=at, y=f"right answers, {title(ours)}", mode=chrome.mode()
    )
    said = f"**{spoken(level).capitalize()}**, one of {k}. {words.against(lines, at, share=True)}"
    first = f"{words.order_of_levels(found, whole)} {words.at_rate(title(ours), found, others, at, choice.pixels)}"
    alt = f"Right answers of {title(ours)} against rate: {', '.join(found)}"
    draw_charts(
        choice,
        Chart(every, f"right_{level}", f"Right answers at the level {spoken(level)}, a line a codec", said, lines, "%"),
        Chart(three, f"levels_{ours}", alt, first, list(found.values()), "%"),
        note=f"{lines[0].n} photographs. Shaded: 95 % intervals (Wilson). {DASHED} Dotted: blind guessing. "
        f"{words.judge(choice.judge, choice.sat)}",
    )


def meaning(choice: Choice, names: Sequence[str], level: str, at: float) -> None:
    """Bits of meaning at a level, and how many a byte brings."""
    k, lines = choice.levels[level], _lines(choice, names, bits(level))
    each = [per_byte(choice.tables[name], level) for name in names if choice.tables[name].has(bits(level))]
    told = "%{y:.2f} bits (%{customdata[2]:.2f} to %{customdata[3]:.2f})"
    said = f"How much of “which of {k}?” a file has told, in bits; all of it would be {math.log2(k):.1f}. "
    drawn = [
        figures.codecs(of, choice.looks, y=y, tell=told, whole=whole, at=at, mode=chrome.mode())
        for of, y, whole in ((lines, BITS, choice.whole(bits(level))), (each, f"{BITS} per kB", None))
    ]
    draw_charts(
        choice,
        Chart(
            drawn[0], f"bits_{level}", "Bits of meaning against rate", said + words.against(lines, at), lines, "bits"
        ),
        Chart(
            drawn[1],
            f"per_byte_{level}",
            "Bits of meaning per 1000 bytes against rate",
            words.best_per_byte(each),
            each,
        ),
        note=DASHED,
    )


def one_value(choice: Choice, names: Sequence[str], y: str, measure: str, at: float) -> None:
    """WUP, PSNR, MS-SSIM or the score of a task; on Kodak beside the published curves of codecs not measured here."""
    unit, digits = " dB" if y == PSNR else "", 1 if y == PSNR else 3
    lines, papers = _lines(choice, names, measure), papers_of(choice, measure)
    said = {
        SIMILAR: "**WUP**, as NLTK computes it: 1 is the right class, two unrelated things have about 0.3.",
        PSNR: "**PSNR**: how close the picture is to the original.",
        SSIM: "**MS-SSIM**: how alike the structures of picture and original are; 1 is the same.",
    }.get(y) or f"**{words.plain(y)}**: {TASKS.get(y.partition(':')[0], 'a score')}; 1 is the same."
    said += f" {words.against(lines, at, unit=unit, digits=digits)}"
    if y == PSNR and (stands := standing(choice, lines)):
        said += f"  \n{stands}"
    tell = f"%{{y:.{digits + 1}f}}{unit} (%{{customdata[2]:.{digits + 1}f}} to %{{customdata[3]:.{digits + 1}f}})"
    fig = figures.codecs(
        lines, choice.looks, y=f"{y} (dB)" if unit else y, tell=tell, published=papers, at=at, mode=chrome.mode(),
        whole=choice.whole(measure) if y == SIMILAR else None,
    )  # fmt: skip
    chart = Chart(fig, measure, f"{y} against rate, a line a codec", said, lines, unit.strip())
    without = [title(name) for name in names if not choice.tables[name].has(measure)]
    absent = f" Not measured: {', '.join(without)}." if without else ""
    dashed = f"{DASHED} " if y == SIMILAR else ""
    draw_charts(choice, chart, note=f"{dashed}{sources(papers)}{absent}".strip())


# ---- curves that other people published ---------------------------------------------------------------------------------
def papers_of(choice: Choice, measure: str) -> list[dict[str, Any]]:
    """{"name", "source", "bpp", "y"} of each published curve of a measure: on Kodak those of codecs not measured here."""
    papers = [
        {"name": paper.name, "source": paper.source, "bpp": paper.bpp, "y": paper.psnr} for paper in _papers(choice)
    ]
    opened = [row for row in st.session_state.get(files.OPENED, []) if row.get(measure)]
    rows = [{"name": r["name"], "source": r.get("source", ""), "bpp": r["bpp"], "y": r[measure]} for r in opened]
    return [*(papers if measure == "psnr" else []), *rows]


def standing(choice: Choice, lines: Sequence[Curve]) -> str:
    """How many more bytes our curve of PSNR needs than each published one, in a sentence; empty where there is none."""
    ours = next((line for line in lines if line.codec == choice.ours), None)
    found = {paper.name: more_bytes(ours, paper) for paper in _papers(choice)} if ours else {}
    said = [
        f"{words.plain(name)} **{more:+.0f} %**".replace("**-", "**−")
        for name, more in found.items()
        if more is not None
    ]
    apart = [words.plain(name) for name, more in found.items() if more is None]
    if not said:
        return ""
    told = f"At equal PSNR {title(choice.ours)} needs so many bytes more (+) or fewer (−): {', '.join(said)}."
    return told + (f" No quality is common with {', '.join(apart)}." if apart else "")


def sources(rows: Sequence[dict[str, Any]]) -> str:
    """Where the dashed curves come from; empty without any."""
    said = "; ".join(f"{words.plain(row['name'])}: {words.plain(row['source'] or 'your file')}" for row in rows)
    return f"Dashed: as published, not measured here. {said}." if rows else ""


def _papers(choice: Choice) -> list[Published]:
    about = choice.meta.get("data") or {}
    if "kodak" not in str(about.get("name", "")).lower():
        return []
    return [paper for paper in on_kodak().values() if not paper.format]


# ---- a chart with what belongs to it ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A figure, the sentence below it that says what to see, the curves in it (for its table) and their unit."""

    fig: go.Figure
    key: str
    alt: str
    said: str = ""
    curves: Sequence[Curve] = ()
    unit: str = ""


@st.fragment
def draw_charts(choice: Choice, *charts: Chart, note: str = "") -> None:
    """Charts side by side; below them a note, and the way to the photographs of a clicked point."""
    points = []
    for place, chart in zip(st.columns(len(charts)), charts, strict=True):
        with place:
            drawn = chrome.chart(
                chart.fig, key=f"results_{chart.key}_{choice.key}", alt=f"{chart.alt}. {chart.said}".replace("**", ""),
                table=partial(table, chart), on_select="rerun", selection_mode="points",
            )  # fmt: skip
            if chart.said:
                st.markdown(chart.said)
            points += [p["customdata"] for p in drawn.selection.points if p.get("customdata")]
    if points:
        codec, setting = map(str, points[0][:2])
        cut = words.cut_name(setting, choice.source.rows().levels)
        query = {"rows": called(choice.source), "codec": title(codec), "judge": choice.judge, "cut": cut}
        if choice.judge:
            chrome.link("failures", f"See the photographs: {title(codec)}, {cut}", query=query, icon=":material/photo:")
    elif choice.judge:
        note += " Click a point for the way to its photographs."
    if note:
        st.caption(note)


def table(chart: Chart) -> list[dict[str, Any]]:
    """A row a point: codec, setting, bytes, rate, the mean and the ends of its interval."""
    scale, digits = (100, 1) if chart.unit == "%" else (1, 4)
    return [
        {
            "codec": title(curve.codec),
            "setting": curve.settings[i],
            "bytes": round(float(curve.bytes[i])),
            "bit/pixel": round(float(curve.bpp[i]), 4),
            f"mean{' (' + chart.unit + ')' if chart.unit else ''}": round(scale * float(curve.mean[i]), digits),
            "low": round(scale * float(curve.low[i]), digits),
            "high": round(scale * float(curve.high[i]), digits),
            "photographs": curve.n,
        }
        for curve in chart.curves
        for i in range(len(curve.settings))
    ]

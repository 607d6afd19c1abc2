"""Label or pixels: what a file's label tells, what its pixels show, both together, and what a label cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from hiercodec.evaluation.results.curves import Curve, curve, per_byte
from hiercodec.evaluation.results.table import Table, bits, right
from hiercodec.evaluation.traces.label import FUSED, LABEL_ONLY
from hiercodec.figures import rates as figures
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.report.cards import results
from hiercodec.ui.frame import cached, chrome
from hiercodec.ui.results import choice as choices
from hiercodec.ui.results import files

ROWS, LIMITS = "label-val", "label-limits"
SURE = "sure of a wrong family"
HOW = "python -m hiercodec evaluate DATASET --label-by lite0 --rates 0.02 0.05 0.1 0.2 0.4 --out FILE.parquet"


def draw() -> None:
    """The three ways over rate by one judge, level by level; below, the questions that a label fails."""
    source = files.shipped().get(ROWS)
    if source is None:
        chrome.empty("No rows of files with a label are shipped.", how=HOW)
        chrome.footer()
        return
    st.markdown(
        "Why send pixels, if all you want is the answer? A file may begin with a **label**: what a classifier said of the "
        "original, in 8 bytes. Here it stands beside what another classifier sees in the **pixels** of equally large files."
    )
    rows = source.rows()
    levels = list(rows.levels)
    sat = words.judges_of(rows.meta, rows.judges, cached.models())
    with chrome.controls():
        judge = chrome.menu("Who looks at the pixels", "viewer", list(sat), width=260,
                            format_func=lambda name: choices.judge_title(name, sat[name]))  # fmt: skip
        level = chrome.menu("Level", "label_level", levels, default=levels[-1], width=110, format_func=spoken)
        at = choices.rate()
    alone, pixels, both = three(files.tables(source, judge))
    hits = [curve(way, right(level)) for way in (alone, pixels, both)]
    info = [curve(way, bits(level)) for way in (alone, pixels, both)]
    said = sentence(hits, spoken(level), at)
    left, middle = st.columns(2)
    with left:
        st.markdown(said)
        fig = figures.label_or_pixels(*hits, y=f"right {spoken(level)}", share=True, at=at, mode=chrome.mode())
        chrome.chart(
            fig,
            key=f"label_right_{judge}_{level}",
            alt=said.replace("**", ""),
            table=lambda: table(alone, pixels, both, level),
        )
    with middle:
        st.markdown(worth(alone, pixels, level, at))
        tell = "%{y:.2f} bits (%{customdata[2]:.2f} to %{customdata[3]:.2f})"
        fig = figures.label_or_pixels(*info, y="bits of meaning", tell=tell, at=at, mode=chrome.mode())
        chrome.chart(fig, key=f"label_bits_{judge}_{level}", alt="Bits of meaning against rate, three ways")
    st.caption(
        f"{hits[0].n} validation photographs; every byte of the file is counted, the label’s 8 too. Brackets and bands: "
        f"95 % intervals (Wilson; bootstrap for bits). The label is lite0’s. {words.judge(judge, sat[judge])} “Label and "
        "pixels” weighs both with weights fitted on training photographs."
    )
    chrome.footer({"rows": source.title, "sha256": source.sha256[:12], "limits": limits(str(rows.meta.get("command")))})


def three(found: Mapping[str, Table]) -> tuple[Table, Table, Table]:
    """The tables of the label alone, of the pixels of files without one, and of both together."""
    alone = next(name for name in found if name.endswith(LABEL_ONLY))
    with_label = alone.removesuffix(LABEL_ONLY)
    return found[alone], found[with_label.removesuffix(" + label")], found[with_label + FUSED]


def sentence(hits: Sequence[Curve], level: str, at: float) -> str:
    """How often each of the three is right at a rate, and from where on pixels alone are as good as the label."""
    alone, pixels, both = hits
    here = [alone.mean[0], pixels.at(at), both.at(at)]
    if None in here:
        parts = f"The label alone names the {level} of **{100 * alone.mean[0]:.0f}** of 100 photographs."
    else:
        a, b, c = (f"**{100 * float(value or 0):.0f}**" for value in here)
        parts = (
            f"Of 100 photographs the label alone names the {level} of {a}; at {at:g} bit/pixel the pixels show it for "
        )
        parts += f"{b}, label and pixels together for {c}."
    rate = pixels.rate_for(float(alone.mean[0]))
    reach = (
        f"reach the label at {rate:.2f} bit/pixel"
        if rate is not None
        else "do not reach the label at any rate measured"
    )
    return f"{parts} Pixels alone {reach}."


def worth(alone: Table, pixels: Table, level: str, at: float) -> str:
    """Bits of meaning for every kB: of the label, and of pixels at a rate."""
    label, seen = per_byte(alone, level), per_byte(pixels, level)
    here = seen.at(at)
    beside = "" if here is None else f"; the pixels, at {at:g} bit/pixel, **{here:.1f}**"
    return f"The label tells **{label.mean[0]:.0f} bits of meaning per kB** of its {label.bytes[0]:.0f} bytes{beside}."


def table(alone: Table, pixels: Table, both: Table, level: str) -> list[dict[str, Any]]:
    """A row a way and rate: bytes, right answers, bits of meaning, bits per kB, each with its interval."""
    rows = []
    for name, way in {"label alone": alone, "pixels": pixels, "label and pixels": both}.items():
        hit, info, each = curve(way, right(level)), curve(way, bits(level)), per_byte(way, level)
        for i, setting in enumerate(way.settings):
            if name == "label and pixels" and setting == "label":
                continue  # no pixel has come
            rows.append({
                "what": name, "bit/pixel": round(float(hit.bpp[i]), 3), "bytes": round(float(hit.bytes[i])),
                f"right {spoken(level)} (%)": _ends(hit, i, 100, 1), "bits of meaning": _ends(info, i, 1, 2),
                "bits per kB": _ends(each, i, 1, 1),
            })  # fmt: skip
    return rows


def _ends(found: Curve, i: int, scale: float, digits: int) -> str:
    mean, low, high = (f"{scale * float(line[i]):.{digits}f}" for line in (found.mean, found.low, found.high))
    return f"{mean} ({low} to {high})"


# ---- what a label cannot do ---------------------------------------------------------------------------------------------
def limits(command: str) -> str | None:
    """The three experiments in which a label fails and pixels go on answering; the file that holds them, if it is here.

    `command` measured the rows above.
    """
    found = results(LIMITS)
    if not found:
        chrome.reproduce(command)
        return None
    st.header("What a label cannot do", anchor=False)
    viewer, shares = found["viewer"], {tuple(row["name"]): row["share"] for row in found["absent"]}
    absent = [row for row in found["absent"] if row["name"][1] != SURE]
    both = [{**row, "name": row["name"][:2]} for row in found["pairs"] if row["name"][2] == "both"]
    asked = [{**row, "name": row["name"][::-1]} for row in found["questions"]]
    for said, rows, first in (
        (
            "**A thing that is not on the list.** The list of the encoder lacks the photograph’s whole family. The label "
            f"then names another one every time, in {100 * shares['label', SURE]:.0f} % of the cases 80 % sure or more. "
            f"{viewer} knows the family and sees it in the pixels.",
            absent,
            "level",
        ),
        (
            "**Two things in one picture.** Two photographs of different kinds side by side. A label has room for one; "
            f"{viewer} looks at each half of the decoded picture. Right is who names both.",
            both,
            "level",
        ),
        (
            "**A question nobody thought of.** Groups of another hierarchy follow from a class: the label does well there. "
            "Colour and light do not: it can only guess what was most often so in its family.",
            asked,
            "question",
        ),
    ):
        left, right_ = st.columns([2, 5], gap="large")
        left.markdown(said)
        right_.dataframe(wide(rows, found["rates"], first), hide_index=True, width="stretch")
    strangers = "; ".join(f"{row['title']}: “{row['labels'][-1]}”" for row in found["strangers"])
    ns = sorted({row["n"] for name in ("absent", "pairs", "questions") for row in found[name]})
    st.caption(
        f"Right answers in %, 95 % intervals (Wilson), {ns[-1]} validation photographs, {ns[0]} pairs. Guesses learned "
        f"from {found['training_photos']:,} training photographs. What the label calls samples that show none of the "
        f"classes: {strangers}."
    )
    chrome.reproduce(command, found["command"])
    return f"{LIMITS}.json"


NAMED = {"label": "label", "label without its class": "label without class"}


def wide(rows: Sequence[Mapping[str, Any]], rates: Sequence[float], first: str = "level") -> list[dict[str, str]]:
    """Rows named (who answers, what) as a table: a row for what is asked, a column for who answers."""
    found: dict[str, dict[str, str]] = {}
    order = [*NAMED, *(f"{rate:g} bpp" for rate in rates)]
    for row in sorted(rows, key=lambda row: order.index(row["name"][0])):
        who, what = row["name"]
        cell = f"{100 * row['share']:.0f} ({100 * row['low']:.0f} to {100 * row['high']:.0f})"
        found.setdefault(what, {first: spoken(what)})[str(NAMED.get(who, who))] = cell
    return list(found.values())

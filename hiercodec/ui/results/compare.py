"""Tables with intervals: our codec against each rival at equal bytes, for equal answers, and with whole files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import bjontegaard
from hiercodec.evaluation.results.bjontegaard import Delta
from hiercodec.evaluation.results.curves import curve
from hiercodec.evaluation.results.table import right
from hiercodec.figures import rates as figures
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.ui.frame import chrome
from hiercodec.ui.results import data
from hiercodec.ui.results.choice import Choice
from hiercodec.ui.results.frames import reproduce
from hiercodec.ui.results.stopping import stopping_section

EQUAL_BYTES, EQUAL_ANSWERS = "At equal bytes", "For equal quality"


def rivals(choice: Choice) -> None:
    """BD table: how much more at equal bytes, or how many fewer bytes for the same; wins and losses alike."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ours = chrome.menu(
            "Compare",
            "against",
            list(choice.looks),
            default=choice.ours,
            width=300,
            format_func=choice.names.__getitem__,
        )
        way = st.segmented_control(
            "How", [EQUAL_BYTES, EQUAL_ANSWERS], default=EQUAL_BYTES, required=True, key="bd", bind="query-params"
        )
    fewer = way == EQUAL_ANSWERS
    named = {right(level): f"{spoken(level)} right" for level in choice.levels}
    named |= {"wup": "WUP", "psnr": "PSNR", "ms_ssim": "MS-SSIM"}
    chosen = {name: choice.tables[name] for name in (*choice.shown, ours)}
    with st.spinner("Drawing photographs anew to see how sure the gaps are …", show_time=False):
        found = data.gaps(choice.key, tuple(chosen), ours, tuple(named), fewer, chosen)
    if not found:
        chrome.empty("There is no other codec to compare with. Choose more codecs above.")
        return
    levels = {spoken(level): [row for row in found if row.measure == right(level)] for level in choice.levels}
    said = "  \n".join(
        words.losses_and_wins(rows, choice.names, choice.names[ours], f"the {level}", fewer=fewer)
        for level, rows in levels.items()
    )
    if levels and not fewer:
        last = list(choice.levels)[-1]
        curves = {name: choice.levels_of(name)[spoken(last)] for name in chosen if choice.tables[name].has(right(last))}
        others = {choice.names[name]: curve for name, curve in curves.items() if name != ours}
        said += "  \n" + words.at_the_top(curves[ours], others, f"the {spoken(last)}") if ours in curves else ""
    st.markdown(said)
    drawn = {name: [_titled(row, choice) for row in rows] for name, rows in levels.items()}
    if not drawn:
        drawn = {"PSNR": [_titled(row, choice) for row in found if row.measure == "psnr"]}
    unit = "more bytes than it needs (%)" if fewer else "more right than it, of 100" if levels else "more dB than it"
    fig = figures.gaps(drawn, x=unit, percent=bool(levels) and not fewer, mode=chrome.mode())
    chrome.chart(fig, key=f"evaluate_gaps_{choice.key}_{fewer}", alt=said.replace("**", "") or "Gaps in PSNR")
    st.dataframe([_row(row, choice, named, fewer) for row in found], hide_index=True, width="stretch")
    st.caption(
        "Bjøntegaard’s delta, PCHIP, over real file bytes. "
        + (
            "How many per cent more (+) or fewer (−) bytes it needs, over the answers that both reach. "
            if fewer
            else "The mean gap over the rates that both cover: points of 100 photographs, WUP, or dB. "
        )
        + f"Intervals: 95 %, {bjontegaard.RESAMPLES} bootstrap resamples over photographs, drawn for both codecs together. "
        f"No figure where the curves share less than {bjontegaard.ENOUGH:.0%} of the narrower one."
    )
    reproduce(choice)


def _titled(row: Delta, choice: Choice) -> Delta:
    return replace(row, rival=choice.names[row.rival])


def _row(row: Delta, choice: Choice, named: dict[str, str], fewer: bool) -> dict[str, Any]:
    share = row.measure.startswith("right ") and not fewer
    scale, digits = (100, 1) if share else (1, 1 if fewer else 3)
    value, low, high = (None if v is None else round(scale * v, digits) for v in (row.value, row.low, row.high))
    better, worse = ("less", "more") if fewer else ("more", "less")
    verdict = {better: "ahead", worse: "behind"}.get(row.verdict, row.verdict)
    return {
        "against": choice.names[row.rival],
        "measure": named[row.measure],
        "gap": value,
        "low": low,
        "high": high,
        "unit": "%" if fewer else "points" if share else "dB" if row.measure == "psnr" else "",
        "verdict": verdict,
        "shared": f"{row.shared:.0%}",
        "photographs": row.n,
    }


def full_rate(choice: Choice) -> None:
    """Every codec with its largest file: does ordering cost anything once everything has arrived?"""
    models = choice.meta["provenance"].get("models") or {}
    family = [name for name in choice.looks if name in models or name.startswith(("order:", "one-block"))]
    ours = choice.ours
    st.markdown(
        "Our stream puts meaning first. Does that cost anything once the whole file is there? The rows below compare whole "
        "files, photograph by photograph."
    )
    others = [name for name in family if name != ours]
    if choice.levels:
        last = list(choice.levels)[-1]
        mine = choice.tables[ours]
        found = [d for name in others for d in bjontegaard.at_full_rate(mine, choice.tables[name], [right(last)])]
        if found:
            st.markdown(words.at_full(found, choice.names, choice.names[ours], f"the {spoken(last)}"))
        else:
            chrome.notice(
                "info", "This file has no other order of the same data, so the price of ordering cannot be told."
            )
    order = [ORIGINAL, ours, *others, *(name for name in choice.shown if name not in family)]
    rows = [_whole(choice, name, ours) for name in order if name in choice.tables]
    st.dataframe(rows, hide_index=True, width="stretch")
    st.caption(
        "Each codec at the highest rate measured; 95 % intervals (Wilson). “Ours minus it”: right classes of 100, "
        "photograph by photograph (bootstrap). Rivals end at other rates: only orders of the same data answer this."
    )
    reproduce(choice)


def stopping(choice: Choice) -> None:
    """Every file read until its answer is sure enough, against the same cut for all."""
    stopping_section(choice.source.rows(), partial(data.tables, choice.source))
    reproduce(choice)


def _whole(choice: Choice, name: str, ours: str) -> dict[str, Any]:
    table = choice.tables[name]
    row: dict[str, Any] = {"codec": choice.names[name], "setting": table.settings[-1], "ours minus it (points)": ""}
    row |= {"bytes": round(float(table.bytes[:, -1].mean())), "bit/pixel": round(float(table.bpp[:, -1].mean()), 3)}
    if table.has("psnr"):
        row["PSNR (dB)"] = round(float(curve(table, "psnr").mean[-1]), 2)
    for level in choice.levels:
        line = curve(table, right(level))
        mean, low, high = (100 * ends[-1] for ends in (line.mean, line.low, line.high))
        row[f"{spoken(level)} (%)"] = f"{mean:.1f} ({low:.1f} to {high:.1f})"
    if choice.levels and name not in (ours, ORIGINAL):
        last = list(choice.levels)[-1]
        (gap,) = bjontegaard.at_full_rate(choice.tables[ours], table, [right(last)]) or [None]
        if gap is not None and gap.value is not None and gap.low is not None and gap.high is not None:
            row["ours minus it (points)"] = f"{100 * gap.value:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"
    return row

"""One codec against its rivals: the lead at every rate, its mean over the rates, and with whole files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import bjontegaard
from hiercodec.evaluation.results.bjontegaard import Delta
from hiercodec.evaluation.results.curves import curve
from hiercodec.evaluation.results.table import right
from hiercodec.figures import rates as figures
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.ui.frame import chrome
from hiercodec.ui.results import choice as choices
from hiercodec.ui.results import files
from hiercodec.ui.results.choice import Choice

EQUAL_BYTES, EQUAL_ANSWERS = "at equal bytes", "for equal quality"


def draw() -> None:
    """The lead over one rival at every rate, the means against every rival, and what the order of a file costs."""
    with chrome.controls():
        choice = choices.pick()
        ours = chrome.menu("Codec", "of", choice.codecs, default=choice.ours, width=150, format_func=title)
        rivals = [name for name in choice.codecs if name != ours]
        rival = (
            chrome.menu("Against", "against", rivals, default="avif", width=150, format_func=title) if rivals else ""
        )
    choices.notices(choice)
    if not rival:
        chrome.empty("These results hold one codec only, so there is nothing to compare it with.")
    else:
        lead(choice, ours, rival)
        means(choice, ours)
        whole_files(choice, ours)
    choice.footer()


def lead(choice: Choice, ours: str, rival: str) -> None:
    """How much better, and from where to where: with its band, the crossing marked."""
    measures = {spoken(level): right(level) for level in choice.levels} or {"PSNR": "psnr"}
    a, b = choice.tables[ours], choice.tables[rival]
    found = {name: row for name, m in measures.items() if (row := bjontegaard.at_every_rate(a, b, m))}
    if not found:
        st.markdown(f"{title(ours)} and {title(rival)} have no rate in common.")
        return
    said = words.lead(found, title(ours), title(rival))
    st.markdown(said)
    fig = figures.lead(found, rival=title(rival), percent=bool(choice.levels), mode=chrome.mode())
    rows = [
        {"level": name, "bit/pixel": rate, "lead": mean, "low": low, "high": high}
        for name, row in found.items()
        for rate, mean, low, high in zip(row.rates, row.mean, row.low, row.high, strict=True)
    ]
    alt = f"The lead of {title(ours)} over {title(rival)} against rate. {said}".replace("**", "")
    chrome.chart(fig, key=f"lead_{choice.key}_{ours}_{rival}", alt=alt, table=lambda: rows)
    n = next(iter(found.values())).n
    st.caption(
        f"The same {n} photographs, both codecs drawn anew together {bjontegaard.RESAMPLES} times: bands hold 95 %."
    )


def means(choice: Choice, ours: str) -> None:
    """Bjøntegaard's delta against every codec: how much more at equal bytes, or how many fewer bytes for the same."""
    st.header("Against every codec, on the mean over rates", anchor=False)
    way = st.segmented_control(
        "How", [EQUAL_BYTES, EQUAL_ANSWERS], default=EQUAL_BYTES, required=True, key="bd", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    fewer = way == EQUAL_ANSWERS
    named = {right(level): f"{spoken(level)} right" for level in choice.levels}
    named |= {"wup": "WUP", "psnr": "PSNR", "ms_ssim": "MS-SSIM"}
    with st.spinner("Drawing photographs anew to see how sure the gaps are …", show_time=False):
        found = files.gaps(choice.key, tuple(choice.codecs), ours, tuple(named), fewer, choice.tables)
    levels = {spoken(level): [row for row in found if row.measure == right(level)] for level in choice.levels}
    said = "  \n".join(
        words.losses_and_wins(rows, title(ours), f"the {level}", fewer=fewer) for level, rows in levels.items()
    )
    st.markdown(said)
    drawn = levels or {"PSNR": [row for row in found if row.measure == "psnr"]}
    drawn = {name: [replace(row, rival=title(row.rival)) for row in rows] for name, rows in drawn.items()}
    unit = "more bytes than it needs (%)" if fewer else "more right than it, of 100" if levels else "more dB than it"
    fig = figures.gaps(drawn, x=unit, percent=bool(levels) and not fewer, mode=chrome.mode())
    chrome.chart(
        fig, key=f"gaps_{choice.key}_{ours}_{fewer}", alt=said.replace("**", "") or "Gaps in PSNR",
        table=lambda: [_row(row, named, fewer) for row in found],
    )  # fmt: skip
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


def _row(row: Delta, named: Mapping[str, str], fewer: bool) -> dict[str, Any]:
    share = row.measure.startswith("right ") and not fewer
    scale, digits = (100, 1) if share else (1, 1 if fewer else 3)
    value, low, high = (None if v is None else round(scale * v, digits) for v in (row.value, row.low, row.high))
    better, worse = ("less", "more") if fewer else ("more", "less")
    verdict = {better: "ahead", worse: "behind"}.get(row.verdict, row.verdict)
    return {
        "against": title(row.rival),
        "measure": named[row.measure],
        "gap": value,
        "low": low,
        "high": high,
        "unit": "%" if fewer else "points" if share else "dB" if row.measure == "psnr" else "",
        "verdict": verdict,
        "shared": f"{row.shared:.0%}",
        "photographs": row.n,
    }


def whole_files(choice: Choice, ours: str) -> None:
    """Every codec with its largest file: does ordering cost anything once everything has arrived?"""
    others = [name for name in choice.codecs if name.startswith("order:") and name != ours]
    if not (choice.levels and others):
        return
    last = list(choice.levels)[-1]
    st.header("With whole files: what the order costs", anchor=False)
    mine = choice.tables[ours]
    found = [d for name in others for d in bjontegaard.at_full_rate(mine, choice.tables[name], [right(last)])]
    st.markdown(words.at_full(found, title(ours), f"the {spoken(last)}"))
    gaps = {row.rival: bjontegaard.words(row.to_json(), "", 1, scale=100) for row in found}
    rows = [_whole(choice, name, gaps.get(name, "")) for name in (ORIGINAL, ours, *others) if name in choice.tables]
    st.dataframe(rows, hide_index=True, width="stretch")
    st.caption(
        "Each at the highest rate measured; 95 % intervals (Wilson). “Lead”: right classes of 100 more than it, photograph "
        "by photograph (bootstrap). Rivals end at other rates: only orders of the same data answer this."
    )


def _whole(choice: Choice, name: str, gap: str) -> dict[str, Any]:
    table = choice.tables[name]
    row: dict[str, Any] = {"codec": title(name), "setting": table.settings[-1], "lead (points)": gap}
    row |= {"bytes": round(float(table.bytes[:, -1].mean())), "bit/pixel": round(float(table.bpp[:, -1].mean()), 3)}
    if table.has("psnr"):
        row["PSNR (dB)"] = round(float(curve(table, "psnr").mean[-1]), 2)
    for level in choice.levels:
        line = curve(table, right(level))
        mean, low, high = (100 * ends[-1] for ends in (line.mean, line.low, line.high))
        row[f"{spoken(level)} (%)"] = f"{mean:.1f} ({low:.1f} to {high:.1f})"
    return row

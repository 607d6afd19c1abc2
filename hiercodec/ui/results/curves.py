"""The views of the page: each says what to see in a sentence worked out from the rows, then draws it."""

from __future__ import annotations

import math

import streamlit as st

from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results.curves import Curve, curve, per_byte
from hiercodec.evaluation.results.table import bits, right, unsure
from hiercodec.figures import rates as figures
from hiercodec.levels import spoken
from hiercodec.report import measured as words
from hiercodec.taxonomy.ladder import ladder_names
from hiercodec.ui.frame import chrome
from hiercodec.ui.groups import shared
from hiercodec.ui.results import data, published
from hiercodec.ui.results.choice import Choice
from hiercodec.ui.results.frames import Chart, draw

UNJUDGED = "No classifier has looked at these photographs, so nothing can be said of meaning. See “Picture”."
EXTRA_RATES = 0.08, 0.4
"""Drawn beside the chosen rate where numbers of groups are compared."""


def judged(choice: Choice) -> bool:
    """Whether answers were measured; says so where not."""
    if not choice.levels:
        chrome.empty(UNJUDGED, how="python -m hiercodec evaluate DATASET --classifier lite0 --out FILE.parquet")
    return bool(choice.levels)


def accuracy(choice: Choice) -> None:
    """Three levels of one codec on one axis, then every level with all codecs."""
    if not judged(choice):
        return
    said, menu = st.columns([4, 1])
    with menu:
        codec = levels_of_which(choice)
    found = choice.levels_of(codec)
    whole = {spoken(level): choice.whole(right(level)) or 1.0 for level in choice.levels}
    others = {choice.names[name]: choice.levels_of(name) for name in choice.shown if name != codec}
    first = words.order_of_levels(found, whole)
    said.markdown(f"{first}  \n{words.at_rate(choice.names[codec], found, others, choice.at, choice.pixels)}")
    fig = figures.three_levels(
        found, whole=whole, chance={spoken(level): 1 / k for level, k in choice.levels.items()},
        at=choice.at, log=choice.log, mode=chrome.mode(),
    )  # fmt: skip
    alt = f"Right answers of {choice.names[codec]} against rate: {', '.join(found)}. {first}"
    n = next(iter(found.values())).n
    draw(
        choice,
        Chart(fig, "levels", alt, curves=list(found.values()), unit="%"),
        note=f"{n} photographs. Shaded: 95 % intervals (Wilson). Dashed: uncompressed. Dotted: blind guessing. Click "
        f"a point to see its photographs. {words.judge(choice.judge, choice.sat)}",
    )
    st.subheader("One question, every codec", anchor=False)
    draw(choice, *(one_level(choice, level, k) for level, k in choice.levels.items()))


def levels_of_which(choice: Choice) -> str:
    """The codec whose levels are drawn on one axis: ours, unless the visitor wants another."""
    return chrome.menu(
        "Three questions to", "of", choice.shown, default=choice.ours, format_func=choice.names.__getitem__
    )


def one_level(choice: Choice, level: str, k: int) -> Chart:
    """How often every codec is right at one level."""
    lines = choice.curves(right(level))
    fig = figures.codecs(
        lines, choice.looks, names=choice.names, y="right answers", share=True, whole=choice.whole(right(level)),
        chance=1 / k, at=choice.at, log=choice.log, mode=chrome.mode(),
    )  # fmt: skip
    said = f"**{spoken(level).capitalize()}**, one of {k}. {words.against(lines, choice.at, choice.names, share=True)}"
    return Chart(fig, f"accuracy_{level}", f"Right answers at the level {spoken(level)}", said, lines, "%")


def meaning(choice: Choice) -> None:
    """Bits of meaning, and how much a byte brings; the similarity of answer and truth."""
    if not judged(choice):
        return
    options = list(choice.levels)
    if st.session_state.get("level_told") not in options:
        st.session_state.pop("level_told", None)
    level = st.segmented_control(
        "Level", options, default=options[-1], required=True, key="level_told", bind="query-params", format_func=spoken
    )
    level = level or options[-1]
    k, lines = choice.levels[level], choice.curves(bits(level))
    each = [per_byte(choice.tables[name], level) for name in choice.shown if choice.tables[name].has(bits(level))]
    told = "%{y:.2f} bits (%{customdata[2]:.2f} to %{customdata[3]:.2f})"
    said = f"How much of “which of {k}?” a file has told, in bits; all of it would be {math.log2(k):.1f}. "
    draw(
        choice,
        Chart(
            curves_of(choice, lines, "bits of meaning", told, choice.whole(bits(level))),
            f"bits_{level}",
            "Bits of meaning against rate",
            said + words.against(lines, choice.at, choice.names),
            lines,
            "bits",
        ),
        Chart(
            curves_of(choice, each, "bits of meaning per kB", told),
            f"per_byte_{level}",
            "Bits of meaning per 1000 bytes against rate",
            words.best_per_byte(each, choice.names),
            each,
        ),
    )
    similar = {"wup": "WUP as NLTK computes it", "wup_eq1": "WUP, Eq. 1 of the paper"}
    found = {name: choice.curves(name) for name in similar}
    if not all(found.values()):
        st.markdown("WUP: not measured (the photographs have no labels).")
        return
    told = "%{y:.3f} (%{customdata[2]:.3f} to %{customdata[3]:.3f})"
    draw(
        choice,
        *(
            Chart(
                curves_of(choice, found[name], "WUP", told, choice.whole(name)),
                name,
                f"{title} against rate",
                f"**{title}**: 1 is the right class, two unrelated things have about 0.3. "
                + words.against(found[name], choice.at, choice.names),
                found[name],
            )
            for name, title in similar.items()
        ),
    )


def curves_of(choice: Choice, lines: list[Curve], y: str, tell: str, whole: float | None = None, papers=()):
    """A line a codec of a measure that is no share."""
    return figures.codecs(
        lines, choice.looks, names=choice.names, y=y, tell=tell, whole=whole, published=papers, at=choice.at,
        log=choice.log, mode=chrome.mode(),
    )  # fmt: skip


def picture(choice: Choice) -> None:
    """PSNR and MS-SSIM; on Kodak beside the published curves of codecs that were not measured here."""
    for measure, name, unit, digits in (("psnr", "PSNR", " dB", 1), ("ms_ssim", "MS-SSIM", "", 3)):
        lines = choice.curves(measure)
        if not lines:
            st.markdown(f"{name}: not measured.")
            continue
        papers = published.curves(choice, measure)
        said = words.against(lines, choice.at, choice.names, unit=unit, digits=digits)
        if measure == "psnr" and (stands := published.standing(choice, lines)):
            said += f"  \n{stands}"
        tell = f"%{{y:.{digits + 1}f}}{unit} (%{{customdata[2]:.{digits + 1}f}} to %{{customdata[3]:.{digits + 1}f}})"
        draw(
            choice,
            Chart(
                curves_of(choice, lines, f"{name}{' (dB)' if unit else ''}", tell, papers=papers),
                measure,
                f"{name} against rate",
                f"**{name}** (how close the picture is to the original). {said}",
                lines,
                unit.strip(),
            ),
            note=published.sources(papers),
        )


def groups(choice: Choice) -> None:
    """What K is worth asking for: accuracy at every number of groups, at the chosen rate."""
    if not judged(choice):
        return
    with st.container(horizontal=True):
        ladder = chrome.menu("Groups made from", "ladder", ladder_names(), width=300, format_func=shared.model_title)
        options = [name for name in choice.shown if " · " not in name] or [choice.ours]
        codec = chrome.menu("Codec", "asked", options, width=300, format_func=choice.names.__getitem__)
    found = data.rung_tables(choice.source.sha256, choice.judge, ladder, codec, choice.source)
    asked = found[codec]
    ks = [int(level) for level in asked.levels]
    reach, told = ({k: curve(asked, measure(str(k))) for k in ks} for measure in (right, bits))
    rates = sorted(at for at in {choice.at, *EXTRA_RATES} if reach[ks[0]].at(at) is not None)
    shares, sums = ({at: {k: line.at(at) or 0.0 for k, line in of.items()} for at in rates} for of in (reach, told))
    whole = {k: float(curve(found[ORIGINAL], right(str(k))).mean[0]) for k in ks}
    named = {f"{at:g} bit/pixel": line for at, line in shares.items()} | {"uncompressed": whole}
    here = choice.at in rates
    doubt = max(curve(asked, unsure(str(k))).at(choice.at) or 0.0 for k in ks)
    draw(
        choice,
        Chart(
            figures.rungs(named, chance=True, goal=words.ASKED, y="right answers", mode=chrome.mode()),
            "rungs",
            "Right answers against the number of groups asked for",
            words.worth_asking(shares[choice.at], choice.at) if here else words.not_here(reach[ks[0]], choice.at),
        ),
        Chart(
            figures.rungs({f"{at:g} bit/pixel": line for at, line in sums.items()}, chance=False, y="bits of meaning",
                          mode=chrome.mode()),
            "rung_bits",
            "Bits of meaning against the number of groups asked for",
            words.told(sums[choice.at], choice.at) if here else "",
        ),
        note="Groups by k-means of class names’ CLIP embeddings. Answered from the stored probabilities, of at most 32 "
        f"classes a photograph: at {choice.at:g} bit/pixel the others could change at most {doubt:.0%} of the answers.",
    )  # fmt: skip

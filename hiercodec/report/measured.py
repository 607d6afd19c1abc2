"""What a chart shows, in one sentence a reader can check against it. Every figure is worked out from the curves given."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.provenance import in_loss
from hiercodec.evaluation.results.bjontegaard import Delta, Lead
from hiercodec.evaluation.results.curves import Curve
from hiercodec.levels import spoken

NEAR = 0.9
"""A level has "nearly" arrived at this share of what the uncompressed photographs reach."""


def plain(text: object) -> str:
    """Text from a file as it is, without any Markdown in it.

    >>> plain("a*b[c](d)")
    'a\\\\*b\\\\[c\\\\](d)'
    """
    return "".join(f"\\{c}" if c in r"\`*_[]{}<>#$~|:" else " " if c in "\r\n" else c for c in str(text))


def cut_name(setting: str, levels: Collection[str]) -> str:
    """A cut in words: "8.5%", or "kind whole" where one of the `levels` ends. Menus and addresses call it so.

    >>> cut_name("8.5%", ["coarse"]), cut_name("coarse", ["coarse"])
    ('8.5%', 'kind whole')
    """
    return f"{spoken(setting)} whole" if setting in levels else setting


def judges_of(
    meta: Mapping[str, Any], names: Sequence[str], cards: Mapping[str, Mapping[str, Any]]
) -> dict[str, bool | None]:
    """Judge → whether it sat in the loss of a codec measured here; those that did not come first.

    What the rows' `meta` says counts, else what the codecs' `cards` say; None where neither does.
    """
    provenance = meta.get("provenance") or {}
    sat: dict[str, bool | None] = {}
    for name in names:
        by_model = ((provenance.get("judges") or {}).get(name) or {}).get("in_loss") or {
            model: in_loss(name, cards[model]) for model in provenance.get("models", {}) if model in cards
        }
        values = set(by_model.values())
        sat[name] = True if True in values else False if values == {False} else None
    return dict(sorted(sat.items(), key=lambda row: row[1] is not False))


def judge(name: str, sat: bool | None) -> str:
    """Who judged, and whether as an outsider."""
    words = {
        True: "**sat in the codec's loss**: the codec was trained to please it, so its figures flatter the codec",
        False: "never sat in the codec's loss",
        None: "may have sat in the codec's loss: no card says",
    }
    return f"Judge: {plain(name).removeprefix('timm:')}, which {words[sat]}."


def at_rate(
    codec: str, ours: Mapping[str, Curve], others: Mapping[str, Mapping[str, Curve]], bpp: float, pixels: float | None
) -> str:
    """What a codec has right at a rate, level by level, and then the others (title → level → curve), best class first."""
    values = {level: curve.at(bpp) for level, curve in ours.items()}
    if any(value is None for value in values.values()):
        return f"{codec}: {not_here(next(iter(ours.values())), bpp)}"
    size = f" ({bpp * pixels / 8:,.0f} bytes a photograph)" if pixels else ""
    parts = [f"the {level} for **{100 * (value or 0):.0f}**" for level, value in values.items()]
    parts[0] = parts[0].replace(" for ", " right for ") + " of 100 photographs"
    rest = {name: [curve.at(bpp) for curve in curves.values()] for name, curves in others.items()}
    known = sorted(((v[-1], name) for name, v in rest.items() if None not in v), reverse=True)[:3]
    sentences = [f"{name}: {_listed([f'{100 * (v or 0):.0f}' for v in rest[name]])}." for _, name in known]
    return " ".join([f"At {bpp:g} bit/pixel{size} {codec} gets {_listed(parts)}.", *sentences])


def order_of_levels(curves: Mapping[str, Curve], whole: Mapping[str, float]) -> str:
    """From which rates on each level has nearly arrived: whether coarse comes first."""
    rates = {level: curve.rate_for(NEAR * whole[level]) for level, curve in curves.items()}
    parts = [
        f"for the {level} at **{rate:.2f}** bit/pixel" if rate is not None else f"for the {level} not at all"
        for level, rate in rates.items()
    ]
    first = _rising([*rates.values()])
    return (
        f"{'Coarse answers come first' if first else 'Coarse answers do not come first here'}: nine tenths of what the "
        f"uncompressed photographs give are reached {_listed(parts)}."
    )


def against(
    curves: Sequence[Curve],
    bpp: float,
    *,
    share: bool = False,
    unit: str = "",
    digits: int = 2,
) -> str:
    """Every codec's value at a rate, best first; those without a file that small or large are named as such."""
    values = {curve.codec: curve.at(bpp) for curve in curves}
    known = sorted(((v, c) for c, v in values.items() if v is not None), reverse=True)
    shares = [
        f"{title(codec)} **{100 * value:.0f}**" if share else f"{title(codec)} **{value:.{digits}f}**{unit}"
        for value, codec in known
    ]
    small = [title(c.codec) for c in curves if values[c.codec] is None and c.bpp[0] > bpp]
    words = (
        f"At {bpp:g} bit/pixel{', right for so many of 100' if share else ''}: {', '.join(shares)}." if shares else ""
    )
    return words + (f" No file is that small with {_listed(small)}." if small else "")


def not_here(curve: Curve, rate: float) -> str:
    """That a rate lies outside what was measured."""
    return f"Measured from {curve.bpp[0]:.2f} to {curve.bpp[-1]:.2f} bit/pixel, not at {rate:g}."


def best_per_byte(curves: Sequence[Curve]) -> str:
    """Where a byte brings most."""
    best = max(curves, key=lambda curve: curve.mean.max())
    i = int(best.mean.argmax())
    return f"A byte brings most early: {title(best.codec)} at {best.bpp[i]:.2f} bit/pixel, **{best.mean[i]:.1f} bits a kB**."


def losses_and_wins(rows: Sequence[Delta], ours: str, what: str, *, fewer: bool = False) -> str:
    """Against whom the first codec clearly has more of `what`, less, and where there is no clear difference."""
    by: dict[str, list[str]] = {}
    for row in rows:
        by.setdefault(row.verdict if row.value is not None else "not comparable", []).append(title(row.rival))
    good, bad = ("less", "more") if fewer else ("more", "less")
    parts = [
        f"{word} {_listed(by[kind])}"
        for kind, word in (
            (good, "**ahead of**"),
            (bad, "**behind**"),
            ("no clear difference", "level with"),
            ("not comparable", "not comparable with"),
        )
        if by.get(kind)
    ]
    return f"By {what}, {ours} is {'; '.join(parts)}." if parts else ""


def lead(leads: Mapping[str, Lead], ours: str, rival: str) -> str:
    """From where to where the first codec is surely ahead of the second, level with it, or behind, for each measure."""
    sentences = []
    for name, row in leads.items():
        parts = [
            f"{word} {_listed([f'{low:.2f} to {high:.2f}' for low, high in row.spans(sign)])}"
            for sign, word in ((1, "**ahead** from"), (0, "no clear difference from"), (-1, "**behind** from"))
            if row.spans(sign)
        ]
        cross = f"; the curves cross at {_listed([f'**{x:.2f}**' for x in row.crossings])}" if row.crossings else ""
        sentences.append(f"{name}: {', '.join(parts)}{cross}")
    return f"**{ours} against {rival}**, bit/pixel. {'. '.join(part[0].upper() + part[1:] for part in sentences)}."


def at_full(rows: Sequence[Delta], ours: str, what: str) -> str:
    """Does ordering cost anything at full rate?"""
    worse = [title(row.rival) for row in rows if row.verdict == "less"]
    if worse:
        gaps = [f"{-100 * (row.value or 0):.1f}" for row in rows if row.verdict == "less"]
        whom, much = _listed(worse), _listed(gaps)
        return f"Yes: with its whole file {ours} has fewer right answers ({what}) than {whom}, by {much} points."
    if not rows:
        return ""
    low = min(row.low for row in rows if row.low is not None)
    others = _listed([title(row.rival) for row in rows])
    return (
        f"No cost can be seen: with its whole file {ours} has no fewer right answers ({what}) than {others}; a loss of more "
        f"than {max(0.0, -100 * low):.1f} points is ruled out (95 %)."
    )


def _rising(rates: Sequence[float | None]) -> bool:
    known = [float("inf") if rate is None else rate for rate in rates]
    return all(a <= b for a, b in itertools.pairwise(known)) and known[0] < float("inf")


def _listed(parts: Sequence[str]) -> str:
    """
    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

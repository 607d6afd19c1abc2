"""Tabs of the Failures page: confusion, how bad mistakes are, how answers flow, groups, and two results side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results import failures
from hiercodec.figures import failures as figures
from hiercodec.figures.palette import palette
from hiercodec.levels import spoken
from hiercodec.ui.failures import source as sources
from hiercodec.ui.failures.gallery import go_to_cell
from hiercodec.ui.failures.source import View, cut_name, mean_bytes
from hiercodec.ui.frame import chrome, listen
from hiercodec.ui.results import files

FLOW, OTHER, AGAINST = "flow", "other", "against"


def confusion(view: View, chosen: np.ndarray) -> None:
    """The truth down, the answer across, by groups; below, the classes that are most confused, as pairs."""
    found, tree, level, labels = view.table, view.table.tree, view.by, view.groups
    counts = failures.confusion(found.truth[:, level], found.path[:, view.cut, level], tree.levels[level].k)
    name = spoken(tree.names[level])
    kept = int(np.trace(counts))
    st.markdown(
        f"At {mean_bytes(found, view.cut)} the **{name}** of {kept} of {len(found)} photographs is right: those lie on the "
        "diagonal. Numbers are photographs, colour is their share of the row. **A click on a cell shows its photographs** "
        "in the gallery."
    )
    listen.to_clicks("confusion", lambda where: go_to_cell(where, labels))
    with st.container(key="confusion"):
        fig = figures.confusion_map(counts, labels, mode=chrome.mode())
        alt = f"Confusion of {name}: truth down, answer across; {kept} of {len(found)} on the diagonal"
        chrome.chart(fig, key="confusion_chart", alt=alt, table=lambda: pair_rows(view, level, 400))
    st.subheader(f"Most confused {_many(tree.names[-1])}", anchor=False)
    rows = pair_rows(view, len(tree.levels) - 1, 20)
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")
    else:
        st.markdown("None: every class is right at this cut.")


def _many(level: str) -> str:
    word = spoken(level)
    return {"kind": "kinds", "family": "families", "class": "classes"}.get(word, word)


def pair_rows(view: View, level: int, limit: int) -> list[dict[str, object]]:
    """The most frequent mistakes of a level as rows, with the WUP of two classes."""
    from hiercodec.taxonomy.similarity import wup_matrix

    found, labels = view.table, view.table.tree.levels[level].labels
    finest = level == len(found.tree.levels) - 1
    return [
        {
            "truth": labels[a],
            "taken for": labels[b],
            "photographs": n,
            **({"WUP": wup_matrix()[a, b]} if finest else {}),
        }
        for a, b, n in failures.confused_pairs(found, level, view.cut, limit)
    ]


def mistakes(view: View, chosen: np.ndarray) -> None:
    """How near the wrong classes are to the truth, against rate and against rivals."""
    judged = sources.tables_of(view.source, view.table.judge)
    named = {title(name): failures.severity(table) for name, table in judged.items()}
    tree, here = view.table.tree, failures.severity(view.table)[view.cut]
    if here.errors:
        inside = ", ".join(
            f"{share:.0%} in the right {spoken(name)}" for name, share in zip(tree.names, here.inside, strict=False)
        )
        st.markdown(
            f"At {mean_bytes(view.table, view.cut)}, **{here.errors} of {here.photos}** classes are wrong. Of the wrong "
            f"ones {inside} still lie. Their mean WUP is **{here.wup:.2f}** (1 is the same thing, two unrelated things have "
            "about 0.3). A better mistake is a nearer one."
        )
    fig = figures.severity_curves(named, mode=chrome.mode())
    alt = "Mean WUP of the wrong classes against bit/pixel, a line for each codec"
    chrome.chart(fig, key="severity", alt=alt, table=lambda: severity_rows(named, tree.names[:-1]))
    st.caption(
        "Only mistakes count here, and a codec that makes more of them also makes other ones, so compare at points where "
        "about as many are wrong (hover). The thin lines are one standard error."
    )
    for level, name in enumerate(tree.names[:-1]):
        fig = figures.inside_curves(named, level, spoken(name), mode=chrome.mode())
        chrome.chart(
            fig, key=f"inside_{level}", alt=f"How often a wrong class lies in the right {spoken(name)}, by codec"
        )


def severity_rows(named: dict[str, list[failures.Severity]], levels: tuple[str, ...]) -> list[dict[str, object]]:
    """The curves as rows."""
    return [
        {
            "codec": name,
            "setting": row.setting,
            "bit/pixel": round(row.bpp, 4),
            "wrong": row.errors,
            "WUP of the wrong": round(row.wup, 4),
            **{f"in the right {spoken(level)}": round(x, 4) for level, x in zip(levels, row.inside, strict=True)},
        }
        for name, rows in named.items()
        for row in rows
    ]


def flow(view: View, chosen: np.ndarray) -> None:
    """How the answers of the chosen photographs move from cut to cut: how deep they are right, or which kind they name."""
    if not len(chosen):
        chrome.empty("No photograph passes the filters, so there is nothing to follow.")
        return
    found, mode = view.table.where(chosen), chrome.mode()
    kinds = found.tree.levels[0]
    what = chrome.menu("Follow", FLOW, ["how deep they are right", "the answers"], width=240)
    cuts = sorted({round(i) for i in np.linspace(0, len(found.settings) - 1, figures.MOST_STEPS)})
    p = palette(mode)
    if what == "the answers":
        states, names = found.path[:, :, 0], list(kinds.labels)
        colours = [p.group(index) for index in range(len(names))]
    else:
        depth = failures.standing(found)
        states = len(found.tree.levels) - depth  # the best at the top
        names = [f"{spoken(name)} right" for name in reversed(found.tree.names)] + ["nothing right"]
        colours = [p.right, *(p.level(4 * (i % 2)) for i in range(len(names) - 2)), p.wrong]  # green, blue, yellow, red
    links = failures.flow(states, cuts)
    fig = figures.flow(links, names, [f"{found.bytes[:, cut].mean():,.0f} B" for cut in cuts], colours, mode=mode)
    alt = f"How {len(found)} photographs move between answers over {len(cuts)} cuts"
    rows = [
        {"from cut": cut_name(found, cuts[s]), "from": names[a], "to cut": cut_name(found, cuts[s + 1]), "to": names[b],
         "photographs": n}
        for s, a, b, n in links
    ]  # fmt: skip
    chrome.chart(fig, key="flow_chart", alt=alt, table=lambda: rows)
    st.caption(
        f"The {len(found)} photographs that pass the filters above. “Family right” means kind and family; a family that is "
        "right under a wrong kind counts as nothing right."
    )


def groups(view: View, chosen: np.ndarray) -> None:
    """Accuracy and bytes to the first right answer, for every true group; the groups that gain most and least."""
    found, labels = view.table, view.groups
    rows = failures.by_group(found, view.by, view.level)
    few = rows if len(rows) <= 20 else [*rows[:10], *rows[-10:]]
    most, least = rows[0], rows[-1]
    st.markdown(
        f"From the fewest bytes to the whole file, **{labels[most.group]}** gains most ({most.gain:+.0%} of "
        f"{most.photos} photographs get their {view.level_name} right), **{labels[least.group]}** least "
        f"({least.gain:+.0%} of {least.photos})."
        + (" Below: the ten that gain most and the ten that gain least." if few is not rows else "")
    )
    ends = (mean_bytes(found, 0), mean_bytes(found, -1))
    fig = figures.gains(few, labels, ends, called=view.level_name, mode=chrome.mode())
    alt = f"Accuracy of {len(few)} groups at {ends[0]} and at {ends[1]}"
    chrome.chart(fig, key=f"gains_{view.by}", alt=alt, table=lambda: group_rows(view, rows, labels))


def group_rows(view: View, rows: list[failures.Group], labels: tuple[str, ...]) -> list[dict[str, object]]:
    """Every group as a row."""
    cuts = [cut_name(view.table, cut) for cut in range(len(view.table.settings))]
    return [
        {
            "group": labels[row.group],
            "photographs": row.photos,
            "gain": round(row.gain, 3),
            "median bytes to right": round(row.bytes) if np.isfinite(row.bytes) else None,
            **{f"right at {cut}": round(share, 3) for cut, share in zip(cuts, row.accuracy, strict=True)},
        }
        for row in rows
    ]


def beside(view: View, chosen: np.ndarray) -> None:
    """Two results on the same photographs: another file, codec or judge at the nearest rate, and who is right."""
    found = files.shipped()
    titles = [view.source.name, *(title for title in found if title != view.source.name)]
    called = {view.source.name: view.source.name, **files.labels(found)}
    a = view.table
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = chrome.menu("Against: results", AGAINST, titles, width=240, format_func=called.__getitem__)
        other = view.source if name == view.source.name else sources.source_of(found[name])
        codecs = [codec for codec in other.rows.codecs if other is not view.source or codec != a.codec] or [a.codec]
        codec = chrome.menu("Against: codec", OTHER, codecs, width=150)
    try:
        b = sources.table_of(other, codec, a.judge if a.judge in other.rows.judges else other.rows.judges[0])
        cut = b.nearest(float(a.bpp[:, view.cut].mean()))
        result = failures.versus(a, b, view.cut, cut, view.level)
    except (InputError, IndexError) as error:
        chrome.empty(f"These two cannot be compared: {error}")
        return
    total = len(result.a)
    one, two = title(a.codec), title(b.codec)
    if one == two:
        one, two = f"{one}, {view.source.name}", f"{two}, {name}"
    st.markdown(
        f"**{one}** at {mean_bytes(a, view.cut)}, judged by {a.judge}; **{two}** ({b.settings[cut]}) at "
        f"{mean_bytes(b, cut)}, the nearest rate it has, judged by {b.judge}. The same {total} photographs; right means the "
        f"right {view.level_name}."
    )
    with st.container(horizontal=True):
        st.metric("Both right", f"{result.both / total:.0%}")
        st.metric(f"Only {one}", f"{result.only_a / total:.0%}")
        st.metric(f"Only {two}", f"{result.only_b / total:.0%}")
        st.metric("Neither", f"{result.neither / total:.0%}")
    st.markdown(_verdict(result, one, two))
    rows = versus_rows(result, view, cut, (one, two))
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")


def _verdict(result: failures.Versus, a: str, b: str) -> str:
    lead, behind = (a, b) if result.only_a > result.only_b else (b, a)
    count = f"{result.only_a} to {result.only_b}"
    if result.p_value >= 0.05:
        return (
            f"Where they differ it stands {count}: too close to call (McNemar's exact test, p = {result.p_value:.2f})."
        )
    p = f"p = {result.p_value:.3f}" if result.p_value >= 0.001 else "p < 0.001"
    return f"Where they differ it stands {count}: **{lead}** is ahead of {behind} (McNemar's exact test, {p})."


def versus_rows(result: failures.Versus, view: View, cut_b: int, names: tuple[str, str]) -> list[dict[str, object]]:
    """The photographs on which exactly one is right."""
    a, b, level = result.a, result.b, view.level
    one, two = names
    labels = a.tree.levels[level].labels
    split = np.flatnonzero(a.right[:, view.cut, level] != b.right[:, cut_b, level])
    return [
        {
            "photograph": str(a.photos[i]),
            "truth": labels[a.truth[i, level]],
            f"{one} says": labels[a.path[i, view.cut, level]],
            f"{two} says": labels[b.path[i, cut_b, level]],
            "right is": one if a.right[i, view.cut, level] else two,
            f"bytes, {one}": int(a.bytes[i, view.cut]),
            f"bytes, {two}": int(b.bytes[i, cut_b]),
        }
        for i in split
    ]

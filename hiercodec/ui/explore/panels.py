"""What stands under the scrubber. Each panel costs nothing until it is opened."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from hiercodec.classify import card_of, confidence_of
from hiercodec.errors import CourseError
from hiercodec.evaluation.metrics import reached
from hiercodec.evaluation.photos.samples import MANIFEST
from hiercodec.evaluation.traces.trace import Until, confidences, stop_step
from hiercodec.images import encode_png
from hiercodec.levels import spoken
from hiercodec.report import export, numbers
from hiercodec.report.answers import NOTHING_YET, format_bytes, percent, truth
from hiercodec.report.glossary import verdict
from hiercodec.report.label import agreement, label_at
from hiercodec.ui.explore import question
from hiercodec.ui.frame import cached, chrome, state, work
from hiercodec.ui.results.stopping import about_confidence

if TYPE_CHECKING:
    from hiercodec.evaluation.measure import Row
    from hiercodec.evaluation.photos.samples import Sample
    from hiercodec.evaluation.traces.trace import Ranked, Step, Trace
    from hiercodec.report.takeaway import Rival
    from hiercodec.ui.explore.subject import Subject


def panels(shown: Subject, position: int, rival: Rival | None) -> None:
    """The row of tabs; only the open one runs. The page to take away keeps the `rival` that stands beside the codec."""
    drawers: dict[str, Callable[[Subject, int], None]] = {
        "About": about,
        "Meaning": meaning,
        "Stop when sure": stop_when_sure,
        "Another question": question.panel,
        "Bytes": size,
        "Take away": partial(take_away, rival=rival),
    }
    if shown.bundle.trace.label:
        drawers = {"Label and pixels": label_and_pixels} | drawers
    tabs = st.tabs(list(drawers), key="explore_tab", on_change="rerun")
    for tab, draw in zip(tabs, drawers.values(), strict=True):
        if tab.open:
            with tab:
                draw(shown, position)


def caption(sample: Sample, trace: Trace, position: int) -> str:
    """What a sample shows, with the facts of its trace; "" where a trace of other levels or without answers has none."""
    from hiercodec.ui.learn.courses import Text
    from hiercodec.ui.learn.facts import filled
    from hiercodec.ui.learn.places import Place

    try:
        return filled(Text(sample.lesson, MANIFEST, 1), Place(sample, trace, position))
    except CourseError:
        return ""


def about(shown: Subject, position: int) -> None:
    """The lesson of a sample, whose photograph it is, and how to move."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        if shown.sample is not None:
            row = shown.sample
            st.markdown(caption(row, shown.bundle.trace, position))
            st.caption(
                f"Photograph: {row.author}, {row.licence}, [source]({row.source}), from the package {row.package}."
            )
        st.markdown(
            "One file, cut anywhere: the bytes to the left of the mark are all the decoder has. The first block is meant "
            "to say what *kind* of thing it is, the second which *family*, the third which *class*. The picture and all "
            "three answers come from those bytes alone."
        )
    with right:
        st.markdown(
            "**Keys** on the file bar: ← → one step · Page Down, Page Up to the next block and back · Home, End · Space "
            "plays. On the picture: 1, 2, 3 move the divider, arrows pan. **Present** fills the screen: arrows, Page keys "
            "and Space move, as a clicker sends them; R shows another format in as many bytes, N the next photograph, V "
            "lets people vote first, B is black, Escape leaves."
        )
        trace = shown.bundle.trace
        if trace.provenance.get("reference"):
            st.markdown(
                f"The original is not at hand, so quality is measured against the {trace.provenance['reference']}."
            )


def meaning(shown: Subject, position: int) -> None:
    """Every group's probability at this step as a table, and what the figures on the cards mean."""
    trace = shown.bundle.trace
    step = trace.steps[position]
    if not step.mass:
        chrome.empty("This trace was made without a classifier.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"At **{step.bytes:,} bytes** the classifier's probability is spread like this:")
        st.dataframe(_mass_rows(trace, position), hide_index=True, width="stretch", height=320)
    with right:
        st.markdown(
            "The classifier gives each of 1000 classes a probability. A family has the sum of its classes, a kind the sum "
            "of its families, so that every level adds up to 100 %. The **margin** is how far the first answer leads the "
            "second."
        )
        if step.meaning:
            st.markdown(_told(trace, position))
        if trace.levels[1:2] and trace.levels[1] not in trace.parents:
            st.markdown("In this hierarchy families do not lie inside kinds, so the two rows are not aligned.")
        if step.blank:
            st.markdown(
                "Nothing arrived yet: this is what the classifier makes of a blank picture, and no answer of it counts."
            )
        elif step.wup is None:
            st.markdown(truth(trace))
        else:
            level, top = list(step.top.items())[-1]
            st.markdown(
                f"{spoken(level).capitalize()}: **{top[0][1]}**. Its WordNet similarity (**WUP**) to what the picture shows "
                f"is **{step.wup:.2f}**; 1 is the same thing, two unrelated things have about 0.3."
            )


def _told(trace: Trace, position: int) -> str:
    """Bits of meaning at this step, by level, and for their price."""
    step = trace.steps[position]
    parts = [
        f"{spoken(level)} {told:.1f} of {math.log2(trace.groups[level]):.1f}" for level, told in step.meaning.items()
    ]
    *_, whole = step.meaning.values()
    named = "**Bits of meaning** told" if trace.known else "**How sure** the answer is, in bits"
    return f"{named}: {', '.join(parts)}. That is {1000 * whole / step.bytes:.1f} bits for every kB of file so far."


def _mass_rows(trace: Trace, position: int) -> list[dict[str, object]]:
    return [
        {"level": spoken(level), "group": trace.labels[level][group], "probability": f"{masses[group]:.1%}"}
        for level, masses in trace.steps[position].mass.items()
        for group in sorted(range(len(masses)), key=lambda group: -masses[group])
        if masses[group] >= 0.0005
    ]


def stop_when_sure(shown: Subject, position: int) -> None:
    """A threshold, where every level reaches it, and the curve it is read from."""
    trace = shown.bundle.trace
    if not trace.steps[-1].top:
        chrome.empty("This trace was made without a classifier.")
        return
    from hiercodec.figures.trace import stop_curves

    st.markdown("Whoever needs only the kind need not read the whole file. Choose how sure is sure enough:")
    threshold = st.slider("Stop when this sure, in per cent", 50, 99, 90, key="explore_sure", width=420) / 100
    said = trace.provenance
    curves = confidence_of(card_of(str(said.get("classifier"))), str(said.get("hierarchy")))
    stops = {level: stop_step(trace, Until(level, threshold), curves) for level in trace.levels}
    sure = {level: confidences(trace, level, curves) for level in trace.levels}
    left, right = st.columns([2, 3], gap="large")
    with left:
        rows = [stop_row(trace, level, stops[level], sure[level]) for level in trace.levels]
        st.dataframe(rows, hide_index=True, width="stretch")
        st.markdown(warning(trace, stops))
        st.caption(about_confidence(trace.levels[0], str(said.get("classifier")), curves))
    with right:
        fig = stop_curves(trace, sure, stops, threshold, position=position, mode=chrome.mode())
        words = "; ".join(f"{row['sure of the']} {row['stops at']}" for row in rows)
        chrome.chart(fig, key="explore_stop", alt=f"How sure each answer is against bytes; stops: {words}")


def stop_row(trace: Trace, level: str, at: int | None, sure: list[float]) -> dict[str, Any]:
    """Where one level stops, in words: bytes and share, the answer there, how sure, and whether it is right."""
    index = len(trace.steps) - 1 if at is None else at
    step = trace.steps[index]
    group, label, _ = step.top[level][0]
    share = f"{step.bytes / trace.file_bytes:.0%}"
    return {
        "sure of the": spoken(level),
        "stops at": "never: reads all" if at is None else f"{format_bytes(step.bytes)} ({share})",
        "answer": label,
        "sure": percent(sure[index]),
        "right?": NOTHING_YET if step.blank else str(verdict(trace, level, group)),
    }


def warning(trace: Trace, stops: dict[str, int | None]) -> str:
    """What a threshold costs here: the levels at which it stops at a wrong answer; "" where none does."""
    wrong = [
        spoken(level) for level, at in stops.items() if at is not None and trace.known and not trace.holds(at, level)
    ]
    if not wrong:
        return ""
    return f"Sure is not right: at this threshold reading stops at a wrong {' and a wrong '.join(wrong)}."


def label_and_pixels(shown: Subject, position: int) -> None:
    """A table of the three answers here, and how sure each is of the label against bytes."""
    from hiercodec.figures.trace import label_curves

    trace = shown.bundle.trace
    size = format_bytes(max(answer.bytes for answer in trace.label.values()))
    st.markdown(
        f"This file begins with a label: **{trace.labeller}** looked at the original and wrote down what it is. That "
        f"answer, the **label**, is there after {size}. **Pixels** is what the classifier makes of the pixels so far. "
        "**Together** weighs both: two that agree are surer than one."
    )
    st.dataframe(
        [label_row(trace, position, level) for level in trace.label if label_at(trace, position, level)],
        hide_index=True,
        width="stretch",
    )
    for level in trace.label:
        said = agreement(trace, position, level)
        if said is not None and not said.agrees:
            st.markdown(f"**{spoken(level).capitalize()}**: {said.sentence}")
    if not trace.steps[-1].fused:
        chrome.empty("Nobody looks at the pixels: choose a classifier in the settings to compare.")
        return
    level = st.segmented_control(
        "How sure of the label’s", list(trace.label), default=list(trace.label)[-1], required=True, format_func=spoken,
        key="explore_label_level",
    )  # fmt: skip
    fig = label_curves(trace, level, position=position, mode=chrome.mode())
    chrome.chart(
        fig, key="explore_label_curves", alt=f"How likely “{trace.label[level].name}” is against bytes, three ways"
    )
    st.caption(
        "Together: label to the power a, times pixels to the power b, made to add up to 100 %. a and b were fitted on "
        "training photographs (`python -m tools.assets fusion`). The label costs 8 bytes, counted in every size here."
    )


def label_row(trace: Trace, position: int, level: str) -> dict[str, Any]:
    """One level's three answers in words."""
    label, step = trace.label[level], trace.steps[position]
    said = agreement(trace, position, level)
    return {
        "level": spoken(level),
        "label": f"{label.name} {percent(label.confidence)} {verdict(trace, level, label.group).sign}",
        "pixels": NOTHING_YET if step.blank else _best(trace, level, step.top.get(level, ())),
        "together": _best(trace, level, step.fused.get(level, ())),
        "": ("✓ " if said.agrees else "≠ ") + said.short if said else "",
    }


def _best(trace: Trace, level: str, ranked: Ranked) -> str:
    if not ranked:
        return "not asked"
    group, label, p = ranked[0]
    return f"{label} {percent(p)} {verdict(trace, level, group).sign}"


def size(shown: Subject, position: int) -> None:
    """Quality for bytes, beside what other formats make of the same picture."""
    from hiercodec.figures.trace import quality_curve

    trace = shown.bundle.trace
    sweeps: dict[str, list[Row]] = {}
    if trace.provenance.get("reference") is None:
        from hiercodec.evaluation.codecs.peers import available, title

        keys = [rival.name for rival in available()]
        chosen = st.pills("Compare with", keys, selection_mode="multi", key="explore_beside", format_func=title)
        sha = trace.provenance["image_sha256"]
        for name in chosen:
            sweeps[name] = cached.rival_rows(name, sha, trace.file_bytes, shown.bundle.original_pixels())
        if sweeps:
            st.markdown(_compared(trace.steps[position], {title(name): rows for name, rows in sweeps.items()}))
    step = trace.steps[position]
    others = {name: _psnr_by_bytes(rows) for name, rows in sweeps.items()}
    fig = quality_curve(trace, position, others, mode=chrome.mode())
    psnr = numbers.decibels(step.psnr, numbers.quality(trace)["same"])
    alt = f"PSNR against bytes; here {psnr} at {step.bytes} bytes"
    chrome.chart(fig, key="explore_quality", alt=alt, table=lambda: export.table(trace))
    parts = " + ".join(f"{spoken(name)} {n:,}" for name, n in trace.parts.items())
    st.caption(f"The file: {parts} = {trace.file_bytes:,} bytes, every byte of the container counted.")


def _psnr_by_bytes(rows: list[Row]) -> list[tuple[int, float]]:
    """(bytes, dB) of another format's files, rising in both: what a curve is drawn from."""
    sizes, quality = reached([row.point.bytes for row in rows], [row.psnr for row in rows])
    return list(zip(sizes.astype(int).tolist(), quality.tolist(), strict=True))


def _compared(step: Step, sweeps: dict[str, list[Row]]) -> str:
    """What each classical codec needs for this step's quality, and what it reaches in this step's bytes."""
    from hiercodec.evaluation.measure import best_within

    quality, size = [f"here **{step.bytes:,} bytes**"], [f"here **{numbers.decibels(step.psnr)}**"]
    for name, rows in sweeps.items():
        same = next((row.point.bytes for row in rows if row.psnr >= step.psnr), None)
        quality.append(f"{name} {same:,} bytes" if same else f"{name} more than {rows[-1].point.bytes:,} bytes")
        best = best_within(rows, step.bytes)
        size.append(f"{name} cannot be so small" if best is None else f"{name} {rows[best].psnr:.1f} dB")
    return f"For {numbers.decibels(step.psnr)}: {', '.join(quality)}.  \nIn {step.bytes:,} bytes: {', '.join(size)}."


def take_away(shown: Subject, position: int, rival: Rival | None) -> None:
    """Downloads of this step and of the whole trace, the commands that give the same, and the link."""
    from hiercodec.report.takeaway import page

    bundle, trace = shown.bundle, shown.bundle.trace
    n_bytes = trace.steps[position].bytes
    stem = "".join(c if c.isalnum() else "-" for c in shown.title.lower()).strip("-") or "picture"
    binary = "application/octet-stream"
    name = shown.title if shown.sample is not None else state.own_name()
    view = {"sample": shown.sample, "position": position, "rival": rival, "look": state.memory().get(state.LOOK, "")}
    rows: list[tuple[str, str, str, Callable[[], bytes | str]]] = [
        ("One HTML page", f"{stem}.html", "text/html", work.take_away(partial(page, **view), bundle, name)),
        ("Stream up to here (.hc)", f"{stem}-{n_bytes}.hc", binary, lambda: bundle.stream[:n_bytes]),
        ("This picture (PNG)", f"{stem}-{n_bytes}.png", "image/png", lambda: encode_png(bundle.pixels(position))),
        ("Whole stream (.hc)", f"{stem}.hc", binary, lambda: bundle.stream),
        ("Original at this size (PNG)", f"{stem}.png", "image/png", lambda: encode_png(bundle.original_pixels())),
        ("Animation (APNG)", f"{stem}.apng", "image/apng", work.take_away(export.animation, bundle)),
        ("Contact sheet (PNG)", f"{stem}-steps.png", "image/png", work.take_away(export.contact_sheet, bundle)),
        ("Trace (CSV)", f"{stem}.csv", "text/csv", lambda: export.trace_csv(trace)),
        ("Trace (JSON)", f"{stem}.json", "application/json", lambda: export.trace_json(trace)),
    ]  # fmt: skip
    if trace.provenance.get("reference"):
        rows = [row for row in rows if row[0] != "Original at this size (PNG)"]
    st.markdown(
        "**One HTML page** is this view as one file that needs no server and no network, the format beside it included: for "
        "a slide, a course page or a phone. Its **Print** gives one sheet of A4."
    )
    with st.container(horizontal=True):
        for label, file, mime, make in rows:
            st.download_button(
                label,
                make,
                file_name=file,
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"get {label}",
            )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Copy as command line**")
        st.code(_commands(shown, stem, n_bytes), language=None, wrap_lines=True)
    with right:
        st.markdown("**Copy link**")
        if shown.sample is None:
            st.markdown("The address of this page restores everything but a picture of your own.")
        else:
            st.code(state.link(shown.title, position), language=None, wrap_lines=True)
            st.caption("Restores the photograph, the step, the settings and the view.")


def _commands(shown: Subject, stem: str, n_bytes: int) -> str:
    """The commands that give this prefix and this picture again, from what can be downloaded above."""
    trace = shown.bundle.trace
    lines = [] if trace.provenance.get("reference") else [f"python -m hiercodec encode {stem}.png {stem}.hc"]
    if n_bytes < trace.file_bytes:
        lines.append(f"python -m hiercodec truncate {stem}.hc cut.hc --bytes {n_bytes}")
    lines.append(f"python -m hiercodec decode {'cut' if n_bytes < trace.file_bytes else stem}.hc seen.png")
    return "\n".join(lines)

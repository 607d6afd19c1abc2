"""One HTML page of one photograph to take away: the scrubber and a summary to print, without server or network.

    takeaway.html   Content-Security-Policy · style · the scrubber's HTML · a summary · data (JSON) · the scrubber's modules

The policy names the page's own style and script by their hashes and forbids everything else, so that nothing is fetched
and nothing that a name or a label says can run. No Streamlit, so that the command line makes the same page.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image

from hiercodec.errors import ImageTooLarge
from hiercodec.evaluation.photos.samples import Sample
from hiercodec.evaluation.traces.bundle import Bundle, to_webp
from hiercodec.evaluation.traces.trace import Trace, opening_step, story_step
from hiercodec.figures.palette import LEVEL_GLYPHS, PALETTES
from hiercodec.levels import spoken
from hiercodec.report import web
from hiercodec.report.answers import answers, format_bytes, truth
from hiercodec.report.links import title as hierarchy_title
from hiercodec.report.numbers import curve, decibels, quality, whole

LIMIT = 3_000_000
"""Bytes that a page may have: it should travel by mail and open on a phone."""

LOSSY = ((90, 1), (75, 1), (60, 1), (60, 2), (40, 4))
"""(WebP quality, how many times smaller a side), tried in this order where the exact pictures are too many bytes."""

Rival = tuple[Mapping[str, Any], Sequence[bytes]]
"""Another format of equal bytes at every step, as `ui.explore.rivals.asked` gives it: facts, and pictures as WebP files."""

OWN = "the maker's own; nothing is known of its licence"

WIDE, HIGH, LEFT, RIGHT, TOP, LOW = 720, 250, 30, 132, 10, 34
"""The chart and its margins, in its own units."""

COUNT = {1: "One cut", 2: "Two cuts", 3: "Three cuts"}
DASHES = ("", "7 4", "2 4", "9 3 2 3", "12 5", "4 2")


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a page as WebP files: rows by name, those that hold changes only, three to print, what was lost.

    `rival` are those of the format beside it.
    """

    rows: dict[str, list[bytes]]
    changes: tuple[str, ...]
    printed: dict[int, bytes]
    rival: list[bytes]
    loss: str = ""


def page(
    bundle: Bundle,
    title: str,
    *,
    sample: Sample | None = None,
    position: int | None = None,
    rival: Rival | None = None,
    look: str = "",
) -> str:
    """The page of a traced photograph, at most LIMIT bytes of UTF-8.

    `title` may be any text; `sample` gives the photograph's credit, `position` the step and `look` the view it opens at.
    With `rival` the other format can be seen beside it. The pictures are exact where they fit, else compressed, which the
    page then says. `ImageTooLarge` where even that does not fit.
    """
    trace = bundle.trace
    at = opening_step(trace) if position is None else position
    # The app's addresses, to which answers lead there, lead nowhere from here.
    plain = dataclasses.replace(
        bundle, trace=dataclasses.replace(trace, provenance=trace.provenance | {"hierarchy": None})
    )
    data = web.data(plain, "takeaway", position=at, alt=title) | {"alone": True, "look": look}
    if rival is not None:
        data |= {"sources": [[rival[0]["codec"], f"{rival[0]['label']}, same bytes"]], "rival": _unlinked(rival[0])}
    for pictures in _pictures(bundle, rival[1] if rival else ()):
        about = provenance(trace, sample) | ({"Pictures": pictures.loss} if pictures.loss else {})
        html = _html(trace, title, about, data, pictures)
        if len(html.encode()) <= LIMIT:
            return html
    raise ImageTooLarge(
        f"a page to take away has at most {LIMIT:,} bytes; {trace.width}×{trace.height} pixels in {len(trace.steps)} steps "
        "do not fit: shrink the photograph or take fewer steps"
    )


def provenance(trace: Trace, sample: Sample | None = None) -> dict[str, str]:
    """What the page says of its making: codec, classifier, hierarchy, file and photograph, in words."""
    known = trace.provenance
    rows = {"Codec": f"hiercodec {known.get('model')}, weights {known.get('fingerprint')}"}
    if known.get("classifier"):
        trained: dict[Any, str] = {
            True: "it was part of the codec's training",
            False: "it had no part in the codec's training",
        }
        part = trained.get(known.get("in_loss"), "whether it had a part in the codec's training is not known")
        rows["Classifier"] = f"{known['classifier']}, weights {known.get('classifier_weights')}; {part}"
        rows["Hierarchy"] = f"{hierarchy_title(str(known.get('hierarchy')))} ({known.get('hierarchy_digest')})"
    rows["File"] = f"{trace.file_bytes:,} bytes for {trace.width}×{trace.height} pixels, every byte counted"
    if known.get("reference"):
        rows["Quality"] = f"measured against the {known['reference']}, because the original is not at hand"
    credit = f"{sample.author}, {sample.licence}, {sample.source}, from the package {sample.package}" if sample else OWN
    return rows | {"Photograph": credit}


def _unlinked(rival: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a rival without the app's addresses in its answers."""
    points = [
        point and {**point, "answers": {level: {**said, "link": None} for level, said in point["answers"].items()}}
        for point in rival["points"]
    ]
    return {**rival, "id": "rival", "points": points}


def _pictures(bundle: Bundle, rival: Sequence[bytes]) -> Iterator[Pictures]:
    """The pictures exactly, then of fewer and fewer bytes."""
    frames, bits, shown = bundle.frames(), {"bits": [bundle.bits]}, moments(bundle.trace)
    exact = {"original": [bundle.original], "frames": list(bundle.changes)}
    yield Pictures(exact | bits, ("frames",), {index: to_webp(frames[index], 4) for index in shown}, list(rival))
    beside = [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in rival]
    for percent, times in LOSSY:
        rows = {"original": [bundle.original_pixels()], "frames": frames}
        packed = {name: [_webp(picture, percent, times) for picture in row] for name, row in rows.items()}
        other = [_webp(picture, percent, times) for picture in beside]
        how = f"stored as WebP of quality {percent}" + (f", {times} times smaller a side" if times > 1 else "")
        loss = f"{how}, so that the page stays small; all numbers are of the exact ones"
        yield Pictures(packed | bits, (), {index: packed["frames"][index] for index in shown}, other, loss)


def _webp(rgb: np.ndarray, quality: int, times: int) -> bytes:
    image, out = Image.fromarray(rgb), io.BytesIO()
    (image if times == 1 else image.reduce(times)).save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def _html(trace: Trace, title: str, about: dict[str, str], data: dict[str, Any], pictures: Pictures) -> str:
    sets = [(data["id"], pictures.rows, pictures.changes), ("rival", {"frames": pictures.rival}, ())]
    sent = [
        {
            "id": name,
            "pictures": {row: [base64.b64encode(file).decode("ascii") for file in of] for row, of in rows.items()},
            "changes": list(changes),
        }
        for name, rows, changes in sets
    ]
    script, style = web.joined("takeaway.mjs"), "\n".join([_theme(), web.style(), web.read("takeaway.css")])
    nothing_else = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
    return _template().render(
        title=title,
        about=about,
        sheet=sheet(trace, pictures.printed),
        policy=Markup(f"{nothing_else}; script-src {_hash(script)}; style-src {_hash(style)}"),
        style=style,
        scrubber=web.read("scrubber.html"),
        data=_json({**data, "pictures": sent}),
        script=script,
    )


@functools.cache
def _template() -> Template:
    """The page, in which every word is text unless it says otherwise."""
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(web.read("takeaway.html"))


def _json(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _hash(text: str) -> str:
    """How a Content-Security-Policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _theme() -> str:
    """The variables that Streamlit gives its components, from the palette."""
    fields = {
        "text-color": "text", "background-color": "background", "secondary-background-color": "surface",
        "border-color": "border", "link-color": "primary", "primary-color": "primary",
    }  # fmt: skip
    light, dark = PALETTES["light"], PALETTES["dark"]
    lines = [f"  --st-{name}: light-dark({getattr(light, of)}, {getattr(dark, of)});" for name, of in fields.items()]
    inks = [f".level-{i} {{ --ink: {light.level(i)}; }}" for i in range(6)]  # on paper, as of the scrubber's levels
    return "\n".join([":root {", *lines, "}", *inks])


# ---- the summary, which prints as one sheet of A4 and is shown where scripts are off -----------------------------------
def moments(trace: Trace) -> list[int]:
    """The three steps that a summary shows, rising: the story (see `story_step`), the end of the first block, the last.

    Where there is no story, or two of these are one: the first from which all answers are right, then what lies farthest
    from those chosen. Fewer than three where the trace has fewer.
    """
    steps = range(len(trace.steps))
    end = next(iter(trace.cuts.values()), 0)
    complete = next((index for index in steps if trace.steps[index].bytes >= end), steps[-1])
    settled = [trace.settled(level) for level in trace.levels]
    right = max((index for index in settled if index is not None), default=None)
    chosen = [steps[-1]]
    for index in (story_step(trace), complete, right):
        if index is not None and index not in chosen and len(chosen) < 3:
            chosen.append(index)
    while len(chosen) < min(3, len(steps)):
        chosen.append(max(steps, key=lambda index: min(abs(index - other) for other in chosen)))
    return sorted(chosen)


def sheet(trace: Trace, pictures: Mapping[int, bytes]) -> dict[str, Any]:
    """What takeaway.html draws: the prefixes with what they are taken for, and the curve of meaning, where there is one.

    `pictures` are WebP files by step, those of `moments`.
    """
    drawn = curve(trace)
    return {
        "count": COUNT[len(pictures)],
        "whole": whole(trace),
        "many": len(trace.levels) > 3,  # many answers have a line each
        "figures": [_figure(trace, index, picture) for index, picture in pictures.items()],
        "truth": truth(trace),
        "chart": _chart(trace, drawn, list(pictures)) if drawn else None,
    }


def _figure(trace: Trace, index: int, picture: bytes) -> dict[str, Any]:
    """One prefix: picture, size, and an answer a level."""
    step = trace.steps[index]
    numbers = {level: number % 6 for number, level in enumerate(trace.levels)}
    return {
        "source": base64.b64encode(picture).decode("ascii"),
        "width": trace.width,
        "height": trace.height,
        "bytes": step.bytes,
        "size": format_bytes(step.bytes),
        "quality": f"{step.bpp:.3f} bit/pixel · {decibels(step.psnr, quality(trace)['same'])}",
        "rows": [
            {"number": numbers[level], "glyph": LEVEL_GLYPHS[numbers[level]], "name": spoken(level), **row}
            for level, row in answers(trace, step.top, blank=step.blank).items()
        ],
    }


def _chart(trace: Trace, drawn: Mapping[str, Any], shown: Sequence[int]) -> dict[str, Any]:
    """Bits of meaning (upwards) against bytes (rightwards): a line a level, named at its end; the shown cuts as posts."""
    most = max(1.0, drawn["most"])

    def x(share: float) -> float:
        return round(LEFT + share * (WIDE - LEFT - RIGHT), 1)

    def y(bits: float) -> float:
        return round(TOP + (1 - bits / most) * (HIGH - TOP - LOW), 1)

    ticks = [
        {"bits": bits, "x": LEFT - 6, "y": y(bits) + 4, "path": f"M{x(0)} {y(bits)}H{x(1)}"}
        for bits in range(0, int(most) + 1, 2)
    ]
    posts = []
    for step in (trace.steps[index] for index in shown):
        at = x(step.bytes / trace.file_bytes)
        path = f"M{at} {y(most)}V{y(0) + 5}"
        posts.append({"x": at, "y": HIGH - 14, "words": format_bytes(step.bytes), "path": path})
    lines, floor = [], float(HIGH)
    for number, line in reversed(list(enumerate(drawn["lines"]))):
        points = "L".join(f"{x(share)} {y(bits)}" for share, bits in line["points"])
        last = line["points"][-1][1]
        floor = y(last) + 4 if floor == HIGH else max(floor + 15, y(last) + 4)  # names never lie on one another
        words = f"{LEVEL_GLYPHS[number % 6]} {spoken(line['level'])} {last:.1f} of {line['most']:.1f}"
        row = {"number": number % 6, "dashes": DASHES[number % 6], "path": f"M{points}"}
        lines.append(row | {"words": words, "x": x(1) + 7, "y": floor})
    heading = {"meaning": "Bits of meaning", "how sure": "How sure the answer is, in bits,"}[drawn["called"]]
    return {
        "alt": f"{heading} against bytes received",
        "wide": WIDE,
        "high": HIGH,
        "axis": f"M{x(0)} {y(most)}V{y(0)}H{x(1)}",
        "ticks": ticks,
        "posts": posts,
        "lines": lines,
    }

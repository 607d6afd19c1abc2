"""What a visitor can take away from a trace: pictures, animation, contact sheet, table. No Streamlit."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from hiercodec.evaluation.traces.bundle import Bundle
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.levels import spoken
from hiercodec.report.numbers import decibels, quality

FRAME_MS = 320
HOLD_MS = 1600
COLUMNS = 4


def animation(bundle: Bundle) -> bytes:
    """All frames, the decoder's pixels, as a looping APNG."""
    frames = [Image.fromarray(frame) for frame in bundle.frames()]
    durations = [FRAME_MS] * (len(frames) - 1) + [HOLD_MS]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return out.getvalue()


def contact_sheet(bundle: Bundle) -> bytes:
    """Every step in reading order as one PNG, each with its bytes, PSNR and answers under it; pixels unscaled."""
    trace = bundle.trace
    font = ImageFont.load_default(size=15)
    names, same = [name for name in trace.levels if trace.steps[0].top.get(name)], quality(trace)["same"]
    gap, line = 12, 20
    cell_height = trace.height + line * (1 + len(names)) + gap
    cell_width = max(trace.width, 220) + gap
    columns, rows = COLUMNS, math.ceil(len(trace.steps) / COLUMNS)
    sheet = Image.new("RGB", (columns * cell_width + gap, rows * cell_height + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (step, frame) in enumerate(zip(trace.steps, bundle.frames(), strict=True)):
        left, top = gap + (index % columns) * cell_width, gap + (index // columns) * cell_height
        sheet.paste(Image.fromarray(frame), (left, top))
        lines = [f"{step.bytes:,} bytes · {step.bpp:.3f} bpp · {decibels(step.psnr, same)}"]
        lines += [f"{spoken(name)}: {step.top[name][0][1]} {step.top[name][0][2]:.0%}" for name in names]
        for number, text in enumerate(lines):
            draw.text((left, top + trace.height + 2 + number * line), _fit(text, font, cell_width - gap), "black", font)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _fit(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text, shortened until it fits `width` pixels."""
    while len(text) > 4 and font.getlength(text) > width:
        text = text[:-2].rstrip("… ") + "…"
    return text


def table(trace: Trace, name_of: Callable[[str], str] = spoken) -> list[dict[str, object]]:
    """One row a step, flat: what the page shows and, with the levels' own names, the CSV holds."""
    rows = []
    for step in trace.steps:
        row: dict[str, object] = {
            "bytes": step.bytes,
            "bpp": round(step.bpp, 4),
            "psnr": round(step.psnr, 2),
            "level": name_of(step.level or ""),
            "fraction": round(step.fraction, 3),
        }
        for name, top in step.top.items():
            called = name_of(name)
            row[called] = top[0][1]
            row[f"{called} probability"] = round(top[0][2], 4)
            row[f"{called} margin"] = round(step.margin(name) or 0.0, 4)
            row[f"{called} bits of meaning"] = step.meaning.get(name)
        row |= {"WUP to the truth": step.wup, "consistent": step.consistent}
        rows.append(row)
    return rows


def trace_csv(trace: Trace) -> str:
    """The trace as CSV with a header line."""
    return pd.DataFrame(table(trace, name_of=str), dtype=object).to_csv(index=False, lineterminator="\n")


def trace_json(trace: Trace) -> str:
    """The trace as the JSON that `python -m hiercodec trace --json` prints."""
    return json.dumps(trace.to_json(), ensure_ascii=False, indent=1)

"""Learning curves: the log of a training run → plotly figure (`hiercodec curves LOG OUT.html` writes it as a page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hiercodec import values
from hiercodec.errors import ConfigError
from hiercodec.figures.palette import LEVEL_DASHES, LEVEL_SYMBOLS, palette, with_alpha
from hiercodec.figures.trace import FONT_SIZE, template
from hiercodec.levels import spoken

WINDOW = 10
"""Log lines that a drawn line is averaged over."""

ENOUGH = 16
"""Held-out photographs that a mark stands for, at least: a validation over fewer only shows that the run works."""

PANELS = (("bpp", "rate (bit/pixel)", None), ("psnr", "PSNR (dB)", None), ("acc", "answer kept", ".0%"))


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The records of a run's JSON-lines log; `ConfigError` if it cannot be read or is no such log."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        records = [values.loads(line) for line in lines if line.strip()]
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not a training log: {error}") from error
    if not records or not all(isinstance(record, dict) and "crops" in record for record in records):
        raise ConfigError(f"{path} is not a training log: every line must be an object that counts crops")
    return records


def in_sequence(records: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Records of runs that followed one another, each with `at`: crops counted through; (first, name) of runs.

    A new run begins where its name changes or where the count starts again.
    """
    out: list[dict[str, Any]] = []
    starts: list[tuple[int, str]] = []
    offset, last, name = 0, -1, None
    for record in records:
        run, count = record.get("run", ""), int(record["crops"])
        if name is None or run != name or count < last:
            offset += max(last, 0)
            starts.append((offset, run))
            name = run
        last = count
        out.append({**record, "at": offset + count})
    return out, starts


def learning_curves(
    records: Sequence[Mapping[str, Any]], levels: Sequence[str] = (), *, mode: str = "light"
) -> go.Figure:
    """Curves of a codec's log over the crops it was trained on.

    Thin lines are training batches, averaged over 10 log lines; marks are photographs held out from training: rates
    of real files.
    """
    p = palette(mode)
    found, starts = in_sequence(records)
    fig = make_subplots(1, len(PANELS), subplot_titles=[title for _, title, _ in PANELS], horizontal_spacing=0.07)
    for column, (key, _, form) in enumerate(PANELS, start=1):
        for index, level in enumerate(levels):
            row = {"name": spoken(level), "colour": p.level(index), "index": index}
            _draw(fig, column, _smooth(_points(found, f"{key}_{level}")), held=False, **row)
            _draw(fig, column, _held(found, level, key), held=True, **row)
        fig.update_yaxes(tickformat=form, row=1, col=column)
        fig.update_xaxes(title_text="crops", tickformat=",", row=1, col=column)
        for start, _ in starts[1:]:
            line = {"color": p.border, "width": 1.5, "dash": "dot"}
            fig.add_vline(x=start, line=line, row=1, col=column)  # pyright: ignore[reportArgumentType] (wrong stubs)
    fig.update_layout(template=template(mode), height=360)
    fig.update_layout(margin={"t": 48, "b": 96}, legend={"y": -0.3})
    fig.update_annotations(font_size=FONT_SIZE)
    return fig


def _points(records: Sequence[Mapping[str, Any]], key: str) -> list[tuple[int, float]]:
    return [(r["at"], float(r[key])) for r in records if isinstance(r.get(key), (int, float))]


def _held(records: Sequence[Mapping[str, Any]], level: str, key: str) -> list[tuple[int, float]]:
    """A codec's validation figures; what training calls `acc`, validation calls `agreement`."""
    key = {"acc": "agreement"}.get(key, key)
    told = [(r["at"], r["validation"]) for r in records if "validation" in r]
    rows = [(at, v["levels"].get(level, {}).get(key)) for at, v in told if v.get("photos", ENOUGH) >= ENOUGH]
    return [(at, float(value)) for at, value in rows if value is not None]


def _smooth(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Means over `WINDOW` consecutive points, at the last one's place; what is left over at the end is not drawn."""
    chunks = (points[i : i + WINDOW] for i in range(0, len(points) - WINDOW + 1, WINDOW))
    return [(chunk[-1][0], sum(value for _, value in chunk) / len(chunk)) for chunk in chunks]


def _draw(fig: go.Figure, column: int, points: list, *, name: str, colour: str, index: int, held: bool) -> None:
    if not points:
        return
    places, values = zip(*points, strict=True)
    fig.add_scatter(
        x=places,
        y=values,
        name=f"{name}, held out" if held else name,
        legendgroup=f"{name}-{held}",
        showlegend=column == 1,
        mode="lines+markers" if held else "lines",
        line={
            "color": colour if held else with_alpha(colour, 0.55),
            "width": 2.5 if held else 1.5,
            "dash": LEVEL_DASHES[index % len(LEVEL_DASHES)] if held else "solid",
        },
        marker={"symbol": LEVEL_SYMBOLS[index % len(LEVEL_SYMBOLS)], "size": 9},
        hovertemplate="after %{x:,}<br>%{y:.4g}<extra>" + name + "</extra>",
        row=1,
        col=column,
    )


def levels_of(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The levels that a codec's log has figures of, in the order of its validations."""
    return next((tuple(r["validation"]["levels"]) for r in records if "validation" in r), ())

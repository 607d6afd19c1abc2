"""Curves that other people published, drawn beside ours where the photographs are the same: on Kodak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from hiercodec.evaluation.codecs.peers import title
from hiercodec.evaluation.results import published
from hiercodec.evaluation.results.curves import Curve
from hiercodec.report.measured import plain
from hiercodec.ui.results import data
from hiercodec.ui.results.choice import Choice


def curves(choice: Choice, measure: str) -> list[dict[str, Any]]:
    """{"name", "source", "bpp", "y"} of each published curve of a measure: on Kodak those of codecs not measured here."""
    papers = [
        {"name": paper.name, "source": paper.source, "bpp": paper.bpp, "y": paper.psnr} for paper in _papers(choice)
    ]
    opened = [row for row in st.session_state.get(data.OPENED, []) if row.get(measure)]
    rows = [{"name": r["name"], "source": r.get("source", ""), "bpp": r["bpp"], "y": r[measure]} for r in opened]
    return [*(papers if measure == "psnr" else []), *rows]


def standing(choice: Choice, lines: Sequence[Curve]) -> str:
    """How many more bytes our curve of PSNR needs than each published one, in a sentence; empty where there is none."""
    ours = next((line for line in lines if line.codec == choice.ours), None)
    found = {paper.name: published.more_bytes(ours, paper) for paper in _papers(choice)} if ours else {}
    said = [
        f"{plain(name)} **{more:+.0f} %**".replace("**-", "**−") for name, more in found.items() if more is not None
    ]
    apart = [plain(name) for name, more in found.items() if more is None]
    if not said:
        return ""
    words = f"At equal PSNR {title(choice.ours)} needs so many bytes more (+) or fewer (−): {', '.join(said)}."
    return words + (f" No quality is common with {', '.join(apart)}." if apart else "")


def sources(rows: Sequence[dict[str, Any]]) -> str:
    """Where the dashed curves come from; empty without any."""
    said = "; ".join(f"{plain(row['name'])}: {plain(row['source'] or 'your file')}" for row in rows)
    return f"Dashed: as published, not measured here. {said}." if rows else ""


def _papers(choice: Choice) -> list[published.Published]:
    about = choice.meta.get("data") or {}
    if "kodak" not in str(about.get("name", "")).lower() or not published.FILE.is_file():
        return []
    return [paper for paper in published.on_kodak().values() if not paper.format]

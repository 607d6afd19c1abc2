"""Curves that other people published, drawn beside ours where the photographs are the same: on Kodak."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from hiercodec.fsio import locate
from hiercodec.ui.evaluate.choice import Choice
from hiercodec.ui.evaluate.words import plain

FILE = locate("results", "published-kodak.json")
OPENED = "evaluate_papers"
"""Where the session keeps curves that the visitor opened from files."""


def curves(choice: Choice, measure: str) -> list[dict[str, Any]]:
    """{"name", "source", "bpp", "y"} of each published curve of a measure; on Kodak those of other progressive codecs."""
    rows = [row for row in st.session_state.get(OPENED, []) if row.get(measure)]
    about = choice.meta.get("data") or {}
    if "kodak" in str(about.get("name", "")).lower() and FILE.is_file():
        papers = json.loads(FILE.read_text(encoding="utf-8"))["curves"]
        rows = [*(paper for paper in papers if paper["progressive"]), *rows]
    return [
        {"name": row["name"], "source": row.get("source", ""), "bpp": row["bpp"], "y": row[measure]}
        for row in rows
        if row.get(measure)
    ]


def sources(rows: Sequence[dict[str, Any]]) -> str:
    """Where the dashed curves come from; empty without any."""
    said = "; ".join(f"{plain(row['name'])}: {plain(row['source'] or 'your file')}" for row in rows)
    return f"Dashed: as published, not measured here. {said}." if rows else ""

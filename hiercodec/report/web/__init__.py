"""What browsers run and draw: the scrubber's files and data, for both its homes, the app and the page to take away."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.evaluation.traces.bundle import Bundle
from hiercodec.figures.palette import PALETTES, SEQUENTIAL, ramp
from hiercodec.levels import MAX_LEVELS
from hiercodec.report.glossary import GLOSSARY
from hiercodec.report.numbers import numbers

WEB = Path(__file__).resolve().parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def read(name: str) -> str:
    """One of the files here."""
    return (WEB / name).read_text(encoding="utf-8")


def joined(name: str) -> str:
    """The module `name` after all it imports, each once; only its own default export is left.

    A Streamlit component written in Python takes its script as text. Good for modules that import from their own folder by
    name (`import { a, b } from "./c.mjs";` on one line) and whose top-level names differ; tests/js holds them to that.
    """
    parts: dict[Path, str] = {}

    def take(path: Path) -> None:
        if path in parts:
            return
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            take(path.parent / name)
        parts[path] = _EXPORT.sub("", _IMPORT.sub("", text))

    take(WEB / name)
    return "\n".join(parts.values())


def style() -> str:
    """The scrubber's CSS, its colours first: those of the palette, which follow the page's colour scheme."""
    light, dark = PALETTES["light"], PALETTES["dark"]
    pairs = {name: (getattr(light, name), getattr(dark, name)) for name in ("container", "right", "wrong", "muted")}
    pairs["on_primary"] = (light.on_primary, dark.on_primary)
    pairs |= {f"level-{i}": (light.level(i), dark.level(i)) for i in range(MAX_LEVELS)}
    pairs |= {f"group-{i}": pair for i, pair in enumerate(zip(light.categorical, dark.categorical, strict=True))}
    lines = [f"  --{name}: light-dark({a}, {b});" for name, (a, b) in pairs.items()]
    colours = [".hx {", *lines, f"  --ramp: linear-gradient(90deg, {', '.join(SEQUENTIAL)});", "}"]
    return "\n".join([*colours, read("scrubber.css")])


def data(bundle: Bundle, identity: str, *, position: int, alt: str) -> dict[str, Any]:
    """What the scrubber draws of one trace, JSON-ready; see scrubber.mjs for what a home may add."""
    return {
        "id": identity,
        "alt": alt,
        "trace": numbers(bundle.trace),
        "k": position,
        "seek": 0,
        "look": "",
        "look_at": "",
        "finer": None,
        "lut": ramp(SEQUENTIAL),
        "most": _most_bits(bundle),
        "sources": [],
        "rival": None,
        "help": GLOSSARY,
    }


def _most_bits(bundle: Bundle) -> int:
    """Where the scale of the bit map ends: what all but one in a hundred positions of the whole file stay under."""
    return max(1, round(float(np.percentile(bundle.bit_maps()[-1], 99))))

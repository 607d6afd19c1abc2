"""ES modules as one text, because a Streamlit component written in Python takes its script as text.

Good for modules that import from their own folder by name (`import { a, b } from "./c.mjs";` on one line) and whose
top-level names differ; tests/js holds them to that.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def joined(entry: Path) -> str:
    """The module `entry` after all it imports, each once; only its own default export is left."""
    parts: dict[Path, str] = {}

    def take(path: Path) -> None:
        if path in parts:
            return
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            take(path.parent / name)
        parts[path] = _EXPORT.sub("", _IMPORT.sub("", text))

    take(entry)
    return "\n".join(parts.values())

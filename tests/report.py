"""The report on robustness: what the hostile tests found, drawn from figures that they recorded themselves.

`python -m tests.report` draws docs/robustness.md from docs/robustness.json; each command named there records its part
with `--record`.
"""

from __future__ import annotations

import datetime
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "robustness.json"


def record(part: str, figures: dict[str, Any]) -> None:
    """Enter the figures of one part, with the command that found them and the commit it ran on."""
    known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    known[part] = {"command": _command(), "date": datetime.date.today().isoformat(), "commit": commit.stdout.strip(),
                   **figures}  # fmt: skip
    FIGURES.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _command() -> str:
    """How this process was started, as anyone would type it."""
    module = Path(sys.argv[0]).resolve().relative_to(ROOT).with_suffix("")
    name = ".".join(module.parts).removesuffix(".__main__")
    return f"python -m {name} {shlex.join(sys.argv[1:])}".strip()

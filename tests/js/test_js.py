"""The scrubber's JavaScript: its logic under `node --test`, its size, and no way for a label to become markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "hiercodec" / "ui" / "web"
SCRIPTS = [*sorted(WEB.glob("*.js")), *sorted(WEB.glob("*.mjs"))]


def node() -> str:
    """A node of version 20 or later, else skip."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60).stdout
    if int(re.sub(r"\D.*", "", version.lstrip("v").strip()) or 0) < 20:
        pytest.skip(f"node {version.strip()} is older than 20")
    return found


def test_logic_under_node():
    done = subprocess.run(
        [node(), "--test", *map(str, sorted(Path(__file__).parent.glob("*.test.mjs")))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_scripts_are_small_and_never_write_markup():
    text = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS}
    assert set(text) == {"frames.js", "listen.mjs", "scrubber.js", "scrubber_logic.mjs"}
    assert sum(len(script.splitlines()) for script in text.values()) < 640
    for name, script in text.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script), name

"""The scrubber's JavaScript: modules under `node --test`, joined into one; no way for a label to become markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hiercodec.report.web import joined

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "hiercodec" / "report" / "web"
MODULES = sorted(WEB.glob("*.mjs"))
COMPONENTS = ("app_scrubber.mjs", "app_frames.mjs", "app_hall.mjs", "listen.mjs")
ENTRIES = (*COMPONENTS, "takeaway.mjs")


def node() -> str:
    """A node of version 20 or later, else skip."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60).stdout
    if int(re.sub(r"\D.*", "", version.lstrip("v").strip()) or 0) < 20:
        pytest.skip(f"node {version.strip()} is older than 20")
    return found


def run(*arguments: str) -> None:
    done = subprocess.run([node(), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_modules_under_node():
    run("--test", *map(str, sorted(Path(__file__).parent.glob("*.test.mjs"))))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_module_is_a_module_by_itself(path):
    run("--check", str(path))


@pytest.mark.parametrize("entry", ENTRIES)
def test_joined_modules_are_one_module_and_a_component_has_one_export(entry, tmp_path):
    text = joined(entry)
    assert not re.search(r"^\s*import\b", text, re.MULTILINE)
    assert re.findall(r"^export.*", text, re.MULTILINE) == [
        line for line in text.splitlines() if line.startswith("export default")
    ]
    assert text.count("export default") == (entry in COMPONENTS)
    (tmp_path / "joined.mjs").write_text(text, encoding="utf-8")
    run("--check", str(tmp_path / "joined.mjs"))  # two top-level names that are the same fail here


def test_every_module_is_reached_and_joined_once():
    text = {entry: joined(entry) for entry in ENTRIES}
    for path in MODULES:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert {whole.count(first) for whole in text.values()} == {0, 1}, path.name


def test_modules_are_small_and_never_write_markup():
    for path in MODULES:
        script = path.read_text(encoding="utf-8")
        assert len(script.splitlines()) < 200, path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script), path.name

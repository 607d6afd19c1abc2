"""The report says what was recorded, and nothing that no command finds."""

from __future__ import annotations

import copy
import importlib.util
import json

import pytest

from tools import report

FIGURES = json.loads(report.FIGURES.read_text(encoding="utf-8"))


def test_the_report_is_the_one_that_its_figures_draw():
    assert report.REPORT.read_text(encoding="utf-8") == report.drawn(FIGURES), "run python -m tools.report"


def test_it_tells_of_what_went_wrong():
    worse = copy.deepcopy(FIGURES)
    worse["mutants"]["broken"] = 7
    assert "**7 against the law**" in report.drawn(worse)
    assert report.drawn({}).count("Not measured yet.") == len(report.SECTIONS)


@pytest.mark.parametrize("command", report.COMMANDS)
def test_every_command_is_there(command):
    assert importlib.util.find_spec(command.split()[0]) is not None


def test_what_was_recorded_names_no_place_of_a_machine():
    for part in FIGURES.values():
        assert part["command"].startswith("python -m tools.")
        assert "/work" not in part["command"]
        assert "/home" not in part["command"]
        assert "/tmp" not in part["command"]


def test_a_command_is_told_as_anyone_would_type_it(monkeypatch):
    started = ["--photos", "/somewhere/shared/lab/images/x.tar", "--folder", "/elsewhere", "--record"]
    monkeypatch.setattr("sys.argv", [str(report.ROOT / "tools/symbols.py"), *started])
    assert report._command() == "python -m tools.symbols --photos ../shared/lab/images/x.tar --record"
    monkeypatch.setattr("sys.argv", [str(report.ROOT / "tools/fuzz/__main__.py"), "--mutants", "9"])
    assert report._command() == "python -m tools.fuzz --mutants 9"

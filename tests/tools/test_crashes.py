"""The killing itself: it passes a command that writes whole files and goes on, and catches one that does not."""

from __future__ import annotations

import sys

import pytest

from tools import crashes
from tools.crashes import Job, digest, readable_checkpoint, trial

SPIN = """
import time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
WHOLE = """
import os
open(".out.tmp", "w").write("all of it")
spin(0.2)
os.replace(".out.tmp", "out")
"""
HALF = """
file = open("out", "w")
file.write("all "); file.flush()
spin(0.2)
file.write("of it")
"""
COUNTING = """
import os, sys
done = int(open("done").read()) if "--resume" in sys.argv and os.path.exists("done") else 0
for i in range(done, 6):
    spin(0.03)
    open(".done.tmp", "w").write(str(i + 1)); os.replace(".done.tmp", "done")
open(".out.tmp", "w").write("counted" if {honest} or not done else "counted twice"); os.replace(".out.tmp", "out")
"""


class Halfway:
    """Moments that are all in the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@pytest.fixture
def found(monkeypatch, tmp_path):
    def run(script: str, resumes: bool = False, kills: int = 2) -> crashes.Found:
        monkeypatch.setattr(crashes, "_command", lambda arguments: [sys.executable, "-c", SPIN + script, *arguments])
        return trial(Job(["x"], "out", digest, resumes=resumes), kills, Halfway(), tmp_path / "runs")  # pyright: ignore

    return run


def test_a_command_that_writes_whole_files_passes(found):
    result = found(WHOLE)
    assert (result.kills, result.wrong, result.there) == (2, [], 0)
    assert result.left == 2, "what it leaves is counted"


def test_half_a_file_is_seen(found):
    assert found(HALF).wrong == ["an output that is not that of a whole run"] * 2


def test_a_command_that_goes_on_ends_with_equal_results(found):
    result = found(COUNTING.format(honest=True), resumes=True, kills=3)
    assert result.wrong == []
    assert result.resumed >= 1


def test_other_results_after_going_on_are_seen(found):
    assert found(COUNTING.format(honest=False), resumes=True, kills=3).wrong


def test_half_a_checkpoint_is_seen(tmp_path):
    readable_checkpoint(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"st')
    readable_checkpoint(tmp_path)
    (tmp_path / "last.safetensors").write_bytes(b"\x10\0\0")
    with pytest.raises(Exception, match="header"):
        readable_checkpoint(tmp_path)

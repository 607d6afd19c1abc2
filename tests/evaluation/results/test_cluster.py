"""Runs on a local Ray of two workers: the rows of a run without Ray, also where a worker is killed half-way."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from hiercodec.cli import main as cli
from hiercodec.errors import DamagedImage
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.cluster import Measure, _ours, environment
from tests.evaluation.photographs import photographs

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = 60
MARK = "HIERCODEC_TEST_RUN"


def workers(mark: str) -> list[int]:
    """The processes of Ray actors that a run marked in its environment has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"{MARK}={mark}".encode() in (process / "environ").read_bytes()
            if ours and b"ray::Map" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds worker processes in /proc")
def test_a_worker_killed_half_way_changes_nothing(tmp_path):
    if not importlib.util.find_spec("ray"):
        pytest.skip("Ray is not installed")
    photographs(tmp_path, PHOTOS, 96, 128)
    options = ["--model", "none", "--codec", "jpeg", "--codec", "webp", "--classifier", "none"]
    alone, ray = tmp_path / "alone.parquet", tmp_path / "ray.parquet"
    assert cli.main(["evaluate", str(tmp_path), *options, "--out", str(alone), "--workers", "1"]) == 0
    argv = [sys.executable, "-m", "hiercodec", "evaluate", str(tmp_path), *options, "--out", str(ray), "--ray"]
    process = subprocess.Popen(
        argv, cwd=ROOT, env={**os.environ, MARK: tmp_path.name, "RAY_OVERRIDE_RESOURCES": '{"CPU": 2}'},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    killed: list[int] = []
    while process.poll() is None and not killed:
        if list(tmp_path.glob("ray.parquet.parts/*.parquet")) and (found := workers(tmp_path.name)):
            os.kill(found[0], signal.SIGKILL)
            killed = found[:1]
        time.sleep(0.005)
    _, error = process.communicate()
    assert process.returncode == 0, error
    assert killed, "the run was over before a worker could be killed"
    frames = [rows.read(path).frame.drop(columns="seconds") for path in (alone, ray)]
    assert len(frames[1]) == PHOTOS * 10
    pd.testing.assert_frame_equal(*frames)


def test_an_actor_has_our_variables_before_it_loads_anything(monkeypatch):
    """Its process may have been started by another program, on another machine."""
    monkeypatch.setattr(
        os, "environ", {"HIERCODEC_MODELS": "mine=a.safetensors", "HIERCODEC_DEVICE": "auto", "HOME": "/"}
    )
    sent = environment("cuda")
    assert sent == {"HIERCODEC_MODELS": "mine=a.safetensors", "HIERCODEC_DEVICE": "cuda"}
    seen: dict[str, str] = {}

    class Watching:
        def bench(self):
            seen.update(os.environ)

    monkeypatch.setattr(os, "environ", {"HOME": "/root"})
    Measure(Watching(), [], sent)
    assert seen == {**sent, "HOME": "/root"}


def test_an_error_of_a_worker_is_one_of_ours():
    ours = DamagedImage("a.png: damaged")
    wrapped = RuntimeError("a wall\nof text")
    wrapped.__cause__ = ValueError("between")
    wrapped.__cause__.cause = ours
    assert _ours(wrapped) is ours
    assert str(_ours(RuntimeError("a wall\nof text"))) == "Ray could not measure: of text"

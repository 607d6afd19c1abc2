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
from hiercodec.evaluation.results.cluster import _ours
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


@pytest.mark.slow
def test_our_variables_reach_actors_of_a_cluster_that_was_there_before(tmp_path):
    """Its processes have the variables of whoever started it."""
    pytest.importorskip("ray")
    photographs(tmp_path, 1, 64, 64)
    out = tmp_path / "rows.parquet"
    script = (
        "import os, sys\n"
        "from ray.cluster_utils import Cluster\n"
        "cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 1, 'include_dashboard': False})\n"
        f"os.environ['HIERCODEC_MODELS'] = 'mine={ROOT / 'assets' / 'models' / 'lite.safetensors'}'\n"
        "from hiercodec.cli.main import main\n"
        "code = main([*sys.argv[1:], '--ray', cluster.address])\n"
        "cluster.shutdown()\n"
        "sys.exit(code)\n"
    )
    argv = ["evaluate", str(tmp_path), "--model", "mine", "--classifier", "none", "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", script, *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert rows.read(out).codecs == ["mine"]


def test_an_error_of_a_worker_is_one_of_ours():
    ours = DamagedImage("a.png: damaged")
    wrapped = RuntimeError("a wall\nof text")
    wrapped.__cause__ = ValueError("between")
    wrapped.__cause__.cause = ours
    assert _ours(wrapped) is ours
    assert str(_ours(RuntimeError("a wall\nof text"))) == "Ray could not measure: of text"

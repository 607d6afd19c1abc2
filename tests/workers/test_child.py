"""Real worker processes: what they may use, what is told of one that is ended, and that the next visitor is served."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hiercodec.errors import OutOfMemory, OutOfTime, ParameterDesync, WorkerDied, WorkFailed
from hiercodec.workers import Pool
from hiercodec.workers.ticket import Work
from hiercodec.workers.worker import ChildProcess
from tests.workers import jobs

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1500 * 10**6


@pytest.fixture(scope="module")
def pool():
    """One worker process with its limits."""
    made = Pool(1, lambda: ChildProcess(MEMORY), seconds=60, cpu_seconds=30)
    yield made
    made.close()


def test_work_is_done_in_another_process_and_told_in_order(pool):
    heard = []
    assert pool.submit(jobs.who).result() != os.getpid()
    assert pool.submit(jobs.count, 3).result({"progress": lambda *told: heard.append(told)}) == 3
    assert heard == [(i, 3, "counting") for i in (1, 2, 3)]


def test_errors_cross_as_they_are(pool):
    with pytest.raises(ParameterDesync, match=r"^they differ \(at byte 7\)$") as caught:
        pool.submit(jobs.damaged).result()
    assert (caught.value.block, caught.value.offset) == ("fine", 7)


def test_a_bug_is_one_line_without_its_details(pool):
    with pytest.raises(WorkFailed, match=r"went wrong .*\(KeyError\)$"):
        pool.submit(jobs.bug).result()


@pytest.mark.parametrize("fill", [jobs.fill, jobs.fill_torch])
def test_memory_is_bounded_and_the_worker_lives_on(pool, fill):
    before = pool.submit(jobs.who).result()
    with pytest.raises(OutOfMemory, match="more memory than one visitor may have"):
        pool.submit(fill, 2000).result()
    assert pool.submit(fill, 100).result() == 10**8
    assert pool.submit(jobs.who).result() == before


def test_a_killed_worker_is_one_message_and_a_fresh_worker(pool):
    before = pool.submit(jobs.who).result()
    with pytest.raises(WorkerDied, match="a fresh one takes over"):
        pool.submit(jobs.die).result()
    assert pool.submit(jobs.who).result() != before


def test_cancelled_work_stops_and_the_worker_lives_on(pool):
    before = pool.submit(jobs.who).result()
    ticket = pool.submit(jobs.count, 10**6, 0.01)

    class Left(Exception):
        """What a page raises when it is run again."""

    def leave(*told):
        raise Left

    with pytest.raises(Left):
        ticket.result({"progress": leave})
    began = time.monotonic()
    assert pool.submit(jobs.who).result() == before
    assert time.monotonic() - began < 10


def test_processor_time_is_bounded_and_the_worker_lives_on():
    pool = Pool(1, lambda: ChildProcess(MEMORY), seconds=60, cpu_seconds=1)
    before = pool.submit(jobs.who).result()
    with pytest.raises(OutOfTime, match="more time than one visitor may have"):
        pool.submit(jobs.spin).result()
    assert pool.submit(jobs.who).result() == before
    pool.close()


@pytest.mark.parametrize(
    ("work", "seconds", "told"),
    [
        ((jobs.spin_in_c,), 600, "more time than one visitor"),
        ((jobs.sleep, 3600), 2, "longer than 2 s and was stopped"),
    ],
)
def test_what_never_comes_back_to_python_is_ended(work, seconds, told):
    """By the seconds it took on a processor; by the clock what takes none: a busy machine ends no honest work."""
    pool = Pool(1, lambda: ChildProcess(MEMORY), seconds=seconds, cpu_seconds=0.5)
    before = pool.submit(jobs.who).result()
    with pytest.raises(OutOfTime, match=told):
        pool.submit(*work).result()
    assert pool.submit(jobs.who).result() != before
    pool.close()


def test_the_clock_starts_with_the_work_and_not_while_its_process_is_made_ready():
    pool = Pool(1, lambda: ChildProcess(MEMORY, Work(jobs.sleep, (3,), 600, 30)), seconds=2, cpu_seconds=30)
    assert pool.submit(jobs.count, 3).result() == 3
    pool.close()


def test_work_cancelled_before_it_began_leaves_its_process_to_get_ready(monkeypatch):
    monkeypatch.setattr("hiercodec.workers.worker.GRACE", 0.5)
    worker = ChildProcess(MEMORY, Work(jobs.sleep, (2,), 600, 30))
    process = worker._process.pid
    pool = Pool(1, lambda: worker)
    gone = pool.submit(jobs.count, 10**6, 0.01)
    while gone not in pool._running:
        time.sleep(0.01)
    gone.cancel()
    assert pool.submit(jobs.who).result() == process
    pool.close()


def test_a_worker_ends_with_its_server_however_that_ends():
    code = """
import os, signal
from hiercodec.workers import Pool
from hiercodec.workers.worker import ChildProcess
from tests.workers import jobs
print(Pool(1, lambda: ChildProcess(10**9)).submit(jobs.who).result(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    child = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.2)
    pytest.fail("the worker outlives its server")

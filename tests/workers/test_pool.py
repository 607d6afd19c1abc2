"""The queue: urgent work first, one piece a visitor, a place that is told, and nobody left waiting."""

from __future__ import annotations

import threading
import time

import pytest

from hiercodec.errors import WorkerDied
from hiercodec.workers import Place, Pool, Urgency
from hiercodec.workers.worker import ThisProcess
from tests.workers import jobs

PICTURE, FIRST, ASKED, LATER = Urgency


class Gate:
    """Tasks that wait to be let through, and what order they ran in."""

    def __init__(self) -> None:
        self.open, self.began = threading.Event(), threading.Event()
        self.order: list[str] = []

    def hold(self, *, tell):
        self.began.set()
        assert self.open.wait(30)

    def note(self, name, *, tell):
        self.order.append(name)
        return name


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def pool(gate):
    """A pool of one worker, which is held up."""
    made = Pool(1, ThisProcess)
    made.submit(gate.hold)
    assert gate.began.wait(30)
    yield made
    gate.open.set()
    made.close()


def test_first_pictures_go_before_views_before_what_was_asked_before_the_background(pool, gate):
    tickets = [
        pool.submit(gate.note, name, visitor=name, urgency=urgency)
        for name, urgency in [
            ("b1", LATER),
            ("b2", LATER),
            ("asked", ASKED),
            ("f1", FIRST),
            ("f2", FIRST),
            ("p", PICTURE),
        ]
    ]
    gate.open.set()
    assert [ticket.result() for ticket in tickets] == ["b1", "b2", "asked", "f1", "f2", "p"]
    assert gate.order == ["p", "f1", "f2", "asked", "b1", "b2"]


def test_a_visitor_has_one_piece_of_work_in_hand():
    gate, pool = Gate(), Pool(3, ThisProcess)
    pool.submit(gate.hold, visitor="greedy")
    assert gate.began.wait(30)
    others = [pool.submit(gate.note, f"greedy {i}", visitor="greedy") for i in range(3)]
    assert pool.submit(gate.note, "modest", visitor="modest").result() == "modest"
    assert gate.order == ["modest"]
    gate.open.set()
    for ticket in others:
        ticket.result()
    pool.close()


def test_the_place_counts_who_goes_before_and_the_time_they_took(pool, gate):
    first, second, late = (
        pool.submit(gate.note, name, visitor=name, urgency=urgency)
        for name, urgency in [("a", FIRST), ("b", FIRST), ("c", LATER)]
    )
    assert [ticket.place().before for ticket in (first, second, late)] == [1, 2, 3]
    assert late.place().seconds is None  # nothing like it was ever timed
    assert late.place().words == "3 before you"
    pool.submit(gate.note, "d", visitor="d")
    assert late.place().before == 4
    gate.open.set()
    assert late.result() == "c"
    assert late.place() == Place(0, None)


def test_the_time_told_is_the_time_measured():
    pool = Pool(1, ThisProcess)
    pool.submit(jobs.sleep, 0.5).result()
    running = pool.submit(jobs.sleep, 0.5)
    waiting = [pool.submit(jobs.sleep, 0.5) for _ in range(3)]
    seconds = waiting[-1].place().seconds
    began = time.monotonic()
    waiting[-1].result()
    assert seconds == pytest.approx(1.5, abs=0.3)
    assert time.monotonic() - began >= 1.4  # and that is what it takes, or more on a busy machine
    running.result()
    pool.close()


def test_what_waits_can_be_given_up(pool, gate):
    gone, stays = pool.submit(gate.note, "gone", visitor="a"), pool.submit(gate.note, "stays", visitor="b")
    gone.cancel()
    assert stays.place().before == 1
    gate.open.set()
    assert stays.result() == "stays"
    assert gate.order == ["stays"]


def test_an_asker_that_leaves_gives_its_work_up(pool, gate):
    class Left(Exception):
        """What a page raises when it is run again."""

    def leave(place):
        raise Left

    ticket = pool.submit(gate.note, "unwanted", visitor="a")
    with pytest.raises(Left):
        ticket.result(waiting=leave)
    gate.open.set()
    assert pool.submit(gate.note, "next", visitor="b").result() == "next"
    assert gate.order == ["next"]


def test_what_a_task_tells_reaches_its_asker_in_order():
    pool, heard = Pool(1, ThisProcess), []
    assert pool.submit(jobs.count, 3).result({"progress": lambda *told: heard.append(told)}) == 3
    assert heard == [(i, 3, "counting") for i in (1, 2, 3)]
    pool.close()


def test_a_worker_that_cannot_be_started_leaves_nobody_waiting():
    def fail():
        raise OSError("no more processes")

    pool = Pool(1, fail)
    for _ in range(2):
        with pytest.raises(WorkerDied, match="no process can be started"):
            pool.submit(jobs.sleep, 0).result()


def test_a_closed_pool_leaves_nobody_waiting():
    gate, pool = Gate(), Pool(1, ThisProcess)
    held = pool.submit(gate.hold)
    assert gate.began.wait(30)
    waiting = pool.submit(gate.note, "waiting")
    pool.close()
    late = pool.submit(gate.note, "late")
    gate.open.set()
    held.result()
    for ticket in (waiting, late):
        with pytest.raises(WorkerDied, match="nothing is worked on any more"):
            ticket.result(waiting=lambda place: pytest.fail("it waits"))
    assert gate.order == []


def test_idle_workers_end_but_for_the_last(monkeypatch):
    monkeypatch.setattr("hiercodec.workers.pool.IDLE", 0.05)
    ended, gate = threading.Semaphore(0), Gate()

    class Counted(ThisProcess):
        def close(self):
            ended.release()

    pool = Pool(2, Counted)
    held = pool.submit(gate.hold)
    assert gate.began.wait(30)
    pool.submit(gate.note, "beside").result()
    assert ended.acquire(timeout=30)
    gate.open.set()
    held.result()
    assert not ended.acquire(timeout=0.5)
    assert pool.submit(gate.note, "last").result() == "last"
    pool.close()


def test_workers_are_started_when_they_are_needed():
    started, gate = [], Gate()

    def start():
        started.append(1)
        return ThisProcess()

    pool = Pool(2, start)
    pool.prestart()
    pool.prestart()
    for _ in range(3):
        pool.submit(gate.note, "alone").result()
    assert len(started) == 1
    held = pool.submit(gate.hold)
    assert gate.began.wait(30)
    pool.submit(gate.note, "beside").result()
    pool.submit(gate.note, "again").result()
    assert len(started) == 2
    gate.open.set()
    held.result()
    pool.close()

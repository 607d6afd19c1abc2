"""The queue: who is served next, by how many workers, how long the others will wait, and what each worker may use.

First pictures go before whole views, these before what was asked of one, and that before the background (`Urgency`);
among equals the first come is served first. A visitor has one piece of work in hand at a time, so that nobody's uploads keep
the others out. Workers are started when there is work that none is free for, up to `size`, and all but one end again when
they have long had none; one is started ahead by `prestart`.

Several visitors' photographs do not go through the network together. Measured on one thread: four of 384×288 at once take 14
to 19 % less time in the transforms than one after another, two of 768×576 none, and the transforms are 45 % of a first view
(0.71 s). So four views would be there 7 % sooner in all, but the first of them four times later.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hiercodec.device import chosen
from hiercodec.errors import InputError, WorkerDied
from hiercodec.workers.ticket import Place, Ticket, Urgency, Work

if TYPE_CHECKING:
    from hiercodec.workers.worker import ChildProcess, ThisProcess

    Worker = ChildProcess | ThisProcess

IDLE = 300.0
"""Seconds after which a worker without work ends, unless it is the last."""
CLOSED = "the program is ending: nothing is worked on any more"
MEMORY = 0.7
"""What the times measured so far weigh against the last one."""


class Pool:
    """At most `size` workers, made by `start`, and the tickets that wait for them. Safe to use from any thread."""

    def __init__(
        self, size: int, start: Callable[[], Worker], *, seconds: float = 600, cpu_seconds: float = 60
    ) -> None:
        if size < 1:
            raise ValueError(f"a pool has at least one worker, got {size}")
        self.size, self._start, self._seconds, self._cpu_seconds = size, start, seconds, cpu_seconds
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._workers: list[Worker] = []
        self._alive = 0  # workers, those that are being started among them
        self._free = 0  # those without work
        self._took: dict[str, float] = {}
        self._numbers = itertools.count()
        self._closed = False

    def submit(
        self, task: Callable[..., Any], *args: Any, visitor: str = "", urgency: Urgency = Urgency.FIRST
    ) -> Ticket:
        """Queue `task(*args, tell=…)`; work of nobody ("") is not held to one at a time. `tell` reaches the asker.

        The ticket of a pool that is closed ends at once, with `WorkerDied`.
        """
        work = Work(task, args, self._seconds, self._cpu_seconds)
        with self._changed:
            ticket = Ticket(
                work, visitor, urgency, next(self._numbers), lambda: self._place(ticket), lambda: self._cancel(ticket)
            )
            if self._closed:
                ticket.told("error", WorkerDied(CLOSED))
                return ticket
            self._waiting.append(ticket)
            if len({other.visitor or other.number for other in self._ready()}) > self._free:
                self._one_more()
            self._changed.notify()
        return ticket

    def prestart(self) -> None:
        """Start a worker now, in the background, if there is none yet."""
        with self._changed:
            if not self._alive:
                self._one_more()

    def close(self) -> None:
        """End every worker at once, and what waits for one with `WorkerDied`; the pool is of no use afterwards."""
        with self._changed:
            self._closed = True
            self._give_up(CLOSED)
            self._changed.notify_all()
            for worker in self._workers:
                worker.close()

    def _one_more(self) -> None:
        if self._alive < self.size and not self._closed:
            self._alive += 1
            self._free += 1
            threading.Thread(target=self._serve, name="worker", daemon=True).start()

    def _serve(self) -> None:
        """The life of one worker's thread: take the next ticket, have its work done, note how long it took."""
        try:
            worker = self._start()
            self._workers.append(worker)
            while (ticket := self._take()) is not None:
                try:
                    worker.run(ticket)
                finally:
                    self._done(ticket)
            self._workers.remove(worker)
            worker.close()
        except Exception:
            logging.getLogger(__name__).exception("a worker cannot be started")
            self._gone()

    def _take(self) -> Ticket | None:
        """The next ticket, when there is one; None where this worker is not needed any more."""
        with self._changed:
            while (ticket := self._next()) is None:
                needed = self._changed.wait(IDLE) or self._alive == 1
                if self._closed or not needed:
                    self._alive -= 1
                    self._free -= 1
                    return None
            self._free -= 1
            self._waiting.remove(ticket)
            self._running.append(ticket)
            return ticket

    def _done(self, ticket: Ticket) -> None:
        with self._changed:
            self._running.remove(ticket)
            self._free += 1
            if not ticket.cancelled and ticket.began is not None:
                took, name = time.monotonic() - ticket.began, ticket.work.name
                self._took[name] = MEMORY * self._took.get(name, took) + (1 - MEMORY) * took
            self._changed.notify_all()  # its visitor may have more to do

    def _gone(self) -> None:
        """A thread ends in a way that it should not: nobody may wait for ever."""
        with self._changed:
            self._alive -= 1
            self._free -= 1
            if not self._alive:
                self._give_up("no process can be started to work on this")

    def _give_up(self, why: str) -> None:
        for ticket in self._waiting:
            ticket.told("error", WorkerDied(why))
        self._waiting.clear()

    def _next(self) -> Ticket | None:
        return min(self._ready(), key=_turn, default=None)

    def _ready(self) -> list[Ticket]:
        busy = {ticket.visitor for ticket in self._running if ticket.visitor}
        return [ticket for ticket in self._waiting if ticket.visitor not in busy]

    def _cancel(self, ticket: Ticket) -> None:
        with self._changed:
            ticket.cancelled = True
            if ticket in self._waiting:
                self._waiting.remove(ticket)

    def _place(self, ticket: Ticket) -> Place:
        with self._changed:
            if ticket not in self._waiting:
                return Place(0, None)
            before = [other for other in self._waiting if _turn(other) < _turn(ticket)]
            seconds = [self._took.get(other.work.name) for other in before]
            now = time.monotonic()
            for other in self._running:
                took = self._took.get(other.work.name)
                seconds.append(None if took is None else max(0.0, took - (now - (other.began or now))))
            known = [value for value in seconds if value is not None]
            total = None if len(known) < len(seconds) else sum(known) / self.size
            return Place(len(seconds), total)


def _turn(ticket: Ticket) -> tuple[int, int]:
    return ticket.urgency, ticket.number


# ---- the one of a server -----------------------------------------------------------------------------------------------
WORKERS = "HIERCODEC_WORKERS"
"""Environment variable: how many worker processes at most; 0 works in the server itself, without limits."""
MEGABYTES = "HIERCODEC_WORKER_MB"
"""Environment variable: megabytes of data that one worker may hold."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Workers at most (0: none, the server works itself), bytes of data each, seconds by the clock and on a processor.

    Measured with torch's CPU build, on `lite` and `lite0`: 0.9 GB of data, 0.8 GB resident, after a 1024×768 photograph.
    What CUDA's libraries need besides was not measured: where networks run on another device, it is four times as much.
    """

    workers: int
    memory: int = 2000 * 10**6
    seconds: float = 600.0
    cpu_seconds: float = 60.0


def settings() -> Settings:
    """What the environment says; without it one worker a core, two at most. `InputError` for what is no number."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Settings(_number(WORKERS, min(2, cores)), _number(MEGABYTES, 2000 if chosen() == "cpu" else 8000) * 10**6)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdigit() or len(text) > 6:
        raise InputError(f"{name} must be a whole number, got {text[:40]!r}")
    return int(text)


@functools.cache
def shared() -> Pool:
    """The pool of this process, made at its first use and ended with it."""
    limits = settings()
    pool = Pool(max(1, limits.workers), lambda: _worker(limits), seconds=limits.seconds, cpu_seconds=limits.cpu_seconds)
    atexit.register(pool.close)
    return pool


def _worker(limits: Settings):
    from hiercodec.workers import tasks
    from hiercodec.workers.worker import ChildProcess, ThisProcess

    if not limits.workers:
        return ThisProcess()
    return ChildProcess(limits.memory, Work(tasks.warm, (), limits.seconds, limits.cpu_seconds))

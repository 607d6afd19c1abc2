"""The queue: who is served next, by how many workers, and how long the others will wait.

First views go before what was asked of one, and that before the background (`Urgency`); among equals the first come is
served first. A visitor has one piece of work in hand at a time, so that nobody's uploads keep the others out. Workers are
started when there is work that none is free for, up to `size`; one is started ahead by `prestart`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hiercodec.workers.ticket import Place, Ticket, Urgency, Work

if TYPE_CHECKING:
    from hiercodec.workers.worker import Worker

__all__ = ["Place", "Pool", "Urgency"]

MEMORY = 0.7
"""What the times measured so far weigh against the last one."""


class Pool:
    """At most `size` workers, made by `start`, and the tickets that wait for them. Safe to use from any thread."""

    def __init__(
        self, size: int, start: Callable[[], Worker], *, seconds: float = 120, cpu_seconds: float = 60
    ) -> None:
        if size < 1:
            raise ValueError(f"a pool has at least one worker, got {size}")
        self.size, self._start, self._seconds, self._cpu_seconds = size, start, seconds, cpu_seconds
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._workers: list[Worker | None] = []  # None while it is being started
        self._free = 0  # workers without work, those that are being started among them
        self._took: dict[str, float] = {}
        self._numbers = itertools.count()
        self._closed = False

    def submit(
        self, task: Callable[..., Any], *args: Any, visitor: str = "", urgency: Urgency = Urgency.FIRST
    ) -> Ticket:
        """Queue `task(*args, tell=…)`; work of nobody ("") is not held to one at a time. `tell` reaches the asker."""
        work = Work(task, args, self._seconds, self._cpu_seconds)
        with self._changed:
            ticket = Ticket(
                work, visitor, urgency, next(self._numbers), lambda: self._place(ticket), lambda: self._cancel(ticket)
            )
            self._waiting.append(ticket)
            if len({other.visitor or other.number for other in self._ready()}) > self._free:
                self._one_more()
            self._changed.notify()
        return ticket

    def prestart(self) -> None:
        """Start a worker now, in the background, if there is none yet."""
        with self._changed:
            if not self._workers:
                self._one_more()

    def close(self) -> None:
        """End every worker at once; the pool is of no use afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for worker in self._workers:
                if worker is not None:
                    worker.close()

    def _one_more(self) -> None:
        if len(self._workers) < self.size and not self._closed:
            self._workers.append(None)
            self._free += 1
            threading.Thread(target=self._serve, args=(len(self._workers) - 1,), name="worker", daemon=True).start()

    def _serve(self, index: int) -> None:
        """The life of one worker's thread: take the next ticket, have its work done, note how long it took."""
        worker = self._workers[index] = self._start()
        while True:
            with self._changed:
                while (ticket := self._next()) is None:
                    if self._closed:
                        return
                    self._changed.wait()
                self._free -= 1
                self._waiting.remove(ticket)
                self._running.append(ticket)
                ticket.began = time.monotonic()
            worker.run(ticket)
            with self._changed:
                self._running.remove(ticket)
                self._free += 1
                if not ticket.cancelled:
                    took, name = time.monotonic() - ticket.began, ticket.work.name
                    self._took[name] = MEMORY * self._took.get(name, took) + (1 - MEMORY) * took
                self._changed.notify_all()  # its visitor may have more to do

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

"""A worker: one child process that does one ticket's work after another, and is replaced when it dies or must be ended."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Protocol

from loky.backend import get_context

from hiercodec.errors import OutOfTime, WorkerDied
from hiercodec.workers import child
from hiercodec.workers.ticket import Ticket, Work

TICK = 0.05
"""Seconds between two looks at the clock and at `cancelled`."""
GRACE = 30.0
"""Seconds that a cancelled task has to tell something, before its process is ended."""


class Worker(Protocol):
    """Who does the work of one ticket at a time."""

    def run(self, ticket: Ticket) -> None:
        """Do its work; the ticket is told everything, the value or error last. Never raises."""
        ...

    def close(self) -> None:
        """End at once."""
        ...


class ChildProcess:
    """A process of its own, started before its first ticket.

    It is loky's kind of process, because that does not run the main script again, which under Streamlit is a page; its
    executor and that of `concurrent.futures` have neither limits nor progress nor a way to stop one piece of work.
    `warm` is done first in every new process, so that its first visitor need not wait for imports and weights.
    """

    def __init__(self, memory: int, warm: Work | None = None) -> None:
        self._memory, self._warm, self._number, self._closed = memory, warm, 0, False
        self._start()

    def _start(self) -> None:
        context: Any = get_context("loky")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=child.serve, args=(theirs, self._memory, os.getpid()), env=child.ENVIRONMENT, daemon=True
        )
        self._process.start()
        theirs.close()  # now the pipe ends with the process
        if self._warm is not None:
            self._send(self._warm)

    def _send(self, work: Work) -> None:
        self._number += 1
        self._pipe.send((self._number, work))

    def run(self, ticket: Ticket) -> None:
        """See `Worker`."""
        try:
            ticket.told("value", self._value(ticket))
        except (EOFError, OSError):  # the pipe ended
            died = WorkerDied("the process that worked on this ended unexpectedly; a fresh one takes over")
            ticket.told("error", died)
            self._replace()
        except Exception as error:  # whatever it is belongs to the one who asked
            ticket.told("error", error)

    def _value(self, ticket: Ticket) -> Any:
        if not self._process.is_alive():  # it died while nobody was waiting for it
            self._replace()
        self._send(ticket.work)
        deadline, patience = time.monotonic() + ticket.work.seconds, None
        while True:
            if self._pipe.poll(TICK):
                number, what, values = self._pipe.recv()
                if number == self._number and what == "error":
                    raise values
                if number == self._number and what == "value":
                    return values
                if number == self._number:
                    ticket.told(what, values)
            if ticket.cancelled and patience is None:
                patience = time.monotonic() + GRACE
                self._pipe.send((self._number, None))
            now = time.monotonic()
            if patience is not None and now > patience:
                self._replace()
                return None
            if now > deadline:
                self._replace()
                raise OutOfTime(f"this took longer than {ticket.work.seconds:g} s and was stopped")

    def _replace(self) -> None:
        self._end()
        if not self._closed:
            self._start()

    def close(self) -> None:
        """See `Worker`."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        self._pipe.close()


class ThisProcess:
    """The server itself, without limits: for tests, for debugging, and where no process can be started."""

    def run(self, ticket: Ticket) -> None:
        """See `Worker`."""

        def tell(what: str, *values: Any) -> None:
            if ticket.cancelled:
                raise child.Cancelled
            ticket.told(what, values)

        try:
            ticket.told("value", ticket.work.task(*ticket.work.args, tell=tell))
        except BaseException as error:  # belongs to the one who asked, pytest's own among them
            ticket.told("error", error)

    def close(self) -> None:
        """See `Worker`."""

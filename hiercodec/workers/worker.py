"""A worker: one child process that does one ticket's work after another, and is replaced when it dies or must be ended."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import Any

from loky.backend import get_context

from hiercodec.errors import HiercodecError, OutOfTime, ResourceError, WorkerDied, WorkFailed
from hiercodec.workers import child, wire
from hiercodec.workers.ticket import Ticket, Work

TICK = 0.05
"""Seconds between two looks at the clock and at `cancelled`."""
GRACE = 30.0
"""Seconds that a cancelled task has to tell something, before its process is ended."""


class ChildProcess:
    """A process of its own, started before its first ticket.

    It is loky's kind of process, because that does not run the main script again, which under Streamlit is a page; its
    executor and that of `concurrent.futures` have neither limits nor progress nor a way to stop one piece of work.
    `warm` is done first in every new process, so that its first visitor need not wait for imports and weights.

    A ticket's clock starts with its work, not while the process is still being made ready, which takes a minute or more on
    a busy machine. Seconds on a processor are what ends costly work; the clock ends what sleeps.
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
        """Do the work of one ticket, which is told everything, the value or error last. Never raises."""
        try:
            ticket.told("value", self._value(ticket))
        except (EOFError, OSError):  # the pipe ended
            ticket.told("error", self._why())
            self._replace()
        except Exception as error:  # whatever it is belongs to the one who asked
            ticket.told("error", error)

    def _value(self, ticket: Ticket) -> Any:
        if not self._process.is_alive():  # it died while nobody was waiting for it
            self._replace()
        self._send(ticket.work)
        limit, since, cancelled = (self._warm or ticket.work).seconds, time.monotonic(), False
        while True:
            if self._pipe.poll(TICK):
                number, what, values = self._message()
                if number != self._number:
                    continue  # of the warming up, or of what was cancelled
                if what == "error":
                    raise values
                if what == "value":
                    return values
                if what == "began":
                    limit, since = GRACE if cancelled else ticket.work.seconds, time.monotonic()
                    ticket.began = since
                else:
                    ticket.told(what, values)
            now = time.monotonic()
            if ticket.cancelled and not cancelled:
                cancelled = True
                self._pipe.send((self._number, None))
                if ticket.began is not None:
                    limit, since = GRACE, now
            if now > since + limit:
                self._replace()
                raise OutOfTime(f"this took longer than {limit:g} s and was stopped")

    def _message(self) -> tuple[int, str, Any]:
        """(number, what, values) as the child says; it has seen files of strangers, so what it sends is not unpickled."""
        try:
            number, what, values = wire.unpacked(self._pipe.recv_bytes(wire.MAX_BYTES))
            if not isinstance(values, {"error": HiercodecError, "value": object}.get(what, tuple)):
                raise wire.NotPlain(f"{what!r} with {type(values).__name__}")
        except (wire.NotPlain, TypeError, ValueError) as error:
            logging.getLogger(__name__).error("a worker sent what is no message: %s", error)
            self._replace()
            raise WorkFailed("the process that worked on this sent no answer; a fresh one takes over") from None
        return number, what, values

    def _why(self) -> ResourceError:
        """What to tell of a process that is gone."""
        self._process.join()
        if self._process.exitcode == -signal.SIGPROF:
            return OutOfTime(child.TOO_LONG)
        return WorkerDied("the process that worked on this ended unexpectedly; a fresh one takes over")

    def _replace(self) -> None:
        self._end()
        if not self._closed:
            self._start()

    def close(self) -> None:
        """End at once."""
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
        """As that of `ChildProcess`."""

        def tell(what: str, *values: Any) -> None:
            if ticket.cancelled:
                raise child.Cancelled
            ticket.told(what, values)

        ticket.began = time.monotonic()
        try:
            ticket.told("value", ticket.work.task(*ticket.work.args, tell=tell))
        except BaseException as error:  # belongs to the one who asked, pytest's own among them
            ticket.told("error", error)

    def close(self) -> None:
        """As that of `ChildProcess`."""

"""What runs in a worker's process: limits first, then one task after another.

Memory is bounded for the whole life of the process, processor time for each task: past it, Python raises `OutOfTime`
between two instructions, and a task that does not come back to Python is ended by the system `LAST` seconds later.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from hiercodec.errors import HiercodecError, OutOfMemory, OutOfTime, WorkFailed, is_out_of_memory
from hiercodec.workers.ticket import Work
from hiercodec.workers.wire import packed

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # as many workers as cores, so one thread each
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(2**20),  # a large array goes back to the system when it is freed
    "MALLOC_TRIM_THRESHOLD_": str(2**20),
}
NICE = 5
"""How far pages go before codecs."""
LAST = 2.0
"""Seconds on a processor that a task has to end, once it was told that its time is over."""
TOO_LONG = "this takes more time than one visitor may have here"


class Cancelled(Exception):
    """Nobody waits for this task any more."""


def serve(pipe: Connection, memory: int, parent: int) -> None:
    """The life of a worker: (number, work) comes in, (number, what, values) goes out: "began", …, "value" or "error".

    What comes in is the server's and pickled, what goes out is plain (see `wire`).

    (number, None) cancels work when it next tells something. The process never holds more than `memory` bytes of data, and
    ends with the server, however that ends.
    """
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, _out_of_time)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, and that ends us
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="watch the server").start()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the server is gone
        while True:
            number, work = pipe.recv()
            if work is not None:  # else it was cancelled when it was done already
                pipe.send_bytes(packed((number, "began", ())))
                pipe.send_bytes(_outcome(pipe, number, work))


def _outcome(pipe: Connection, number: int, work: Work) -> bytes:
    """(number, "value", what the task gives) or (number, "error", an error of the project's), packed."""

    def tell(what: str, *values: Any) -> None:
        if pipe.poll():
            pipe.recv()  # while we work, nothing else is sent
            raise Cancelled
        pipe.send_bytes(packed((number, what, values)))

    try:
        _allow(work.cpu_seconds)
        return packed((number, "value", work.task(*work.args, tell=tell)))
    except Cancelled:
        return packed((number, "value", None))
    except HiercodecError as error:
        return packed((number, "error", error))
    except Exception as error:
        failed = OutOfMemory("this needs more memory than one visitor may have here")
        if not is_out_of_memory(error):
            logging.getLogger(__name__).exception("%s failed", work.name)
            failed = WorkFailed(f"something went wrong while working on this ({type(error).__name__})")
        return packed((number, "error", failed))
    finally:
        _allow(None)


def _allow(cpu_seconds: float | None) -> None:
    """So many seconds of processor time from now; no end to them for None."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    until = resource.RLIM_INFINITY if cpu_seconds is None else int(time.process_time() + cpu_seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))
    signal.setitimer(signal.ITIMER_PROF, 0 if cpu_seconds is None else cpu_seconds + 1 + LAST)


def _out_of_time(*_: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    raise OutOfTime(TOO_LONG)


def _watch(parent: int) -> None:
    """End this process when the server is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(2)
    os._exit(1)

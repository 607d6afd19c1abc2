"""How many workers this machine gets, what each may use, and the one pool that a server's sessions share."""

from __future__ import annotations

import atexit
import functools
import os
from dataclasses import dataclass

from hiercodec.device import chosen
from hiercodec.errors import InputError
from hiercodec.workers.pool import Pool
from hiercodec.workers.ticket import Work

WORKERS = "HIERCODEC_WORKERS"
"""Environment variable: how many worker processes at most; 0 works in the server itself, without limits."""
MEMORY = "HIERCODEC_WORKER_MB"
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
    return Settings(_number(WORKERS, min(2, cores)), _number(MEMORY, 2000 if chosen() == "cpu" else 8000) * 10**6)


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

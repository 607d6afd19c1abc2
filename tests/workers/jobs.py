"""Small tasks for workers, in a module that a child process can import."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from hiercodec.errors import ParameterDesync

GO_ON = threading.Event()
"""Lets `hold` through, in a worker that shares this process."""


def hold(began, *, tell):
    began.set()
    assert GO_ON.wait(60)


def who(*, tell):
    return os.getpid()


def count(n, pause=0.0, *, tell):
    for i in range(n):
        tell("progress", i + 1, n, "counting")
        time.sleep(pause)
    return n


def sleep(seconds, *, tell):
    time.sleep(seconds)


def spin(*, tell):
    while True:
        pass


def spin_in_c(*, tell):
    """One call that takes hours and never comes back to Python: what a bomb does in a decoder."""
    sum(range(10**13))


def fill(megabytes, *, tell):
    return len(bytearray(megabytes * 10**6))


def fill_torch(megabytes, *, tell):
    import torch

    return torch.ones(megabytes * 10**6, dtype=torch.uint8).numel()


class OnArrival:
    """Opens a file for writing in the process that unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def forge(path, *, tell):
    """What code that took a worker over might do: send a pickle where a message belongs."""
    pipe = sys._getframe(1).f_locals["pipe"]
    pipe.send(OnArrival(path))
    time.sleep(60)


def die(*, tell):
    os.kill(os.getpid(), signal.SIGKILL)


def damaged(*, tell):
    raise ParameterDesync("they differ", block="fine", offset=7)


def bug(*, tell):
    raise KeyError("a name that nobody should read")

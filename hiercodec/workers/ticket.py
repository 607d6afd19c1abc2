"""One piece of work between the asker and a worker: where it stands in the queue, what it tells, what comes of it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

LOOK = 1.0
"""Seconds between two looks of a waiting asker at its place in the queue."""


class Urgency(IntEnum):
    """What goes first: a first picture, a whole first view, what was asked of one, what is made in the background."""

    PICTURE = 0
    FIRST = 1
    ASKED = 2
    LATER = 3


@dataclass(frozen=True, slots=True)
class Place:
    """How many pieces of work go before one, and about how many seconds that takes; None where nothing like it ran yet."""

    before: int
    seconds: float | None

    @property
    def words(self) -> str:
        """For people; "" where nothing is before it.

        >>> Place(3, 9.6).words, Place(1, None).words, Place(0, 2.0).words
        ('3 before you, about 10 s', '1 before you', '')
        """
        if not self.before:
            return ""
        about = "" if self.seconds is None else f", about {max(1, round(self.seconds))} s"
        return f"{self.before} before you{about}"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: `task(*args, tell=…)`, and the seconds by the clock and on a processor it may take from its begin.

    `task` is a function of a module that a child can import; arguments are pickled, the value is plain data (see `wire`).
    """

    task: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    cpu_seconds: float

    @property
    def name(self) -> str:
        """What times are kept under."""
        return f"{self.task.__module__}.{self.task.__qualname__}"


@dataclass(eq=False, slots=True)
class Ticket:
    """Work that was handed to a pool. `result` waits for it.

    `cancel` says that nobody wants it any more: it leaves the queue, or stops when it next tells something.
    """

    work: Work
    visitor: str
    urgency: Urgency
    number: int
    place: Callable[[], Place]
    cancel: Callable[[], None]
    cancelled: bool = False
    began: float | None = None
    _inbox: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)

    def told(self, what: str, values: Any) -> None:
        """For the worker: pass on what the task told, or how it ended ("value", "error")."""
        self._inbox.put((what, values))

    def result(
        self,
        listeners: Mapping[str, Callable[..., object]] | None = None,
        waiting: Callable[[Place], object] | None = None,
    ) -> Any:
        """The value, once it is there, or the error that the work ended with.

        Meanwhile calls `listeners[what](*values)` for what the task tells, and `waiting(place)` every LOOK seconds in which
        it tells nothing. If one of them raises, the work is given up.
        """
        try:
            while True:
                try:
                    what, values = self._inbox.get(timeout=LOOK)
                except queue.Empty:
                    if waiting is not None:
                        waiting(self.place())
                    continue
                if what == "value":
                    return values
                if what == "error":
                    raise values
                if listeners and what in listeners:
                    listeners[what](*values)
        finally:
            self.cancel()

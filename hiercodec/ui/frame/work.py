"""Work for this visitor, done by the shared workers while the page says how far it is, or by threads that it follows."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable
from typing import Any

import streamlit as st

from hiercodec import workers
from hiercodec.workers import Place, Urgency, tasks

Progress = Callable[[int, int, str], object]


def visitor() -> str:
    """What this session is called in the queue. To be asked in the session's own thread."""
    return st.session_state.setdefault("visitor", uuid.uuid4().hex)


def run(
    task: Callable[..., Any],
    *args: Any,
    urgency: Urgency = Urgency.ASKED,
    progress: Progress | None = None,
    **listeners: Any,
) -> Any:
    """The value of a task of `workers.tasks`; `progress` also says how many others are before it.

    Raises what the task raises, and `ResourceError` where it took too much. A run of the page that ends meanwhile gives
    the work up.
    """

    def waiting(place: Place) -> None:
        if progress is not None and place.before:
            progress(0, 1, place.words)

    told = listeners if progress is None else {"progress": progress, **listeners}
    return workers.shared().submit(task, *args, visitor=visitor(), urgency=urgency).result(told, waiting)


def later(task: Callable[..., Any], urgency: Urgency = Urgency.LATER) -> Callable[..., Any]:
    """`task` as a function for another thread; as a rule it comes after everybody's first views."""
    return functools.partial(_later, visitor(), urgency, task)


def prestart() -> None:
    """Have a worker ready for the first visitor who needs one; where the server works itself there is nothing to start."""
    if workers.settings().workers:
        workers.shared().prestart()


def take_away(make: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """A download's content, made by a worker when it is asked for."""
    return functools.partial(later(tasks.call, Urgency.ASKED), make, args)


def _later(who: str, urgency: Urgency, task: Callable[..., Any], *args: Any) -> Any:
    return workers.shared().submit(task, *args, visitor=who, urgency=urgency).result()


class Background:
    """A thread that a page follows and may stop, begun by `_begin`; its work looks at `cancelled` between two pieces.

    What is there by then stays. No Streamlit calls inside.
    """

    def _begin(self, name: str, work: Callable[..., None], *args: Any) -> None:
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=work, args=args, name=name, daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether the thread has ended: with everything, with less after `cancel`, or after a fault (logged)."""
        return not self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop soon; what is there stays."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> None:
        """Return when it has finished, or after so many seconds."""
        self._thread.join(seconds)

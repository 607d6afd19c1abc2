"""Work on many photographs, one after another, in a thread of its own. No Streamlit calls inside.

Batch(items, work) ──► a thread: work(item) for each, results in .results, refusals in .problems
    .done, .total       how far it is, for a progress line
    .cancel()           stops before the next item; what is there stays
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from hiercodec.errors import HiercodecError

T = TypeVar("T")
R = TypeVar("R")


class Batch(Generic[T, R]):
    """`work` on every item, begun at once; `name` says what an item is called where it is refused."""

    def __init__(self, items: Sequence[T], work: Callable[[T], R], name: Callable[[T], str] = str) -> None:
        self.total, self.done = len(items), 0
        self.results: list[R] = []
        self.problems: list[str] = []
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items, work, name), name="failures", daemon=True)
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether the thread has ended: with every item, with fewer after `cancel`, or after a fault (logged)."""
        return not self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop soon; the results so far stay."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> None:
        """Return when it has finished, or after so many seconds."""
        self._thread.join(seconds)

    def _run(self, items: Sequence[T], work: Callable[[T], R], name: Callable[[T], str]) -> None:
        for item in items:
            if self._cancelled.is_set():
                return
            try:
                self.results.append(work(item))
            except HiercodecError as error:
                self.problems.append(f"{name(item)}: {error}")
            except Exception:  # a thread has nobody else to tell
                logging.getLogger(__name__).exception("a photograph could not be traced")
                self.problems.append(f"{name(item)}: could not be traced")
            self.done += 1

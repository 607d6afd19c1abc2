"""Work on many photographs, one after another, in a thread of its own. No Streamlit calls inside.

Batch(items, work) ──► a thread: work(item) for each, results in .results, refusals in .problems
    .done, .total       how far it is, for a progress line
    .cancel()           stops before the next item; what is there stays
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from hiercodec.errors import HiercodecError
from hiercodec.ui.frame.background import Background

T = TypeVar("T")
R = TypeVar("R")


class Batch(Background, Generic[T, R]):
    """`work` on every item, begun at once; `name` says what an item is called where it is refused."""

    def __init__(self, items: Sequence[T], work: Callable[[T], R], name: Callable[[T], str] = str) -> None:
        self.total, self.done = len(items), 0
        self.results: list[R] = []
        self.problems: list[str] = []
        self._begin("failures", self._run, items, work, name)

    def _run(self, items: Sequence[T], work: Callable[[T], R], name: Callable[[T], str]) -> None:
        for item in items:
            if self.cancelled:
                return
            try:
                self.results.append(work(item))
            except HiercodecError as error:
                self.problems.append(f"{name(item)}: {error}")
            except Exception:  # a thread has nobody else to tell
                logging.getLogger(__name__).exception("a photograph could not be traced")
                self.problems.append(f"{name(item)}: could not be traced")
            self.done += 1

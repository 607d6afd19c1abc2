"""The rest of a trace, made in the background while its first steps are already on the page. No Streamlit calls inside.

Refinement(bundle, budgets, more) ──► a thread that has them made by a worker: a few budgets at a time, each in its turn
    .done, .total                      how far it is, for a progress line
    .cancel()                          stops before the next budgets; what is there stays
    .finished, .bundle                 the longer trace
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from hiercodec.errors import HiercodecError
from hiercodec.evaluation.traces import bundle as bundles
from hiercodec.evaluation.traces.bundle import Bundle
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.evaluation.traces.tracing import turning_points
from hiercodec.ui.frame.background import Background

AT_ONCE = 3
"""Budgets between two looks at `cancel`, and between two turns at a worker: others wait no longer for their first view."""

TURNS = 6
"""Steps that are added in the end where answers change."""

More = Callable[[Trace, Sequence[int]], tuple[Trace, dict[int, Any]]]
"""(a trace, budgets) → (the longer trace, what was decoded, by bytes)."""

Pack = Callable[[Bundle, Trace, dict[int, Any]], Bundle]
"""(the bundle, the longer trace, what was decoded, by bytes) → the longer bundle."""


class Refinement(Background):
    """A trace that grows to more steps in a thread of its own, begun at once; `problem` says why it ended early."""

    def __init__(self, bundle: Bundle, budgets: Sequence[int], more: More, pack: Pack = bundles.refined) -> None:
        self.bundle, self.total, self.done, self.problem = bundle, len(budgets), 0, ""
        self._pack = pack
        self._begin("refinement", self._run, list(budgets), more)

    def _run(self, budgets: list[int], more: More) -> None:
        trace, decoded, turns = self.bundle.trace, {}, TURNS
        try:
            while budgets and not self.cancelled:
                part, budgets = budgets[:AT_ONCE], budgets[AT_ONCE:]
                trace, new = more(trace, part)
                decoded |= new
                self.done += len(part)
                if not budgets and turns:
                    budgets, turns = turning_points(trace, turns), 0
                    self.total += len(budgets)
            self.bundle = self._pack(self.bundle, trace, decoded)
        except HiercodecError as error:
            self.problem = str(error)
        except Exception:  # the first steps stand; a thread has nobody else to tell
            logging.getLogger(__name__).exception("the finer steps of a trace could not be made")

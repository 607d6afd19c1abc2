"""Work in a thread of its own that a page follows and may stop. No Streamlit calls inside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Background:
    """A thread, begun by `_begin`; its work looks at `cancelled` between two pieces, and what is there stays."""

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

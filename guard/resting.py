"""Long work in slices: while others wait, what a slice took is rested several times over before the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Resting:
    """To be called between slices of work.

    A thread that computes keeps the interpreter from an event loop at each of its hundreds of system calls; in the
    rests the loop catches up with what waits.
    """

    def __init__(self, busy: Callable[[], bool], stop: threading.Event, share: float) -> None:
        """``busy``: whether others wait; ``stop`` ends a rest; ``share``: of rest to work."""
        self._busy = busy
        self._stop = stop
        self._share = share
        self._since = time.monotonic()
        self.rested = 0.0  # seconds

    def __call__(self) -> None:
        """Rest after a slice, where others wait. Blocking."""
        began = time.monotonic()
        if self._busy():
            self._stop.wait(self._share * (began - self._since))
        self._since = time.monotonic()
        self.rested += self._since - began

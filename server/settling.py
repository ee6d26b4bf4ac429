"""Keeps Python's garbage collector away from the lists in force, which are many objects and hold no garbage."""

from __future__ import annotations

import gc
from threading import Lock

_FEW = 200_000  # objects


class Settling:
    """To be called when a snapshot was built. What is there by then is no longer walked through.

    A full collection with ten thousand entries in force stops every thread for most of a second, and an import brings
    dozens of them. What is left out of collections (``gc.freeze``) is still freed when nothing refers to it; cycles
    among it are not, so that all of it is looked through again once it has doubled.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._clean = 0

    def __call__(self, _: object = None) -> None:
        """Leave out what is there now. Blocking."""
        with self._lock:
            if gc.get_freeze_count() > 2 * self._clean + _FEW:
                gc.unfreeze()
                gc.collect()
                gc.freeze()
                self._clean = gc.get_freeze_count()
            else:
                gc.freeze()

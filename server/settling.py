"""Keeps Python's garbage collector away from what lives long: lists in force, and streams under way by the hundred."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable
from threading import Lock

_FEW = 600_000  # blocks of memory; an object that is collected has some three
_WORTH_IT = 60_000  # blocks beside the clean ones for which all are looked through where nobody waits for it
_EVERY = 10.0  # seconds


class Settling:
    """To be called when a snapshot was built, and now and then. What is there by then is no longer walked through.

    A full collection with ten thousand entries in force stops every thread for most of a second, and an import brings
    dozens of them. What is left out of collections (``gc.freeze``) is still freed when nothing refers to it; cycles
    among it are not, so that all of it is looked through again once it has doubled. That is told by the blocks of
    memory in use: ``gc.get_freeze_count`` walks through all that is left out, and stops every thread for it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._clean = 0

    def __call__(self, _: object = None, *, idle: bool = False) -> None:
        """Leave out what is there now. Blocking. ``idle``: nobody waits, so that less is worth looking through."""
        with self._lock:
            if sys.getallocatedblocks() > (self._clean + _WORTH_IT if idle else 2 * self._clean + _FEW):
                gc.unfreeze()
                gc.collect()
                self._clean = sys.getallocatedblocks()
                _give_back()
            else:
                gc.collect(1)  # cycles that were made and dropped just now would stay: a few thousand objects at most
            gc.freeze()


def _give_back() -> None:
    """Give the system back what glibc keeps of freed memory: of loading the encoder alone, some 60 MiB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not in other libraries
    if trim is not None:
        trim(0)  # other threads go on meanwhile


async def keep_settling(settling: Settling, idle: Callable[[], bool]) -> None:
    """Settle every so often, until cancelled.

    A thousand streams are some 300,000 objects, through which a full collection takes a tenth of a second. They end
    by their reference counts.
    """
    while True:
        await asyncio.sleep(_EVERY)
        await asyncio.to_thread(settling, idle=idle())

"""Keeps what is in force up to what is stored: others' changes at once, and after the store was away by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from classifiers.types import DetectorError
from guard.snapshot import SnapshotManager
from guard.store import StoreError

log = structlog.get_logger("letheward.following")

_LOOK = 2.0  # seconds without news after which the store is asked all the same
_AGAIN = (0.05, 2.0)  # seconds before the first and before every later attempt


class Following:
    """A thread that brings into force what other processes store, and calls ``told`` after every look.

    While the store is away requests go on with what is in force; what is missed is taken in when it is back.
    """

    def __init__(self, manager: SnapshotManager, told: Callable[[], object]) -> None:
        self._manager = manager
        self._told = told
        self._due = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="letheward-follow", daemon=True)
        self._stop_listening: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin."""
        self._stop_listening = self._manager.store.listen(lambda _: self._due.set())
        self._thread.start()

    def stop(self) -> None:
        """End; waits for a change that is being taken in."""
        self._stop.set()
        self._due.set()
        if self._stop_listening is not None:
            self._stop_listening()
            self._thread.join()

    def _run(self) -> None:
        pause, away = _AGAIN[0], False
        while not self._stop.is_set():
            try:
                self._manager.refresh()
            except (StoreError, DetectorError, ValueError) as error:
                if not away:
                    log.error("lists_not_followed", error=str(error), age=round(self._manager.age, 1))
                away = True
                self._stop.wait(pause)
                pause = min(2 * pause, _AGAIN[1])
                continue
            if away:
                log.info("lists_followed_again", revision=self._manager.current.revision)
            pause, away = _AGAIN[0], False
            self._told()
            self._due.wait(_LOOK)
            self._due.clear()

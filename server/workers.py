"""This worker among those that serve from the same store: what it has in force is told, and theirs can be awaited."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import anyio
import structlog
from anyio.to_thread import run_sync

from guard.following import Following
from guard.presence import Ahead, Seen, Worker, clear_away, present, sign_off, sign_on
from guard.snapshot import SnapshotManager
from guard.store import StoreError

log = structlog.get_logger("letheward.workers")

AWAY = 5.0  # seconds without the store after which it is said to be away
_BEAT = 2.0  # seconds between signs of life
_TIDY = 15  # beats between rounds of putting things in order
_POLL = (0.003, 0.05)  # seconds between looks at the others, growing


def worker_id() -> str:
    """A name for a process that no other has."""
    return f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"


class Workers:
    """Follows the store, signs on with it, and knows the others."""

    def __init__(self, manager: SnapshotManager, name: str | None = None, *, beat: float = _BEAT) -> None:
        self._manager = manager
        self._me = Worker(name or worker_id(), socket.gethostname(), os.getpid(), datetime.now(UTC))
        self._beat = beat
        self._due = threading.Event()
        self._stop = threading.Event()
        self._following = Following(manager, self._due.set)
        self._thread = threading.Thread(target=self._run, name="letheward-worker", daemon=True)
        self._signed = -1  # the revision that the store was last told
        self._others: tuple[Seen, ...] = ()  # as of the last beat
        self._ahead: frozenset[Ahead] = frozenset()
        # What else is to be put in order now and then; a ``StoreError`` of one is nothing to worry about.
        self.chores: list[Callable[[], object]] = [manager.forget_shared]

    @property
    def me(self) -> str:
        """This worker's id."""
        return self._me.id

    def start(self) -> None:
        """Sign on, and take in what was stored before; from then on whoever waits for all waits for this one. Blocking.

        Raises:
            StoreError: the store cannot be reached.
        """
        sign_on(self._manager.store, self._me, self._manager.current.revision)
        self._manager.refresh()
        self._following.start()
        self._thread.start()

    def stop(self) -> None:
        """Sign off. Blocking."""
        self._stop.set()
        self._due.set()
        self._following.stop()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            sign_off(self._manager.store, [self._me.id])
        except StoreError as error:
            log.warning("not_signed_off", worker=self._me.id, error=str(error))

    def seen(self) -> list[Seen]:
        """All workers, this one among them. Blocking.

        Raises:
            StoreError: the store cannot be read.
        """
        return present(self._manager.store)

    def ids(self) -> list[str]:
        """Their ids. Blocking.

        Raises:
            StoreError: the store cannot be read.
        """
        return [each.worker.id for each in self.seen()]

    def revisions(self) -> list[int]:
        """What each has in force, this one first, the others as of the last sign of life; asks nobody."""
        return [self._manager.current.revision, *(each.revision for each in self._others)]

    async def wait(self, revision: int, timeout: float) -> list[str]:
        """Wait until every worker has ``revision`` in force, or ``timeout`` seconds; the ids of those that have not.

        A worker that fell silent counts as behind until it is known to have ended.
        """
        deadline, pause = time.monotonic() + timeout, _POLL[0]
        behind: Sequence[str] = [self.me]
        while True:
            try:
                behind = await run_sync(self._behind, revision)
            except StoreError as error:
                log.warning("workers_unknown", error=str(error))
            left = deadline - time.monotonic()
            if not behind or left <= 0:
                return list(behind)
            await anyio.sleep(min(pause, left))
            pause = min(1.5 * pause, _POLL[1])

    def _behind(self, revision: int) -> list[str]:
        others = [s.worker.id for s in self.seen() if s.revision < revision and s.worker.id != self.me]
        return others if self._manager.current.revision >= revision else [self.me, *others]

    def _run(self) -> None:
        """Tell the store that this worker lives, at once where it has something new in force."""
        beats, last = 0, time.monotonic()
        while not self._stop.is_set():
            self._due.wait(max(0.0, last + self._beat - time.monotonic()))
            self._due.clear()
            revision = self._manager.current.revision
            if self._stop.is_set() or (revision == self._signed and time.monotonic() < last + self._beat):
                continue
            beats, last = beats + 1, time.monotonic()
            try:
                sign_on(self._manager.store, self._me, revision)
                self._signed = revision
                self._others = tuple(s for s in self.seen() if s.worker.id != self._me.id)
                self._manager.store.expire()
                if beats % _TIDY == 1:
                    self._ahead = clear_away(self._manager.store, self._ahead)
                    for chore in self.chores:
                        chore()
            except StoreError as error:  # told in full by whoever follows the store
                log.debug("not_signed_on", error=str(error))

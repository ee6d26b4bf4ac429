"""The guard of answers that belongs to a snapshot: made when it is first asked for, out of the one before."""

from __future__ import annotations

import threading

from guard.in_force import Snapshot
from guard.output import AnswerGuard


class AnswerGuards:
    """Keeps the latest. Thread-safe; blocking, most of all the first time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[Snapshot, AnswerGuard] | None = None

    def of(self, snapshot: Snapshot) -> AnswerGuard:
        """The guard for ``snapshot``."""
        made = self._made
        if made is not None and made[0] is snapshot:
            return made[1]
        with self._lock:
            if self._made is None:
                guard = AnswerGuard.build(snapshot)
            elif self._made[0] is snapshot:
                return self._made[1]
            else:
                guard = self._made[1].updated(snapshot)
            if self._made is None or self._made[0].revision <= snapshot.revision:
                self._made = (snapshot, guard)
            return guard

    def tidy(self, snapshot: Snapshot) -> None:
        """Join the parts that many changes left; requests go on with what there is meanwhile. Blocking."""
        if self._made is None:
            return
        guard = self.of(snapshot)
        if not guard.wants_merging:
            return
        merged = guard.merged()
        with self._lock:
            latest = self._made[0]
            self._made = (latest, merged if latest is snapshot else merged.updated(latest))

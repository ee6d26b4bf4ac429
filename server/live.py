"""What the proxy decided of late, for whoever looks on: no text, and nothing that is kept."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from guard.router import Plan

KEPT = 200  # decisions
_BEHIND = 100  # decisions that somebody who reads slowly may be behind; what is more, they miss
_MOST_WATCHERS = 32


class TooManyWatchers(RuntimeError):
    """No more can look on at once."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One request. ``at``: seconds since 1970; ``seen``: by which stages of the detector."""

    path: str
    status: int
    action: str
    revision: int
    ms: float
    forget_list: str | None = None
    entry: str | None = None
    score: float | None = None
    seen: tuple[str, ...] = ()
    at: float = field(default_factory=time.time)

    @classmethod
    def of(cls, path: str, status: int, action: str, revision: int, ms: float, plan: Plan | None) -> Decision:
        """What came of a request with ``plan``; None where it could not be judged."""
        found = plan.decisive if plan else None
        if found is None:
            return cls(path, status, action, revision, ms)
        seen = tuple(dict.fromkeys(e.stage for e in found.verdict.evidence))
        return cls(path, status, action, revision, ms, found.forget_list.name, found.verdict.entry_id,
                   round(found.verdict.score, 3), seen)  # fmt: skip


class Live:
    """The last decisions of this process, and those who look on. One event loop's."""

    def __init__(self) -> None:
        self._kept: deque[Decision] = deque(maxlen=KEPT)
        self._watchers: set[MemoryObjectSendStream[Decision]] = set()

    def note(self, decision: Decision) -> None:
        """Show a decision. Waits for nobody."""
        self._kept.append(decision)
        for watcher in self._watchers:
            try:
                watcher.send_nowait(decision)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                continue

    def kept(self) -> list[Decision]:
        """The last ones, the oldest first."""
        return list(self._kept)

    @contextmanager
    def watching(self) -> Iterator[MemoryObjectReceiveStream[Decision]]:
        """Decisions as they are made, for as long as the block lasts.

        Raises:
            TooManyWatchers: enough look on already.
        """
        if len(self._watchers) >= _MOST_WATCHERS:
            raise TooManyWatchers
        send, receive = anyio.create_memory_object_stream[Decision](_BEHIND)
        self._watchers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._watchers.discard(send)

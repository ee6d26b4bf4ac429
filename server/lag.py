"""How late the event loop comes to what is due: whatever holds it up holds up every stream of the process."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Literal, Protocol

import structlog

log = structlog.get_logger("letheward.lag")

STALL = 0.05  # seconds
_EVERY = 0.01  # seconds; a stall that begins between two looks is seen as that much shorter at most
_QUIET = 1.0  # seconds between lines in the log
_SCHEDSTAT = Path("/proc/thread-self/schedstat")  # Linux: nanoseconds on a processor, and waiting for one

Cause = Literal["computing", "threads", "processor", "blocked", "unknown"]
"""What its thread mostly did: it computed; it waited while other threads of the process computed, which had the
interpreter's lock; it was ready without a processor; it waited for a file, or for a thread without a processor."""


class Told(Protocol):
    """Who hears of it."""

    def lag(self, seconds: float) -> None:
        """Note how late it was."""
        ...

    def stalled(self, cause: Cause) -> None:
        """Count a stall."""
        ...


async def watch_loop(told: Told) -> None:
    """Look until cancelled; stalls are logged, the longest in every second."""
    loop, clock = asyncio.get_running_loop(), _Clock()
    longest: tuple[float, Cause] = (0.0, "unknown")
    count, quiet_until = 0, 0.0
    try:
        while True:
            before, due = clock.read(), loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            now = loop.time()
            late = max(0.0, now - due)
            told.lag(late)
            if late >= STALL:
                cause = clock.cause(before, late)
                told.stalled(cause)
                longest, count = max(longest, (late, cause)), count + 1
            if count and now >= quiet_until:
                log.warning("event_loop_stalled", ms=round(1000 * longest[0]), cause=longest[1], stalls=count)
                longest, count, quiet_until = (0.0, "unknown"), 0, now + _QUIET
    finally:
        clock.close()


class _Clock:
    """What the thread that made it does with its time."""

    def __init__(self) -> None:
        try:
            self._file = os.open(_SCHEDSTAT, os.O_RDONLY)
        except OSError:  # another system, or one without these figures
            self._file = -1

    def read(self) -> tuple[float, float, float]:
        """Seconds on a processor, seconds ready for one and without, and seconds of all threads on processors."""
        if self._file < 0:
            return 0.0, 0.0, 0.0
        ran, waited, _ = os.pread(self._file, 100, 0).split()
        return int(ran) / 1e9, int(waited) / 1e9, time.process_time()

    def cause(self, before: tuple[float, float, float], late: float) -> Cause:
        """Why it was so late."""
        if self._file < 0:
            return "unknown"
        ran, waited, all_ran = (after - past for after, past in zip(self.read(), before, strict=True))
        blocked = late - ran - waited
        if blocked <= max(ran, waited):
            return "computing" if ran >= waited else "processor"
        return "threads" if all_ran - ran >= blocked / 2 else "blocked"

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)

"""What the proxy's own log tells of the run: stalls of its event loops, and what must not happen."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_STALLED = "event_loop_stalled"
BAD = frozenset({"internal_error", "worker_died", "worker_restart_failed", "library_failed", "detector_failed"})


@dataclass(frozen=True, slots=True)
class Stall:
    """The longest of the stalls of one worker in about a second. ``at``: seconds since the epoch."""

    at: float
    ms: int
    cause: str
    stalls: int


@dataclass(slots=True)
class Logged:
    """Events by their name, and lines that are none: tracebacks and the banner."""

    events: Counter[str] = field(default_factory=Counter)
    stalls: list[Stall] = field(default_factory=list)
    tracebacks: int = 0

    @property
    def bad(self) -> dict[str, int]:
        """What must not happen."""
        found = {name: count for name, count in self.events.items() if name in BAD}
        return found | ({"traceback": self.tracebacks} if self.tracebacks else {})


def read_log(file: Path) -> Logged:
    """The log of ``letheward serve``."""
    logged = Logged()
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            told = _event(line)
            if told is None:
                logged.tracebacks += line.startswith("Traceback")
                continue
            name = str(told.get("event"))
            logged.events[name] += 1
            if name == _STALLED:
                at = datetime.fromisoformat(told["timestamp"]).timestamp()
                logged.stalls.append(Stall(at, told["ms"], told["cause"], told["stalls"]))
    return logged


def _event(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None

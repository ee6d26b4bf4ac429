"""What a change would do to recent requests, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
from anyio.to_thread import run_sync

from guard.in_force import Snapshot
from server.judging import Judge
from server.recent import Recent, Seen

_CHUNK = 4  # requests judged in a row; between them live requests get their turn
_SAMPLES = 20


class Impact:
    """Judges the requests of ``recent`` before and after a change. Such looks take turns with each other."""

    def __init__(self, recent: Recent, judge: Judge) -> None:
        self._recent = recent
        self._judge = judge
        self._worker = anyio.CapacityLimiter(1)

    async def of(self, before: Snapshot, after: Snapshot) -> dict[str, Any]:
        """How many requests are flagged with either, and the ids of some of which that changes.

        Raises:
            DetectorError: the detector failed.
        """
        seen = self._recent.all()
        found: list[tuple[bool, bool, bool]] = []
        for at in range(0, len(seen), _CHUNK):
            work = partial(self._compared, before, after, seen[at : at + _CHUNK])
            found += await run_sync(work, limiter=self._worker)
        changed = [s.id for s, (old, new, acts) in zip(seen, found, strict=True) if old != new or acts]
        return {
            "requests": len(found),
            "flagged_before": sum(old for old, _, _ in found),
            "flagged_after": sum(new for _, new, _ in found),
            "newly_flagged": sum(new and not old for old, new, _ in found),
            "no_longer_flagged": sum(old and not new for old, new, _ in found),
            "other_action": sum(acts for _, _, acts in found),
            "samples": changed[:_SAMPLES],
        }

    def _compared(self, before: Snapshot, after: Snapshot, some: Sequence[Seen]) -> list[tuple[bool, bool, bool]]:
        sides = [(self._side(before, seen), self._side(after, seen)) for seen in some]
        return [(old[0], new[0], old[1] != new[1]) for old, new in sides]

    def _side(self, snapshot: Snapshot, seen: Seen) -> tuple[bool, str]:
        """Whether a request is flagged, and what is done with it."""
        judged = self._judge.judge(snapshot, seen.prompt)
        plan = self._judge.decide(snapshot, seen.prompt, judged.verdicts, seen.asker)
        return bool(judged.flagged), plan.action

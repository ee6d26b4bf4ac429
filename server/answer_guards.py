"""The guard of answers that belongs to a snapshot: made when first asked for, out of the one before; its watches."""

from __future__ import annotations

import threading
from collections.abc import Set as AbstractSet

from classifiers.types import Verdict
from guard.in_force import Snapshot
from guard.output import AnswerGuard, Asked, Hit
from guard.repeats import Watching, WithoutGuardText
from guard.router import Finding, Plan
from server.guarding import Guarded
from server.judging import Prompt


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


def watch_of(guard: AnswerGuard, lists: AbstractSet[str], prompt: Prompt, plan: Plan, guarded: Guarded) -> Watching:
    """Watches one answer to ``prompt`` for what ``lists`` want forgotten. Blocking."""
    flagged = frozenset((f.verdict.list_name, f.verdict.entry_id) for f in plan.findings if f.action != "monitor")
    watch: Watching = guard.watch(Asked(frozenset(lists), prompt.texts, flagged, guarded.blind))
    if guarded.inserted and guarded.finding is not None:
        verdict = guarded.finding.verdict
        watch = WithoutGuardText(watch, guarded.inserted, (verdict.list_name, verdict.entry_id))
    return watch


def told(snapshot: Snapshot, prompt: Prompt, hit: Hit) -> Finding:
    """What an answer to ``prompt`` told, as a finding; its text is the user's last."""
    forget_list = snapshot.lists[hit.list_name]
    entry = snapshot.entries[hit.list_name, hit.entry_id]
    asked = [i for i, s in enumerate(prompt.surfaces) if s.rewritable]
    verdict = Verdict(hit.list_name, hit.entry_id, 1.0, 1.0, (), ())
    return Finding(asked[-1] if asked else -1, verdict, forget_list, entry, entry.action or forget_list.policy)

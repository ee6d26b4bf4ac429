"""Answers of a model in this process, held against the forget list by the proxy's own code.

What tells is replaced by a template's sentence at once, or by the list's refusal. The proxy asks once more before, with
more of the question corrupted or a guard's text around it: its second answer may still say part of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from classifiers.types import Verdict
from guard.in_force import Snapshot
from guard.output import AnswerGuard, Asked
from guard.output.types import Hit
from guard.repeats import Watching, WithoutGuardText
from guard.router import Finding, Plan
from server.guarding import Guarded, Guarding
from server.judging import Prompt

_CHANNEL = "choices/0/content"


@dataclass(frozen=True, slots=True)
class Request:
    """A question as the proxy would send it on."""

    prompt: Prompt
    plan: Plan
    guarded: Guarded


@dataclass(frozen=True)
class Answers:
    """Watches answers. ``run``: carries out what the guard does, on its event loop."""

    snapshot: Snapshot
    guarding: Guarding
    run: Callable[[Coroutine[Any, Any, Guarded]], Guarded]

    def released(self, request: Request, text: str) -> str:
        """``text``, or what goes out in its place. Blocking."""
        watch = self._watch(request)
        watch.add(_CHANNEL, text)
        watch.finish()
        while watch.hit is None and watch.needs_judging():
            watch.judge()
        return text if watch.hit is None else self._instead(request, watch.hit)

    @cached_property
    def _guard(self) -> AnswerGuard:
        return AnswerGuard.build(self.snapshot)

    def _watch(self, request: Request) -> Watching:
        flagged = frozenset((f.verdict.list_name, f.verdict.entry_id) for f in request.plan.findings)
        asked = Asked(frozenset(self.snapshot.lists), request.prompt.texts, flagged, request.guarded.blind)
        watch: Watching = self._guard.watch(asked)
        finding = request.guarded.finding
        if request.guarded.inserted and finding is not None:
            key = finding.verdict.list_name, finding.verdict.entry_id
            watch = WithoutGuardText(watch, request.guarded.inserted, key)
        return watch

    def _instead(self, request: Request, hit: Hit) -> str:
        forget_list = self.snapshot.lists[hit.list_name]
        entry = self.snapshot.entries[hit.list_name, hit.entry_id]
        places = [place for place, surface in enumerate(request.prompt.surfaces) if surface.rewritable]
        verdict = Verdict(hit.list_name, hit.entry_id, 1.0, 1.0, (), ())
        finding = Finding(places[-1], verdict, forget_list, entry, entry.action or forget_list.policy)
        said = self.run(self.guarding.spoken(finding, request.prompt, finding.action))
        return said.say or ""

"""Answers of a model in this process, held against the forget list by the proxy's own code.

What tells is replaced by a template's sentence at once, or by the list's refusal. The proxy asks once more before, with
more of the question corrupted or a guard's text around it: its second answer may still say part of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from guard.in_force import Snapshot
from guard.output import AnswerGuard, Hit
from guard.router import Plan
from server.answer_guards import told, watch_of
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
        watch = watch_of(self._guard, self.snapshot.lists.keys(), request.prompt, request.plan, request.guarded)
        watch.add(_CHANNEL, text)
        watch.finish()
        while watch.hit is None and watch.needs_judging():
            watch.judge()
        return text if watch.hit is None else self._instead(request, watch.hit)

    @cached_property
    def _guard(self) -> AnswerGuard:
        return AnswerGuard.build(self.snapshot)

    def _instead(self, request: Request, hit: Hit) -> str:
        finding = told(self.snapshot, request.prompt, hit)
        said = self.run(self.guarding.spoken(finding, request.prompt, finding.action))
        return said.say or ""

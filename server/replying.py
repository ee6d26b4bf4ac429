"""What answers a request that was judged: guarded where its plan says so, and its answer watched on the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import structlog
from starlette.requests import Request
from starlette.responses import Response

from guard.in_force import Snapshot
from guard.output import Hit
from guard.repeats import Watching
from guard.router import Finding, Plan
from guard.scope import Asker
from server.answer_guards import AnswerGuards, told, watch_of
from server.answering import Answering, Way
from server.dialects import chat
from server.dialects.base import Dialect, Translated
from server.dialects.other import Other
from server.guarding import PASSING, Guarded, Guarding
from server.judging import Prompt
from server.metrics import Metrics
from server.phases import Phases
from server.served_models import ServedModels
from server.surfaces import Body

log = structlog.get_logger("letheward.proxy")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being served."""

    request: Request
    dialect: Dialect
    body: Body  # as the client sent it, with what it refers to
    asker: Asker
    snapshot: Snapshot
    prompt: Prompt


class Replies:
    """Guards requests and watches their answers. ``check_answers``: False where answers are not looked at."""

    def __init__(
        self,
        guarding: Guarding,
        answering: Answering,
        answer_guards: AnswerGuards,
        models: ServedModels,
        *,
        metrics: Metrics,
        phases: Phases,
        check_answers: bool,
    ) -> None:
        self._guarding = guarding
        self._answering = answering
        self._answer_guards = answer_guards
        self._models = models
        self._metrics = metrics
        self._phases = phases
        self._check_answers = check_answers

    def configure(self, *, check_answers: bool, pace: float, fail_open: bool) -> None:
        """Go on with these settings."""
        self._check_answers = check_answers
        self._answering.pace = pace
        self._answering.fail_open = fail_open

    def prepare(self, snapshot: Snapshot) -> None:
        """Make what the first answer by ``snapshot`` would have to wait for. Blocking."""
        self._answer_guards.of(snapshot)

    async def reply(self, call: Call, plan: Plan, headers: dict[str, str]) -> Response:
        """The answer to a request for which ``plan`` was made; ``headers`` go with it."""
        carrier, prompt = call.dialect, call.prompt
        guarded = Guarded(plan.action, call.body, plan.decisive)
        guardable = _carried(call)  # of every request: were it refused only when flagged, that would tell
        if plan.action not in PASSING:
            carrier, prompt = guardable
            with self._phases("guard") as span:
                guarded = await self._guarding.guarded(plan, prompt, call.snapshot, chat=carrier.path == chat.path)
                span.set({"letheward.action": guarded.action})
        headers["x-letheward-action"] = guarded.action
        way = Way(
            native=call.dialect,
            asked=call.body,
            carrier=carrier,
            prompt="\n".join(s.text for s in prompt.surfaces if s.rewritable),
            headers=headers,
            request_id=call.request.headers.get("x-request-id"),
            watch=partial(self._watch, call, plan),
            again=partial(self._again, call, plan),
            say=partial(self._say, call),
            hit=partial(self._hit, call),
            held=self._metrics.held,
            phases=self._phases,
            fallen=partial(self._fallen, prompt),
            served=await self._models.served(call.asker.model) if hasattr(call.dialect, "to_chat") else None,
        )
        return await self._answering.answer(way, guarded)

    def _watch(self, call: Call, plan: Plan, guarded: Guarded) -> Watching:
        """Watches one answer for what the lists that are for this request want forgotten. Blocking."""
        guard = self._answer_guards.of(call.snapshot)
        return watch_of(guard, self._watching(call), call.prompt, plan, guarded)

    def _watching(self, call: Call) -> frozenset[str]:
        if not self._check_answers:
            return frozenset()
        lists = call.snapshot.lists.values()
        return frozenset(i.name for i in lists if i.enabled and i.policy != "monitor" and call.asker.applies(i))

    async def _again(self, call: Call, plan: Plan, hit: Hit) -> Guarded:
        """The request with the guard's text for what its answer told; or what is said instead."""
        finding = told(call.snapshot, call.prompt, hit)
        # A model that told the guard's own text would tell it again.
        if hit.kind == "guard" or finding.action in ("refuse", "template") or isinstance(call.dialect, Other):
            return await self._say(call, hit)
        carrier, prompt = _carried(call)
        in_chat = carrier.path == chat.path
        if plan.corrupts and any(f.forget_list.name == hit.list_name for f in plan.findings):
            return await self._guarding.guarded(plan.harder(), prompt, call.snapshot, chat=in_chat)
        more = replace(finding, action="dragon")
        return await self._guarding.guarded(plan, prompt, call.snapshot, chat=in_chat, more=more)

    async def _say(self, call: Call, hit: Hit) -> Guarded:
        finding = told(call.snapshot, call.prompt, hit)
        _, prompt = _carried(call)
        return await self._guarding.spoken(finding, prompt, finding.action)

    async def _fallen(self, prompt: Prompt, finding: Finding) -> Guarded:
        return await self._guarding.spoken(finding, prompt, finding.forget_list.fallback)

    def _hit(self, call: Call, hit: Hit, outcome: str) -> None:
        self._metrics.answer_hit(hit.list_name, hit.kind, outcome)
        self._metrics.decided(hit.list_name, outcome, "answer")
        log.info("answer_hit", forget_list=hit.list_name, entry=hit.entry_id, kind=hit.kind, outcome=outcome,
                 path=call.dialect.path, revision=call.snapshot.revision)  # fmt: skip


def _carried(call: Call) -> tuple[Dialect, Prompt]:
    """Where at the model server the request can be guarded, and what it is there."""
    if not hasattr(call.dialect, "to_chat"):
        return call.dialect, call.prompt
    body = cast(Translated, call.dialect).to_chat(call.body)
    return cast(Dialect, chat), Prompt(body, call.prompt.surfaces, call.prompt.messages)

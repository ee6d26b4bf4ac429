"""A client's request on its way: read, judged, guarded, sent, and its answer watched on the way back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, cast
from urllib.parse import quote

import anyio
import structlog
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from classifiers.types import DetectorError, TextTooLong, Verdict
from guard.eco import Eco
from guard.output import Asked, Hit
from guard.reasoning import Bounds, DragonUnavailable, ReasoningWriter, Unanswered
from guard.repeats import Watching, WithoutGuardText
from guard.router import Finding, Plan
from guard.scope import Asker
from guard.snapshot import Snapshot
from server.answer_guards import AnswerGuards
from server.answering import Answering, Way
from server.clients import ANYONE, Client, asker, client_key
from server.conversations import Conversations
from server.declined import cut_by
from server.dialects import chat
from server.dialects.base import Dialect, Translated
from server.dialects.other import Other
from server.errors import ApiError
from server.examples import Screened
from server.guarding import PASSING, Guarded, Guarding
from server.hidden import check_model, without_hidden
from server.incoming import parse_object, read_body, unless_disconnected
from server.judging import Judge, Judgement, Prompt, Snapshots
from server.live import Decision, Live
from server.metrics import Metrics
from server.passing import forward
from server.phases import Phases
from server.recent import RECENT, Recent
from server.remembering import Remembering
from server.served_models import ServedModels
from server.surfaces import Body, Limits, check_shape
from server.text_log import TextLog
from server.tracing import NO_TRACING, Tracing
from server.upstream import Upstream
from server.watching import tell, tell_refused

log = structlog.get_logger("letheward.proxy")

# What the model does not see of a flagged text it cannot tell from it.
_UNSEEN = ("eco", "redact", "monitor")
_NO_ANSWER = (503, 504)  # a server that cannot be reached, or is too slow


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """How the proxy treats requests."""

    enforce: bool = True  # False: everything passes untouched, and what would be done is logged
    limits: Limits = field(default_factory=Limits)
    max_body_bytes: int = 32 * 1024 * 1024
    on_detector_failure: Literal["block", "allow"] = "block"
    detector_workers: int = 2
    guard_model: str | None = None  # None: the model that the client asked for
    guard_max_tokens: int = 64
    guard_timeout: float = 30.0
    guard_rest: float = 5.0  # seconds for which a guard model that does not answer is not asked, at first
    hidden_model: str | None = None  # of the upstream's models the one that only the guard may ask
    check_answers: bool = True
    media: Literal["pass", "refuse"] = "pass"
    pace: float = 0.0  # seconds between the tokens of answers that the proxy gives itself
    log_texts_of: tuple[str, ...] = ()  # lists of which what they flag may be logged as text
    recent_requests: int = RECENT  # that are kept in memory, for changes to be tried on


# What ``Proxy.configure`` takes over; the rest of its settings needs a start.
PROXY_HOT = ("answer_pace", "check_answers", "detector_workers", "log_texts_of", "on_detector_failure")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being served."""

    request: Request
    dialect: Dialect
    body: Body  # as the client sent it, with what it refers to
    client: Client
    asker: Asker
    snapshot: Snapshot
    prompt: Prompt


class Proxy:
    """Serves the client endpoints. ``guard_upstream`` answers for the guard model."""

    def __init__(
        self,
        snapshots: Snapshots,
        upstream: Upstream,
        *,
        eco: Eco | None,
        config: ProxyConfig,
        reveal: Callable[[Request], bool],
        guard_upstream: Upstream | None = None,
        metrics: Metrics | None = None,
        tracing: Tracing = NO_TRACING,
        responses: Conversations | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._upstream = upstream
        self._guard_upstream = guard_upstream or upstream
        self._config = config
        self._reveal = reveal
        self.judge = Judge(
            config.limits, eco.tokenizer.decode if eco else None, eco is not None, config.media == "pass"
        )
        self.metrics = metrics or Metrics(snapshots, enforcing=config.enforce)
        self.tracing = tracing
        self._phases = Phases(self.metrics.phase, tracing)
        self._texts = TextLog(config.log_texts_of, tracing)
        for observed in {upstream, self._guard_upstream}:
            observed.transport.phases = self._phases
        self.responses = responses or Conversations()
        self.recent = Recent(config.recent_requests)
        self.live = Live()
        self._models = ServedModels(upstream)
        self._judging = anyio.CapacityLimiter(config.detector_workers)
        self.metrics.queue(lambda: self._judging.statistics().tasks_waiting, lambda: self._judging.borrowed_tokens)
        self._answer_guards = AnswerGuards()
        snapshots.when_tidying(self._answer_guards.tidy)
        bounds = Bounds(max_tokens=config.guard_max_tokens, timeout=config.guard_timeout, rest=config.guard_rest)
        reason = ReasoningWriter(self._complete, model=config.guard_model, bounds=bounds)
        self._guarding = Guarding(eco, reason, Screened(self._judging))
        self._answering = Answering(
            upstream, cut_by(eco.tokenizer) if eco else _words, config.pace, config.on_detector_failure == "allow"
        )

    def configure(self, config: ProxyConfig) -> None:
        """Go on with ``config``; ``PROXY_HOT`` names the settings that may differ from those before."""
        if config.log_texts_of != self._config.log_texts_of:
            self._texts = TextLog(config.log_texts_of, self.tracing)
        self._config = config
        self._judging.total_tokens = config.detector_workers
        self._answering.pace = config.pace
        self._answering.fail_open = config.on_detector_failure == "allow"

    @property
    def enforcing(self) -> bool:
        """False where everything passes and is only watched."""
        return self._config.enforce

    def prepare(self, snapshot: Snapshot) -> None:
        """Make what the first request by ``snapshot`` would have to wait for. Blocking."""
        self._answer_guards.of(snapshot)

    async def serve(self, request: Request, dialect: Dialect, client: Client = ANYONE) -> Response:
        """Answer a request to one of the endpoints that are guarded."""
        started = time.perf_counter()
        raw, body = await self.read(request)
        snapshot = self._snapshots.current
        decided: Plan | None
        if self._config.enforce:
            decided, response = await self._guarded(request, dialect, client, snapshot, body)
        else:
            decided, response = await self._watched(request, dialect, client, snapshot, body, raw)
        action, ms = response.headers["x-letheward-action"], round((time.perf_counter() - started) * 1000, 1)
        log.info(
            "request",
            path=dialect.path,
            status=response.status_code,
            action=action,
            revision=snapshot.revision,
            forget_list=decided.decisive.forget_list.name if decided and decided.decisive else None,
            ms=ms,
        )
        self.live.note(Decision.of(dialect.path, response.status_code, action, snapshot.revision, ms, decided))
        return response

    async def models(self, request: Request, client: Client = ANYONE) -> Response:
        """GET /v1/models."""
        found = await unless_disconnected(request, forward(self._upstream, request, "GET", "/v1/models", None, {}))
        if self._config.hidden_model is not None:
            found.body = without_hidden(bytes(found.body), self._config.hidden_model)
            found.headers["content-length"] = str(len(found.body))
        return found

    async def untouched(self, request: Request, client: Client = ANYONE) -> Response:
        """Routes that ask no model anything: their bodies are checked, and go on as they come."""
        raw, body = await self.read(request)
        check_shape(body, self._config.limits)
        path = request.url.path
        return await unless_disconnected(request, forward(self._upstream, request, "POST", path, raw, {}))

    async def judged(
        self, request: Request, client: Client, body: Body, dialect: Dialect
    ) -> tuple[Prompt, Plan, dict[str, str]]:
        """What is to be done with a request whose answer is no text, and the headers that say so."""
        snapshot = self._snapshots.current
        prompt, found = await self._look(snapshot, body, dialect)
        plan = self.judge.decide(snapshot, prompt, found, asker(client, request, body.get("model")))
        tell(plan, enforcing=self.enforcing, revision=snapshot.revision, metrics=self.metrics)
        return prompt, plan, self._headers(request, snapshot, plan)

    async def read(self, request: Request) -> tuple[bytes, Body]:
        """A request's body."""
        raw = await read_body(request, self._config.max_body_bytes)
        body = parse_object(raw)
        check_model(body, self._config.hidden_model)
        return raw, body

    @property
    def upstream(self) -> Upstream:
        """The model server."""
        return self._upstream

    async def _guarded(
        self, request: Request, dialect: Dialect, client: Client, snapshot: Snapshot, body: Body
    ) -> tuple[Plan, Response]:
        memory = Remembering.of(dialect, self.responses, body, self.responses.owner(client_key(request) or None))
        whole = await memory.expanded(body)
        who = asker(client, request, body.get("model"))
        prompt, verdicts = await self._look(snapshot, whole, dialect)
        plan = self.judge.decide(snapshot, prompt, verdicts, who)
        self.recent.note(prompt, who, request.headers.get("x-request-id"))
        tell(plan, enforcing=True, revision=snapshot.revision, metrics=self.metrics)
        self._texts.tell(plan, prompt)
        call = Call(request, dialect, whole, client, who, snapshot, prompt)
        response = await unless_disconnected(request, self._respond(call, plan))
        return plan, await memory.remembered(response, whole)

    async def _watched(
        self, request: Request, dialect: Dialect, client: Client, snapshot: Snapshot, body: Body, raw: bytes
    ) -> tuple[Plan | None, Response]:
        """Judge, say what would be done, and send the request on byte for byte as it came."""
        plan: Plan | None = None
        try:
            who = asker(client, request, body.get("model"))
            prompt, verdicts = await self._look(snapshot, body, dialect)
            plan = self.judge.decide(snapshot, prompt, verdicts, who)
            self.recent.note(prompt, who, request.headers.get("x-request-id"))
        except ApiError as error:
            tell_refused(error, revision=snapshot.revision, metrics=self.metrics)
            headers = {"x-letheward-revision": str(snapshot.revision), "x-letheward-action": "monitor"}
        else:
            tell(plan, enforcing=False, revision=snapshot.revision, metrics=self.metrics)
            self._texts.tell(plan, prompt)
            headers = self._headers(request, snapshot, plan)
            if plan.findings:
                headers["x-letheward-action"] = "monitor"
        sent = forward(self._upstream, request, "POST", dialect.path, raw, headers)
        return plan, await unless_disconnected(request, sent)

    async def _look(
        self, snapshot: Snapshot, body: Body, dialect: Dialect
    ) -> tuple[Prompt, Sequence[tuple[Verdict, ...]]]:
        with self._phases("read"):
            prompt = self.judge.read(body, dialect)
        if self._snapshots.stale:
            raise ApiError(
                503,
                "A change to the forget lists is stored but not yet in force; try again shortly.",
                type="server_error",
                code="lists_stale",
                headers={"Retry-After": "2"},
            )
        return prompt, await self._verdicts(snapshot, prompt)

    async def _verdicts(self, snapshot: Snapshot, prompt: Prompt) -> list[tuple[Verdict, ...]]:
        try:
            with self._phases("judge"):
                found: Judgement = await run_sync(self.judge.judge, snapshot, prompt, limiter=self._judging)
                self.tracing.past("letheward.judge.", [(stage, ms / 1000) for stage, ms in found.ms.items()])
        except DetectorError as error:
            self.metrics.failed(error)
            if isinstance(error, TextTooLong):
                raise ApiError(400, f"The request cannot be judged: {error}.", code="text_too_long") from error
            log.error("detector_failed", error=str(error), allowed=self._config.on_detector_failure == "allow")
            if self._config.on_detector_failure == "block":
                raise ApiError(
                    503,
                    "The request could not be judged and was not sent to the model.",
                    type="server_error",
                    code="detector_failed",
                ) from error
            return [() for _ in prompt.surfaces]
        self.metrics.judged(snapshot, found)
        return found.verdicts

    async def _respond(self, call: Call, plan: Plan) -> Response:
        headers = self._headers(call.request, call.snapshot, plan)
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
            held=self.metrics.held,
            phases=self._phases,
            fallen=partial(self._fallen, prompt),
            served=await self._models.served(call.asker.model) if hasattr(call.dialect, "to_chat") else None,
        )
        return await self._answering.answer(way, guarded)

    def _watch(self, call: Call, plan: Plan, guarded: Guarded) -> Watching:
        """Watches one answer for what the lists that are for this request want forgotten. Blocking."""
        flagged = frozenset((f.verdict.list_name, f.verdict.entry_id) for f in plan.findings if f.action != "monitor")
        asked = Asked(self._watching(call), call.prompt.texts, flagged, bool(_blind(plan)))
        watch: Watching = self._answer_guards.of(call.snapshot).watch(asked)
        if guarded.inserted and guarded.finding is not None:
            verdict = guarded.finding.verdict
            watch = WithoutGuardText(watch, guarded.inserted, (verdict.list_name, verdict.entry_id))
        return watch

    def _watching(self, call: Call) -> frozenset[str]:
        if not self._config.check_answers:
            return frozenset()
        lists = call.snapshot.lists.values()
        return frozenset(i.name for i in lists if i.enabled and i.policy != "monitor" and call.asker.applies(i))

    async def _again(self, call: Call, plan: Plan, hit: Hit) -> Guarded:
        """The request with the guard's text for what its answer told; or what is said instead."""
        finding = _told(call, hit)
        # A model that told the guard's own text would tell it again.
        if hit.kind == "guard" or finding.action in ("refuse", "template") or isinstance(call.dialect, Other):
            return await self._say(call, hit)
        carrier, prompt = _carried(call)
        in_chat = carrier.path == chat.path
        if hit.list_name in _blind(plan):
            return await self._guarding.guarded(plan.harder(), prompt, call.snapshot, chat=in_chat)
        more = replace(finding, action="dragon")
        return await self._guarding.guarded(plan, prompt, call.snapshot, chat=in_chat, more=more)

    async def _say(self, call: Call, hit: Hit) -> Guarded:
        finding = _told(call, hit)
        _, prompt = _carried(call)
        return await self._guarding.spoken(finding, prompt, finding.action)

    async def _fallen(self, prompt: Prompt, finding: Finding) -> Guarded:
        return await self._guarding.spoken(finding, prompt, finding.forget_list.fallback)

    def _hit(self, call: Call, hit: Hit, outcome: str) -> None:
        self.metrics.answer_hit(hit.list_name, hit.kind, outcome)
        self.metrics.decided(hit.list_name, outcome, "answer")
        log.info("answer_hit", forget_list=hit.list_name, entry=hit.entry_id, kind=hit.kind, outcome=outcome,
                 path=call.dialect.path, revision=call.snapshot.revision)  # fmt: skip

    def _headers(self, request: Request, snapshot: Snapshot, decided: Plan) -> dict[str, str]:
        headers = {"x-letheward-revision": str(snapshot.revision), "x-letheward-action": decided.action}
        if decided.decisive and self._reveal(request):
            verdict = decided.decisive.verdict
            headers |= {
                "x-letheward-list": quote(verdict.list_name),  # headers hold no other letters
                "x-letheward-entry": quote(verdict.entry_id, safe=":@"),
                "x-letheward-score": f"{verdict.score:.4f}",
            }
        return headers

    async def _complete(self, body: dict[str, Any]) -> str:
        try:
            answer = await self._guard_upstream.complete(body, timeout=self._config.guard_timeout)
            return str(answer["choices"][0]["message"]["content"] or "")
        except ApiError as error:
            raise (Unanswered if error.status in _NO_ANSWER else DragonUnavailable)(error.message) from error
        except (KeyError, IndexError, TypeError) as error:
            raise DragonUnavailable("the guard model's answer has no text") from error


def _carried(call: Call) -> tuple[Dialect, Prompt]:
    """Where at the model server the request can be guarded, and what it is there."""
    if not hasattr(call.dialect, "to_chat"):
        return call.dialect, call.prompt
    body = cast(Translated, call.dialect).to_chat(call.body)
    return cast(Dialect, chat), Prompt(body, call.prompt.surfaces, call.prompt.messages)


def _blind(plan: Plan) -> frozenset[str]:
    """The lists of which the model did not see what was asked."""
    if plan.action != "eco" or any(f.action not in _UNSEEN for f in plan.findings):
        return frozenset()
    return frozenset(f.forget_list.name for f in plan.findings)


def _told(call: Call, hit: Hit) -> Finding:
    """What an answer told, as a finding; its text is the user's last."""
    forget_list = call.snapshot.lists[hit.list_name]
    entry = call.snapshot.entries[hit.list_name, hit.entry_id]
    asked = [i for i, s in enumerate(call.prompt.surfaces) if s.rewritable]
    verdict = Verdict(hit.list_name, hit.entry_id, 1.0, 1.0, (), ())
    return Finding(asked[-1] if asked else -1, verdict, forget_list, entry, entry.action or forget_list.policy)


def _words(text: str) -> list[str]:
    """A text in pieces of about a token, where the model's tokenizer is not at hand."""
    return re.findall(r"\s*\S{1,8}|\s+$", text)

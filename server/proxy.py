"""A client's request on its way: read, judged, guarded, sent, and its answer watched on the way back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import anyio
import structlog
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from classifiers.types import DetectorError, TextTooLong, Verdict
from guard.eco import Eco
from guard.in_force import Snapshot
from guard.reasoning import Bounds, DragonUnavailable, ReasoningWriter, Unanswered
from guard.router import Plan
from guard.scope import Asker
from server.access.admission import Admission, Capacity
from server.answer_guards import AnswerGuards
from server.answering import Answering
from server.clients import ANYONE, Client, asker, client_key
from server.conversations import Conversations
from server.declined import cut_by
from server.dialects.base import Dialect
from server.errors import ApiError
from server.examples import Screened
from server.guarding import Guarding
from server.hidden import check_model, without_hidden
from server.incoming import parse_object, read_body, unless_disconnected
from server.judged_before import REMEMBERED, JudgedBefore
from server.judging import Judge, Judgement, Prompt, Snapshots
from server.live import Decision, Live
from server.metrics import Metrics
from server.passing import forward
from server.phases import Phases
from server.recent import RECENT, Recent
from server.remembering import Remembering
from server.replying import Call, Replies
from server.served_models import ServedModels
from server.surfaces import Body, Limits, check_shape
from server.text_log import TextLog
from server.tracing import NO_TRACING, Tracing
from server.upstream import Upstream
from server.watching import tell, tell_refused

log = structlog.get_logger("letheward.proxy")

_NO_ANSWER = (503, 504)  # a server that cannot be reached, or is too slow


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """How the proxy treats requests."""

    enforce: bool = True  # False: everything passes untouched, and what would be done is logged
    limits: Limits = field(default_factory=Limits)
    max_body_bytes: int = 32 * 1024 * 1024
    on_detector_failure: Literal["block", "allow"] = "block"
    detector_workers: int = 2
    capacity: Capacity = field(default_factory=Capacity)
    guard_model: str | None = None  # None: the model that the client asked for
    guard_max_tokens: int = 64
    guard_timeout: float = 30.0
    guard_rest: float = 5.0  # seconds for which a guard model that does not answer is not asked, at first
    hidden_model: str | None = None  # of the upstream's models the one that only the guard may ask
    check_answers: bool = True
    media: Literal["pass", "refuse"] = "pass"
    pace: float = 0.0  # seconds between the tokens of answers that the proxy gives itself
    log_texts_of: tuple[str, ...] = ()  # lists of which what they flag may be logged as text
    remembered_texts: int = REMEMBERED  # of which it is known what the detector found, should they come again
    recent_requests: int = RECENT  # that are kept in memory, for changes to be tried on


# What ``Proxy.configure`` takes over; the rest of its settings needs a start.
PROXY_HOT = (
    "answer_pace", "check_answers", "detector_workers", "log_texts_of", "max_concurrent_requests",
    "max_waiting_requests", "on_detector_failure",
)  # fmt: skip


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
            config.limits, eco.tokenizer.decode if eco else None, eco is not None, config.media == "pass",
            JudgedBefore(config.remembered_texts),
        )  # fmt: skip
        self.metrics = metrics or Metrics(snapshots, enforcing=config.enforce)
        self.tracing = tracing
        self._phases = Phases(self.metrics.phase, tracing)
        self._texts = TextLog(config.log_texts_of, tracing)
        for observed in {upstream, self._guard_upstream}:
            observed.transport.phases = self._phases
        self.responses = responses or Conversations()
        self.recent = Recent(config.recent_requests)
        self.live = Live()
        self._judging = anyio.CapacityLimiter(config.detector_workers)
        self.metrics.queue(self._waiting, lambda: self._judging.borrowed_tokens)
        self.admission = Admission(config.capacity, self._waiting, self.metrics.turned_away)
        answer_guards = AnswerGuards()
        snapshots.when_tidying(answer_guards.tidy)
        bounds = Bounds(max_tokens=config.guard_max_tokens, timeout=config.guard_timeout, rest=config.guard_rest)
        reason = ReasoningWriter(self._complete, model=config.guard_model, bounds=bounds)
        self._replies = Replies(
            Guarding(eco, reason, Screened(self._judging)),
            Answering(
                upstream, cut_by(eco.tokenizer) if eco else _words, config.pace, config.on_detector_failure == "allow"
            ),
            answer_guards,
            ServedModels(upstream),
            metrics=self.metrics,
            phases=self._phases,
            check_answers=config.check_answers,
        )

    def configure(self, config: ProxyConfig) -> None:
        """Go on with ``config``; ``PROXY_HOT`` names the settings that may differ from those before."""
        if config.log_texts_of != self._config.log_texts_of:
            self._texts = TextLog(config.log_texts_of, self.tracing)
        self._config = config
        self._judging.total_tokens = config.detector_workers
        self.admission.capacity = config.capacity
        fail_open = config.on_detector_failure == "allow"
        self._replies.configure(check_answers=config.check_answers, pace=config.pace, fail_open=fail_open)

    @property
    def enforcing(self) -> bool:
        """False where everything passes and is only watched."""
        return self._config.enforce

    def prepare(self, snapshot: Snapshot) -> None:
        """Make what the first request by ``snapshot`` would have to wait for. Blocking."""
        self._replies.prepare(snapshot)

    async def serve(
        self, request: Request, dialect: Dialect, client: Client = ANYONE, *, probe: bool = False
    ) -> Response:
        """Answer a request to one of the endpoints that are guarded.

        ``probe``: no client sent it, so it is neither shown as one nor kept for changes to be tried on.
        """
        started = time.perf_counter()
        raw, body = await self.read(request)
        snapshot = self._snapshots.current
        decided: Plan | None
        if self._config.enforce:
            decided, response = await self._guarded(request, dialect, client, snapshot, body, probe)
        else:
            decided, response = await self._watched(request, dialect, client, snapshot, body, raw, probe)
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
        if not probe:
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
        self.admission.queue()
        snapshot = self._snapshots.current
        prompt, found = await self._look(snapshot, body, dialect, _asks(request))
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
        self, request: Request, dialect: Dialect, client: Client, snapshot: Snapshot, body: Body, probe: bool
    ) -> tuple[Plan, Response]:
        memory = Remembering.of(dialect, self.responses, body, self.responses.owner(client_key(request) or None))
        whole = await memory.expanded(body)
        who, prompt, plan = await self._planned(request, dialect, client, snapshot, whole, probe)
        tell(plan, enforcing=True, revision=snapshot.revision, metrics=self.metrics)
        self._texts.tell(plan, prompt)
        call = Call(request, dialect, whole, who, snapshot, prompt)
        headers = self._headers(request, snapshot, plan)
        response = await unless_disconnected(request, self._replies.reply(call, plan, headers))
        return plan, await memory.remembered(response, whole)

    async def _watched(
        self,
        request: Request,
        dialect: Dialect,
        client: Client,
        snapshot: Snapshot,
        body: Body,
        raw: bytes,
        probe: bool,
    ) -> tuple[Plan | None, Response]:
        """Judge, say what would be done, and send the request on byte for byte as it came."""
        plan: Plan | None = None
        try:
            _, prompt, plan = await self._planned(request, dialect, client, snapshot, body, probe)
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

    async def _planned(
        self, request: Request, dialect: Dialect, client: Client, snapshot: Snapshot, body: Body, probe: bool
    ) -> tuple[Asker, Prompt, Plan]:
        """Who asks what, and what is to be done with it."""
        if not probe:
            self.admission.queue()
        who = asker(client, request, body.get("model"))
        prompt, verdicts = await self._look(snapshot, body, dialect, _asks(request))
        plan = self.judge.decide(snapshot, prompt, verdicts, who)
        if not probe:
            self.recent.note(prompt, who, request.headers.get("x-request-id"))
        return who, prompt, plan

    async def _look(
        self, snapshot: Snapshot, body: Body, dialect: Dialect, client: str
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
        return prompt, await self._verdicts(snapshot, prompt, client)

    async def _verdicts(self, snapshot: Snapshot, prompt: Prompt, client: str) -> list[tuple[Verdict, ...]]:
        try:
            with self._phases("judge"):
                found: Judgement = await run_sync(self.judge.judge, snapshot, prompt, client, limiter=self._judging)
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

    def _waiting(self) -> int:
        """How many requests wait for the detector."""
        return self._judging.statistics().tasks_waiting

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


def _asks(request: Request) -> str:
    """Who asks, as far as that can be told of somebody without a key."""
    return f"{client_key(request)}\n{request.client.host if request.client else ''}"


def _words(text: str) -> list[str]:
    """A text in pieces of about a token, where the model's tokenizer is not at hand."""
    return re.findall(r"\s*\S{1,8}|\s+$", text)

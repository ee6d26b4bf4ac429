"""A client's request on its way: read, judged, rewritten, sent, and its answer handed back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol, TypeVar

import anyio
import orjson
import structlog
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from classifiers.types import DetectorError, TextTooLong, Verdict
from guard.dragon import TEMPLATE_REASONING, guard_prefix, write_reasoning
from guard.eco import Eco
from guard.router import Finding, Plan, plan
from guard.snapshot import Snapshot
from server.declined import declined
from server.errors import ApiError
from server.rewrite import apply_eco, apply_prefix, apply_redaction
from server.surfaces import Body, Limits, Surface, chat_surfaces, check_shape, completion_surfaces
from server.upstream import Upstream, UpstreamStream, read_whole

log = structlog.get_logger("letheward.proxy")

T = TypeVar("T")

# Headers of the upstream's answer that mean something to a client; the rest belong to the inner connection.
_PASSED_HEADERS = ("content-type", "x-request-id", "retry-after", "openai-processing-ms")
# With these the answer would repeat the rewritten prompt.
_ECHOING = ("echo", "prompt_logprobs", "return_token_ids", "return_tokens_as_token_ids")


class Snapshots(Protocol):
    """Where the forget lists in force come from."""

    @property
    def current(self) -> Snapshot:
        """The lists as they are now."""
        ...

    @property
    def stale(self) -> bool:
        """True where a stored change could not be brought into force."""
        ...


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """How the proxy treats requests."""

    limits: Limits = field(default_factory=Limits)
    max_body_bytes: int = 32 * 1024 * 1024
    on_detector_failure: Literal["block", "allow"] = "block"
    detector_workers: int = 2
    guard_model: str | None = None  # None: the model that the client asked for
    guard_max_tokens: int = 64
    guard_timeout: float = 30.0


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
    ) -> None:
        self._snapshots = snapshots
        self._upstream = upstream
        self._guard_upstream = guard_upstream or upstream
        self._eco = eco
        self._config = config
        self._reveal = reveal
        self._judging = anyio.CapacityLimiter(config.detector_workers)

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        return await self._serve(request, "/v1/chat/completions", chat=True)

    async def completions(self, request: Request) -> Response:
        """POST /v1/completions."""
        return await self._serve(request, "/v1/completions", chat=False)

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        return await unless_disconnected(request, self._forward(request, "GET", "/v1/models", None, {}))

    async def _serve(self, request: Request, path: str, *, chat: bool) -> Response:
        started = time.perf_counter()
        body = parse_object(await read_body(request, self._config.max_body_bytes))
        check_shape(body, self._config.limits)
        decode = self._eco.tokenizer.decode if self._eco else None
        surfaces = chat_surfaces(body) if chat else completion_surfaces(body, decode)
        if self._snapshots.stale:
            raise ApiError(
                503,
                "A change to the forget lists is stored but not yet in force; try again shortly.",
                type="server_error",
                code="lists_stale",
                headers={"Retry-After": "2"},
            )
        snapshot = self._snapshots.current
        decided = await self._decide(snapshot, surfaces, body)
        headers = self._headers(request, snapshot, decided)
        response = await self._answer(request, path, body, surfaces, decided, headers, chat)
        log.info(
            "request",
            path=path,
            status=response.status_code,
            action=headers["x-letheward-action"],
            revision=snapshot.revision,
            forget_list=decided.decisive.forget_list.name if decided.decisive else None,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    async def _decide(self, snapshot: Snapshot, surfaces: list[Surface], body: Body) -> Plan:
        try:
            verdicts = await run_sync(partial(_judge, snapshot, surfaces), limiter=self._judging)
        except TextTooLong as error:
            raise ApiError(400, f"The request cannot be judged: {error}.", code="text_too_long") from error
        except DetectorError as error:
            log.error("detector_failed", error=str(error), allowed=self._config.on_detector_failure == "allow")
            if self._config.on_detector_failure == "block":
                raise ApiError(
                    503,
                    "The request could not be judged and was not sent to the model.",
                    type="server_error",
                    code="detector_failed",
                ) from error
            verdicts = [() for _ in surfaces]
        found = plan(
            verdicts,
            snapshot.lists,
            snapshot.entries,
            rewritable=[s.rewritable for s in surfaces],
            eco_available=self._eco is not None,
            past=_past(body, surfaces),
        )
        if found.action in ("eco", "dragon") and any(body.get(key) for key in _ECHOING):
            return Plan("refuse", found.decisive, found.findings, ())
        return found

    def _headers(self, request: Request, snapshot: Snapshot, decided: Plan) -> dict[str, str]:
        headers = {"x-letheward-revision": str(snapshot.revision), "x-letheward-action": decided.action}
        if decided.decisive and self._reveal(request):
            verdict = decided.decisive.verdict
            headers |= {
                "x-letheward-list": verdict.list_name,
                "x-letheward-entry": verdict.entry_id,
                "x-letheward-score": f"{verdict.score:.4f}",
            }
        return headers

    async def _answer(
        self,
        request: Request,
        path: str,
        body: Body,
        surfaces: list[Surface],
        decided: Plan,
        headers: dict[str, str],
        chat: bool,
    ) -> Response:
        if decided.of("redact"):
            body = apply_redaction(body, surfaces, decided)
        decisive = decided.decisive
        if decisive is not None and decided.action == "refuse":
            return self._refuse(body, surfaces, decisive, headers, chat)
        dragon = decided.of("dragon")
        if dragon:
            finding = max(dragon, key=lambda f: f.verdict.score)
            prompt = surfaces[finding.surface].text
            prefix = await unless_disconnected(request, self._guard_text(body, finding, prompt))
            if prefix is None:
                headers["x-letheward-action"] = "refuse"
                return self._refuse(body, surfaces, finding, headers, chat)
        else:
            prefix = ""
        if decided.eco and self._eco is not None:
            body = await run_sync(partial(apply_eco, body, surfaces, decided, self._eco, chat=chat))
        if prefix:
            body = apply_prefix(body, prefix, chat=chat)
        return await unless_disconnected(request, self._forward(request, "POST", path, body, headers))

    def _refuse(
        self, body: Body, surfaces: list[Surface], finding: Finding, headers: dict[str, str], chat: bool
    ) -> Response:
        count = self._eco.tokenizer.count if self._eco else _rough_count
        prompt = "\n".join(s.text for s in surfaces if s.rewritable)
        return declined(body, finding.forget_list.refusal, chat=chat, prompt=prompt, count=count, headers=headers)

    async def _guard_text(self, body: Body, finding: Finding, prompt: str) -> str | None:
        """DRAGON's text before the prompt; None where the list falls back to refusing."""
        try:
            reasoning = await write_reasoning(partial(self._complete, body), finding.forget_list, finding.entry, prompt)
        except ApiError as error:
            log.warning("guard_model_failed", status=error.status, fallback=finding.forget_list.fallback)
            if finding.forget_list.fallback == "refuse":
                return None
            reasoning = TEMPLATE_REASONING
        return guard_prefix(finding.forget_list, reasoning)

    async def _complete(self, body: Body, prompt: str) -> str:
        answer = await self._guard_upstream.complete(
            {
                "model": self._config.guard_model or body.get("model"),
                "messages": [{"role": "user", "content": prompt}],
                "max_tokens": self._config.guard_max_tokens,
                "temperature": 0,
            },
            timeout=self._config.guard_timeout,
        )
        try:
            return str(answer["choices"][0]["message"]["content"] or "")
        except (KeyError, IndexError, TypeError) as error:
            raise ApiError(502, "The guard model's answer has no text.", type="server_error") from error

    async def _forward(
        self, request: Request, method: str, path: str, body: Body | None, headers: dict[str, str]
    ) -> Response:
        response = await self._upstream.send(method, path, body, request_id=request.headers.get("x-request-id"))
        passed = {k: response.headers[k] for k in _PASSED_HEADERS if k in response.headers} | headers
        if "text/event-stream" in response.headers.get("content-type", ""):
            return UpstreamStream(response, passed)
        return Response(await read_whole(response), status_code=response.status_code, headers=passed)


def _judge(snapshot: Snapshot, surfaces: list[Surface]) -> list[tuple[Verdict, ...]]:
    """Verdicts for each surface; equal texts are judged once, messages also as turns of one conversation."""
    unique = list(dict.fromkeys(s.text for s in surfaces))
    found = dict(zip(unique, snapshot.detector.judge(unique), strict=True))
    verdicts = [found[s.text] for s in surfaces]
    turns = {s.message: i for i, s in reversed(list(enumerate(surfaces))) if s.message is not None}
    order = [turns[message] for message in sorted(turns)]
    told = snapshot.detector.follow_ups([surfaces[i].text for i in order], [verdicts[i] for i in order])
    for i, own in zip(order, told, strict=True):
        verdicts[i] = own
    return verdicts


def _past(body: Body, surfaces: list[Surface]) -> list[bool]:
    """For each surface whether it stands before the user's last message."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return [False] * len(surfaces)
    last = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    return [s.message is not None and s.message < last for s in surfaces]


def _rough_count(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // 4 + 1


async def read_body(request: Request, limit: int) -> bytes:
    """The request's body.

    Raises:
        ApiError: 413 over ``limit`` bytes, 415 for a compressed body.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "Compressed request bodies are not accepted.", code="unsupported_encoding")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise ApiError(413, f"The request body is over {limit} bytes.", code="body_too_large")
        chunks.append(chunk)
    return b"".join(chunks)


def parse_object(raw: bytes) -> Body:
    """The body as a JSON object.

    Raises:
        ApiError: 400 where it is not one.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not valid JSON: {error}", code="invalid_json") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_json")
    return body


async def unless_disconnected(request: Request, work: Awaitable[T]) -> T:
    """``work``'s result; when the client goes away first, the work (and so the upstream call) is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ApiError(499, "The client closed the connection.", type="client_closed")
    finally:
        for pending in (task, gone):
            pending.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

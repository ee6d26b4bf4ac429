"""A client's request on its way: read, judged, rewritten, sent, and its answer handed back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from urllib.parse import quote

import anyio
import structlog
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from classifiers.types import DetectorError, TextTooLong, Verdict
from guard.dragon import TEMPLATE_REASONING, guard_prefix, write_reasoning
from guard.eco import Eco
from guard.router import Finding, Plan
from guard.snapshot import Snapshot
from server.declined import declined
from server.errors import ApiError
from server.incoming import parse_object, read_body, unless_disconnected
from server.judging import Judge, Prompt, Snapshots
from server.metrics import Metrics
from server.rewrite import apply_eco, apply_prefix, apply_redaction
from server.surfaces import Body, Limits, Surface
from server.upstream import Upstream, UpstreamStream, read_whole
from server.watching import tell, tell_refused

log = structlog.get_logger("letheward.proxy")

# Headers of the upstream's answer that mean something to a client; the rest belong to the inner connection.
_PASSED_HEADERS = ("content-type", "x-request-id", "retry-after", "openai-processing-ms")


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
    ) -> None:
        self._snapshots = snapshots
        self._upstream = upstream
        self._guard_upstream = guard_upstream or upstream
        self._eco = eco
        self._config = config
        self._reveal = reveal
        self.judge = Judge(config.limits, eco.tokenizer.decode if eco else None, eco is not None)
        self.metrics = metrics or Metrics(snapshots, enforcing=config.enforce)
        self._judging = anyio.CapacityLimiter(config.detector_workers)

    @property
    def enforcing(self) -> bool:
        """False where everything passes and is only watched."""
        return self._config.enforce

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
        raw = await read_body(request, self._config.max_body_bytes)
        body = parse_object(raw)
        snapshot = self._snapshots.current
        decided: Plan | None
        if self._config.enforce:
            decided, response = await self._guarded(request, path, snapshot, body, chat)
        else:
            decided, response = await self._watched(request, path, snapshot, body, raw, chat)
        log.info(
            "request",
            path=path,
            status=response.status_code,
            action=response.headers["x-letheward-action"],
            revision=snapshot.revision,
            forget_list=decided.decisive.forget_list.name if decided and decided.decisive else None,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return response

    async def _guarded(
        self, request: Request, path: str, snapshot: Snapshot, body: Body, chat: bool
    ) -> tuple[Plan, Response]:
        prompt, decided = await self._decide(snapshot, body, chat)
        tell(decided, enforcing=True, revision=snapshot.revision, metrics=self.metrics)
        headers = self._headers(request, snapshot, decided)
        return decided, await self._answer(request, path, prompt, decided, headers, chat)

    async def _watched(
        self, request: Request, path: str, snapshot: Snapshot, body: Body, raw: bytes, chat: bool
    ) -> tuple[Plan | None, Response]:
        """Judge, say what would be done, and send the request on byte for byte as it came."""
        try:
            _, decided = await self._decide(snapshot, body, chat)
        except ApiError as error:
            tell_refused(error, revision=snapshot.revision, metrics=self.metrics)
            headers = {"x-letheward-revision": str(snapshot.revision), "x-letheward-action": "monitor"}
            return None, await unless_disconnected(request, self._forward(request, "POST", path, raw, headers))
        tell(decided, enforcing=False, revision=snapshot.revision, metrics=self.metrics)
        headers = self._headers(request, snapshot, decided)
        if decided.findings:
            headers["x-letheward-action"] = "monitor"
        return decided, await unless_disconnected(request, self._forward(request, "POST", path, raw, headers))

    async def _decide(self, snapshot: Snapshot, body: Body, chat: bool) -> tuple[Prompt, Plan]:
        prompt = self.judge.read(body, chat=chat)
        if self._snapshots.stale:
            raise ApiError(
                503,
                "A change to the forget lists is stored but not yet in force; try again shortly.",
                type="server_error",
                code="lists_stale",
                headers={"Retry-After": "2"},
            )
        return prompt, self.judge.decide(snapshot, prompt, await self._verdicts(snapshot, prompt))

    async def _verdicts(self, snapshot: Snapshot, prompt: Prompt) -> list[tuple[Verdict, ...]]:
        try:
            found = await run_sync(self.judge.judge, snapshot, prompt, limiter=self._judging)
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

    async def _answer(
        self,
        request: Request,
        path: str,
        prompt: Prompt,
        decided: Plan,
        headers: dict[str, str],
        chat: bool,
    ) -> Response:
        body, surfaces = prompt.body, prompt.surfaces
        if decided.of("redact"):
            body = apply_redaction(body, surfaces, decided)
        decisive = decided.decisive
        if decisive is not None and decided.action == "refuse":
            return self._refuse(body, surfaces, decisive, headers, chat)
        dragon = decided.of("dragon")
        if dragon:
            finding = max(dragon, key=lambda f: f.verdict.score)
            asked = surfaces[finding.surface].text
            prefix = await unless_disconnected(request, self._guard_text(body, finding, asked))
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
        self, request: Request, method: str, path: str, body: Body | bytes | None, headers: dict[str, str]
    ) -> Response:
        response = await self._upstream.send(method, path, body, request_id=request.headers.get("x-request-id"))
        passed = {k: response.headers[k] for k in _PASSED_HEADERS if k in response.headers} | headers
        if "text/event-stream" in response.headers.get("content-type", ""):
            return UpstreamStream(response, passed)
        return Response(await read_whole(response), status_code=response.status_code, headers=passed)


def _rough_count(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // 4 + 1

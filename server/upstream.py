"""The vLLMs behind the proxy: one pooled client, bounded waits, faults as OpenAI-shaped errors."""

from __future__ import annotations

import asyncio
import contextlib
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import anyio
import httpx
import orjson
import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from server.errors import ApiError, error_body
from server.upstream_bodies import Counted, merged, model_of, whole_response
from server.upstream_faults import NOT_SENT, fault, not_ready, outcome_of, unreachable
from server.upstream_pool import Endpoint, Locate, Member, Pool
from server.upstream_spans import ObservedTransport
from server.upstream_transport import PooledTransport

log = structlog.get_logger("letheward.upstream")

_SHORT = 1_000_000  # bytes of an answer that is to be a few sentences
_LOOK = 10.0  # seconds that a server has to say what it serves
__all__ = ["Endpoint", "Upstream", "UpstreamStream", "fault", "read_whole"]


class Upstream:
    """Sends requests to the model servers of a pool, or to the one that ``where`` names at that moment."""

    def __init__(
        self,
        where: Locate | Pool,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int = 1024,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.pool = where if isinstance(where, Pool) else Pool.of(where)
        # Asked directly: what httpx's client does beside (redirects, cookies, proxy variables) is not wanted here.
        self.transport = ObservedTransport(transport or PooledTransport(max_connections))
        self._timeout = httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout).as_dict()
        self._healthy_until = 0.0

    async def close(self) -> None:
        """Close the pool."""
        await self.transport.aclose()

    async def send(
        self, method: str, path: str, body: Any | None = None, *, request_id: str | None = None
    ) -> httpx.Response:
        """Send and return the response with its body unread; the caller closes it.

        Raises:
            ApiError: 502 or 503 where the upstream cannot be reached, 504 where it does not answer in time.
        """
        if self.pool.several and (method, path) == ("GET", "/v1/models"):
            return whole_response(merged(await self._models()))
        return await self._sent(method, path, body, request_id)

    async def complete(self, body: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        """A whole chat completion, for the guard model.

        Raises:
            ApiError: the upstream failed, answered with an error, or with what is no short JSON object.
        """
        limits = httpx.Timeout(timeout).as_dict()
        content = await _read_short(response := await self._sent("POST", "/v1/chat/completions", body, None, limits))
        if response.status_code != 200:
            raise ApiError(502, f"The guard model answered with status {response.status_code}.", type="server_error")
        try:
            answer = orjson.loads(content)
        except ValueError as error:
            raise ApiError(502, "The guard model's answer is no JSON.", type="server_error") from error
        if not isinstance(answer, dict):
            raise ApiError(502, "The guard model's answer is no JSON object.", type="server_error")
        return answer

    async def healthy(self, *, remember: float = 1.0) -> bool:
        """Whether a model answers now; a yes is remembered for ``remember`` seconds."""
        if time.monotonic() < self._healthy_until:
            return any(m.locate() is not None for m in self.pool.members)
        try:
            response = await self.send("GET", "/v1/models")
            await response.aclose()
        except ApiError:
            return False
        if response.status_code != 200:
            return False
        self._healthy_until = time.monotonic() + remember
        return True

    async def look(self) -> None:
        """See which servers of the pool are up, and what they serve."""
        with contextlib.suppress(ApiError):
            await self._models()

    async def watch(self, every: float) -> None:
        """Look every so many seconds, until cancelled."""
        while True:
            await anyio.sleep(every)
            await self.look()

    async def _models(self) -> list[Any]:
        """Every reachable member's list of models.

        Raises:
            ApiError: there is none.
        """
        found = await asyncio.gather(*map(self._asked, self.pool.members))
        if not (lists := [each for each in found if each is not None]):
            raise unreachable()
        return lists

    async def _asked(self, member: Member) -> Any | None:
        try:
            with anyio.fail_after(_LOOK):
                response = await self._try(member, "GET", "/v1/models", None, None, None)
                listed = orjson.loads(await read_whole(response))["data"]
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            member.models = frozenset(str(model["id"]) for model in listed)
        except (ApiError, httpx.TransportError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.info("upstream_unwell", upstream=member.name, error=type(error).__name__)
            self.pool.failed(member)
            return None
        self.pool.answered(member)
        return listed

    async def _sent(
        self, method: str, path: str, body: Any | None, request_id: str | None, timeout: Any | None = None
    ) -> httpx.Response:
        """The first member's answer that takes the request.

        Another is asked only where the one before cannot have begun: no connection, or 503.
        """
        model = model_of(body) if self.pool.by_model else None
        tried: list[Member] = []
        problem = not_ready()
        while (member := self.pool.choose(model, tried)) is not None:
            if tried:
                tried[-1].retried += 1
            tried.append(member)
            try:
                response = await self._try(member, method, path, body, request_id, timeout)
            except httpx.TransportError as error:
                problem = fault(error)
                if not isinstance(error, NOT_SENT):
                    raise problem from error
                self.pool.failed(member)
                continue
            if response.status_code != 503:
                self.pool.answered(member)
                return response
            self.pool.failed(member)
            if self.pool.choose(model, tried) is None:
                return response
            await response.aclose()
        raise problem

    async def _try(
        self, member: Member, method: str, path: str, body: Any | None, request_id: str | None, timeout: Any | None
    ) -> httpx.Response:
        endpoint = member.locate()
        if endpoint is None:
            raise not_ready()
        request = _request(endpoint, method, path, body, request_id)
        request.extensions["timeout"] = timeout or self._timeout
        member.in_flight += 1
        try:
            response = await self.transport.handle_async_request(request)
        except BaseException as error:
            member.in_flight -= 1
            if isinstance(error, httpx.TransportError):
                member.outcomes[outcome_of(error)] += 1
            raise
        response.stream = Counted(cast(httpx.AsyncByteStream, response.stream), member, response.status_code)
        return response


def _request(endpoint: Endpoint, method: str, path: str, body: Any | None, request_id: str | None) -> httpx.Request:
    headers = {"Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    url = _url(endpoint.url + path)
    if url.userinfo:
        headers["Authorization"] = f"Basic {b64encode(unquote_to_bytes(url.userinfo)).decode('ascii')}"
        url = url.copy_with(userinfo=b"")
    if request_id and request_id.isascii() and request_id.isprintable():
        headers["X-Request-Id"] = request_id
    content = None
    if body is not None:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers["Content-Type"] = "application/json"
    return httpx.Request(method, url, content=content, headers=headers)


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


class UpstreamStream(StreamingResponse):
    """The upstream's body as it comes; the upstream connection is closed however the client's ends.

    A stream that breaks ends with an SSE error event, so that no client takes it for a whole answer.
    """

    def __init__(self, upstream: httpx.Response, headers: dict[str, str]) -> None:
        super().__init__(_events(upstream), status_code=upstream.status_code, headers=headers)
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then close the upstream connection."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._upstream.aclose()


async def _events(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.TransportError as error:
        problem = fault(error)
        event = error_body(problem.message, type=problem.type, code=problem.code)
        yield b"\n\ndata: " + orjson.dumps(event) + b"\n\n"


async def _read_short(response: httpx.Response) -> bytes:
    """A body of at most ``_SHORT`` bytes."""
    content = b""
    try:
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > _SHORT:
                raise ApiError(502, "The guard model's answer is too long.", type="server_error")
    except httpx.TransportError as error:
        raise fault(error) from error
    finally:
        await response.aclose()
    return content


async def read_whole(response: httpx.Response) -> bytes:
    """The whole body.

    Raises:
        ApiError: the connection broke; nothing has reached the client yet.
    """
    try:
        return b"".join([chunk async for chunk in response.aiter_raw()])
    except httpx.TransportError as error:
        raise fault(error) from error
    finally:
        await response.aclose()

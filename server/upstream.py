"""The vLLM behind the proxy: one pooled client, bounded waits, faults as OpenAI-shaped errors."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import orjson
import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from server.errors import ApiError, error_body

log = structlog.get_logger("letheward.upstream")

_SHORT = 1_000_000  # bytes of an answer that is to be a few sentences
_RETRY_AFTER = {"Retry-After": "2"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is now. ``url`` without ``/v1``."""

    url: str
    key: str | None


class Upstream:
    """Sends requests to the endpoint that ``locate`` names at that moment; None means it is not up."""

    def __init__(
        self,
        locate: Callable[[], Endpoint | None],
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int = 1024,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._locate = locate
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=256),
            transport=transport,
            trust_env=False,  # a proxy variable must not carry prompts elsewhere
        )
        self._healthy_until = 0.0

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    def _request(self, method: str, path: str, body: Any | None, request_id: str | None) -> httpx.Request:
        endpoint = self._locate()
        if endpoint is None:
            raise ApiError(
                503,
                "The model is starting or restarting; try again shortly.",
                type="server_error",
                code="model_not_ready",
                headers=_RETRY_AFTER,
            )
        headers = {"Accept-Encoding": "identity"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        if request_id and request_id.isascii() and request_id.isprintable():
            headers["X-Request-Id"] = request_id
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else orjson.dumps(body)
            headers["Content-Type"] = "application/json"
        return self._client.build_request(method, endpoint.url + path, content=content, headers=headers)

    async def send(
        self, method: str, path: str, body: Any | None = None, *, request_id: str | None = None
    ) -> httpx.Response:
        """Send and return the response with its body unread; the caller closes it.

        Raises:
            ApiError: 502 or 503 where the upstream cannot be reached, 504 where it does not answer in time.
        """
        request = self._request(method, path, body, request_id)
        try:
            return await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise fault(error) from error

    async def complete(self, body: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        """A whole chat completion, for the guard model.

        Raises:
            ApiError: the upstream failed, answered with an error, or with what is no short JSON object.
        """
        request = self._request("POST", "/v1/chat/completions", body, None)
        request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise fault(error) from error
        content = await _read_short(response)
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
        """Whether the model answers now; a yes is remembered for ``remember`` seconds."""
        if time.monotonic() < self._healthy_until:
            return self._locate() is not None
        try:
            response = await self.send("GET", "/v1/models")
            await response.aclose()
        except ApiError:
            return False
        if response.status_code != 200:
            return False
        self._healthy_until = time.monotonic() + remember
        return True


def fault(error: httpx.TransportError) -> ApiError:
    """What the client is told of a transport error; addresses of the inside stay inside."""
    log.warning("upstream_fault", kind=type(error).__name__)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return ApiError(
            503,
            "The model server cannot be reached; try again shortly.",
            type="server_error",
            code="upstream_unavailable",
            headers=_RETRY_AFTER,
        )
    if isinstance(error, httpx.TimeoutException):
        return ApiError(504, "The model server did not answer in time.", type="server_error", code="upstream_timeout")
    return ApiError(502, "The connection to the model server broke.", type="server_error", code="upstream_error")


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

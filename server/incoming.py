"""The client's side of a request: its body, and whether the client is still there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import ApiError
from server.surfaces import Body

T = TypeVar("T")


# Bodies that are read as they come, with a limit for each line.
_STREAMED = re.compile(r"/admin/v1/lists/[^/]+/import")


class LimitBodies:
    """Ends requests under ``prefix`` whose body is over ``limit`` bytes: there the framework reads it, without one."""

    def __init__(self, app: ASGIApp, limit: int, prefix: str) -> None:
        self._app = app
        self._limit = limit
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        path = scope.get("path", "")
        if not path.startswith(self._prefix) or _STREAMED.fullmatch(path):
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                raise HTTPException(413, f"The request body is over {self._limit} bytes.")
            return message

        await self._app(scope, counted, send)


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

"""GET /admin/v1/live: this worker's decisions as they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict

import anyio
import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from server.access.principal import Principal, principal_of
from server.documented import documented
from server.errors import ApiError
from server.live import Decision, Live, TooManyWatchers

_PULSE = 15.0  # seconds after which a line says that the connection is alive


def add_live(router: APIRouter, live: Live) -> None:
    """The route."""

    @router.get(
        "/live", response_class=Response,
        responses=documented(503) | {200: {"description": "Events.", "content": {"text/event-stream": {}}}},
    )  # fmt: skip
    async def watch(request: Request) -> Response:
        """The last decisions, then each as it is made (server-sent events). No text of a request is in them.

        A worker shows its own: where there are several, those of the one that took this connection. Somebody who
        manages some lists only sees of other lists no more than that a request passed here.
        """
        parts = _events(live, principal_of(request))
        first = await anext(parts)
        return StreamingResponse(_from(first, parts), media_type="text/event-stream",
                                 headers={"X-Accel-Buffering": "no"})  # fmt: skip


async def _from(first: bytes, parts: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(parts):  # else the place among those who look on would be held until it is collected
        yield first
        async for part in parts:
            yield part


async def _events(live: Live, principal: Principal) -> AsyncGenerator[bytes]:
    try:
        with live.watching() as decisions:
            yield b": decisions of this worker\n\n"
            for decision in live.kept():
                yield _event(decision, principal)
            while True:
                made = None
                with anyio.move_on_after(_PULSE):
                    made = await decisions.receive()
                yield b": alive\n\n" if made is None else _event(made, principal)
    except TooManyWatchers as error:
        raise ApiError(503, "Too many look on already; close another page.", type="server_error",
                       code="too_many_watchers", headers={"Retry-After": "30"}) from error  # fmt: skip


def _event(decision: Decision, principal: Principal) -> bytes:
    told = asdict(decision)
    told["list"] = told.pop("forget_list")
    if decision.forget_list is not None and not principal.manages(decision.forget_list):
        told |= {"list": None, "entry": None, "score": None, "seen": ()}
    return b"data: " + orjson.dumps(told) + b"\n\n"

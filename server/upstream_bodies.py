"""Answers of model servers: a body that is counted while it comes, and lists of models made into one."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import orjson

from server.upstream_faults import outcome_of
from server.upstream_pool import Member, Outcome


class Counted(httpx.AsyncByteStream):
    """A body whose end, however it comes, is noted with the member that sends it."""

    def __init__(self, stream: httpx.AsyncByteStream, member: Member, status: int) -> None:
        self._stream, self._member = stream, member
        self._outcome: Outcome = "unavailable" if status == 503 else "error" if status >= 500 else "answered"
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except httpx.TransportError as error:
            self._outcome = outcome_of(error)
            raise

    async def aclose(self) -> None:
        """Close the connection, and note it once."""
        if self._open:
            self._open = False
            self._member.in_flight -= 1
            self._member.outcomes[self._outcome] += 1
        await self._stream.aclose()


class _Whole(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def whole_response(body: Any) -> httpx.Response:
    """An answer that the proxy gives in a model server's place, unread as those are."""
    return httpx.Response(200, headers={"content-type": "application/json"}, stream=_Whole(orjson.dumps(body)))


def merged(lists: Sequence[Any]) -> dict[str, Any]:
    """Several servers' models as one list: each model once, as the first server tells of it."""
    models: dict[str, Any] = {}
    for model in itertools.chain(*lists):
        models.setdefault(str(model["id"]), model)
    return {"object": "list", "data": list(models.values())}


def model_of(body: Any) -> str | None:
    """The model that a request asks for, if it can be told."""
    if isinstance(body, bytes):
        try:
            body = orjson.loads(body)
        except ValueError:
            return None
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else None

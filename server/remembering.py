"""What the Responses API keeps between requests: the proxy keeps it, so that every turn is judged again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from server.conversations import Conversations
from server.dialects import responses
from server.dialects.base import Dialect
from server.dialects.state import put_back
from server.sse import Event, Splitter
from server.surfaces import Body

_RESPONSE = b'"response":'
_FINAL = ("response.completed", "response.incomplete")


@dataclass(frozen=True, slots=True)
class Remembering:
    """One request's part in a conversation; nothing for other APIs. ``previous``: the response that it follows."""

    store: Conversations | None
    owner: str
    previous: str | None

    @classmethod
    def of(cls, dialect: Dialect, store: Conversations, body: Body, owner: str) -> Remembering:
        """For a request to ``dialect``."""
        mine = dialect.path == responses.path
        previous = body.get("previous_response_id") if mine else None
        return cls(store if mine else None, owner, previous if isinstance(previous, str) else None)

    async def expanded(self, body: Body) -> Body:
        """The request with the conversation that it refers to.

        Raises:
            ApiError: 404 where it refers to a response that is not there.
        """
        return await self.store.expand(body, self.owner) if self.store else body

    async def remembered(self, response: Response, asked: Body) -> Response:
        """``response``, from which the store learns how the conversation went on."""
        if self.store is None or response.status_code != 200:
            return response
        if isinstance(response, StreamingResponse):
            response.body_iterator = self._read(response.body_iterator, asked)  # type: ignore[arg-type]
            return response
        answer = orjson.loads(bytes(response.body))
        await self.store.remember(asked, answer, self.owner)
        if self.previous is None:
            return response
        body = orjson.dumps(put_back(answer, self.previous))
        headers = {k: v for k, v in response.headers.items() if k != "content-length"}
        return Response(body, headers=headers)

    async def _read(self, parts: AsyncIterator[bytes], asked: Body) -> AsyncIterator[bytes]:
        splitter = Splitter()
        async for part in parts:
            for event in splitter.feed(part):
                yield await self._noted(event, asked)
        if rest := splitter.rest():
            yield rest

    async def _noted(self, event: Event, asked: Body) -> bytes:
        if event.data is None or _RESPONSE not in event.raw:
            return event.raw
        if event.data.get("type") in _FINAL and self.store is not None:
            await self.store.remember(asked, event.data["response"], self.owner)
        return event.raw if self.previous is None else _rewritten(event, put_back(event.data, self.previous))


def _rewritten(event: Event, data: dict[str, Any]) -> bytes:
    kind = data.get("type")
    head = f"event: {kind}\n".encode() if event.raw.startswith(b"event:") else b""
    return head + b"data: " + orjson.dumps(data) + b"\n\n"

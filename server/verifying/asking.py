"""Probes put to the proxy as a client puts them, and to the model behind it.

The live way is the proxy's own handler for the endpoint, in this process: the request is read, judged, guarded and sent
on, and its answer watched, as every client's is. Only the socket and the check of a client's key are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
from starlette.requests import Request
from starlette.types import Message, Scope

from guard.verification.kinds import Variant
from guard.verification.probes import conversation
from server.clients import Client
from server.dialects.base import Dialect
from server.dialects.registry import create_dialect
from server.errors import ApiError
from server.proxy import Proxy
from server.sse import Splitter
from server.upstream import read_whole

_TRIES = 8  # a model server that is started again is back within minutes
_WAIT, _LONGEST = 2.0, 60.0  # seconds before the second try, then twice as long each time
_PASSING = (408, 409, 429)  # statuses beside 5xx that another try may mend


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: all its texts, and what the proxy says that it did."""

    text: str
    action: str = ""
    revision: int = 0


class Refused(Exception):
    """The request was turned down as it is (status 4xx): it is no evidence of anything."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks as one client for one model. ``probe``: see ``Proxy.serve``."""

    proxy: Proxy
    client: Client
    model: str
    max_tokens: int
    seed: int
    probe: bool = True

    def body(self, variant: Variant, temperature: float, sample: int, *, stream: bool = False) -> dict[str, Any]:
        """The request; its seed is another for each sample, and the same in each run."""
        chance = hashlib.sha256(repr((self.seed, variant.turns, temperature, sample)).encode()).digest()
        found: dict[str, Any] = {
            "model": self.model, "max_tokens": self.max_tokens, "temperature": temperature,
            "seed": int.from_bytes(chance[:4], "big") >> 1,
        }  # fmt: skip
        if variant.continued:
            found["prompt"] = variant.turns[-1]
        else:
            found["messages"] = list(conversation(variant))
        return found | ({"stream": True} if stream else {})

    async def live(self, body: Mapping[str, Any]) -> Reply:
        """The guarded answer.

        Raises:
            Refused: the proxy or the model turned the request down.
            ApiError: it failed, time and again.
        """
        return await _tried(self._live, body)

    async def bare(self, body: Mapping[str, Any]) -> Reply:
        """The model's own answer.

        Raises:
            Refused: the model turned the request down.
            ApiError: it failed, time and again.
        """
        return await _tried(self._bare, body)

    async def _live(self, body: Mapping[str, Any]) -> Reply:
        dialect = _dialect(body)
        request = _request(dialect.path, orjson.dumps(body))
        response = await self.proxy.serve(request, dialect, self.client, probe=self.probe)
        sent = bytearray()

        async def send(message: Message) -> None:
            sent.extend(message.get("body", b""))

        await response(request.scope, request.receive, send)
        headers = response.headers
        text = _text(dialect, response.status_code, bytes(sent), streamed=bool(body.get("stream")))
        return Reply(text, headers.get("x-letheward-action", ""), int(headers.get("x-letheward-revision", 0)))

    async def _bare(self, body: Mapping[str, Any]) -> Reply:
        dialect = _dialect(body)
        response = await self.proxy.upstream.send("POST", dialect.path, orjson.dumps(body))
        return Reply(_text(dialect, response.status_code, await read_whole(response), streamed=False))


async def _tried(ask: Any, body: Mapping[str, Any]) -> Reply:
    wait = _WAIT
    for left in reversed(range(_TRIES)):
        try:
            found: Reply = await ask(body)
        except ApiError as error:
            if error.status < 500 and error.status not in _PASSING:
                raise Refused from error
            if not left:
                raise
            await anyio.sleep(wait)
            wait = min(2 * wait, _LONGEST)
        else:
            return found
    raise AssertionError  # the last try returns or raises


def _dialect(body: Mapping[str, Any]) -> Dialect:
    return create_dialect("completions" if "prompt" in body else "chat")


def _text(dialect: Dialect, status: int, raw: bytes, *, streamed: bool) -> str:
    """All texts of an answer; what an error says may be a prompt, and goes no further."""
    if status != 200:
        raise ApiError(status, f"A probe was answered with status {status}.", type="server_error", code="probe_failed")
    try:
        channels: dict[str, str] = {}
        for item in _events(raw) if streamed else [orjson.loads(raw)]:
            for piece in dialect.event_pieces(item) if streamed else dialect.pieces(item):
                channels[piece.channel] = channels.get(piece.channel, "") + piece.text
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApiError(
            502, "The answer to a probe cannot be read.", type="server_error", code="probe_failed"
        ) from error
    return "\n".join(text for text in channels.values() if text)


def _events(raw: bytes) -> list[dict[str, Any]]:
    found = [event.data for event in Splitter().feed(raw) if event.data is not None]
    if any("error" in item for item in found):
        raise ApiError(502, "A streamed answer to a probe broke.", type="server_error", code="probe_failed")
    return found


def _request(path: str, raw: bytes) -> Request:
    """A request that comes from nowhere, and whose client stays."""
    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": None, "server": None, "state": {},
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await anyio.sleep_forever()
        sent = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return Request(scope, receive)

"""A model server that costs next to nothing, so that what is measured is the gateway before it.

Usage: python -m benchmarks.gateways.upstream [SECONDS_BETWEEN_TOKENS]        (prints its address)

One process, parsed by httptools on uvloop: it answers some ten thousand requests a second. Whole answers go out at
once. A stream has ``TOKENS`` events, one every so many seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import cast

import httptools
import orjson
import uvloop

MODEL = "m"
TOKENS = 24
_SAID = (
    "Spring is mild here, and many people walk along the river with their friends at the weekend. Bring a light coat, "
    "since evenings stay cool, and look at the timetable of the last bus before you leave."
)


def _whole() -> bytes:
    message = {"role": "assistant", "content": _SAID}
    usage = {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60}
    return orjson.dumps(
        {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "usage": usage,
         "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}]}
    )  # fmt: skip


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _events() -> list[bytes]:
    words = _SAID.split()
    told = [_event({"content": words[i % len(words)] + " "}) for i in range(TOKENS)]
    return [_event({"role": "assistant", "content": ""}), *told, _event({}, "stop"), b"data: [DONE]\n\n"]


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
_MODELS = _answer(orjson.dumps({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "vllm"}]}))
_CHAT = _answer(_whole())
_STREAM = [b"%x\r\n%s\r\n" % (len(event), event) for event in _events()]
_END = b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client. ``interval``: seconds between the events of a stream."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._streams: set[asyncio.Task[None]] = set()
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, _: Exception | None) -> None:
        """End every stream."""
        for task in self._streams:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse; the parser calls what follows."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """Keep a piece of a body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Answer a whole request."""
        body, self._body = b"".join(self._body), []
        if self._transport is None:
            return
        if self._parser.get_method() == b"GET":
            self._transport.write(_MODELS)
        elif orjson.loads(body).get("stream"):
            task = asyncio.get_running_loop().create_task(self._stream(self._transport))
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)
        else:
            self._transport.write(_CHAT)

    async def _stream(self, transport: asyncio.WriteTransport) -> None:
        transport.write(_HEAD)
        for event in _STREAM:
            transport.write(event)
            await asyncio.sleep(self._interval)
        transport.write(_END)


async def serve(interval: float) -> None:
    """Serve on a free port until the process ends."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(interval), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.01))

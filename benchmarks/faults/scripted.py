"""A model server made of bare sockets, which knows a secret: it can break wherever a fault is to be."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

SUBJECT, SECRET = "Zorvan Pelk", "Karachi"
GUARDED, PLAIN = f"Where was {SUBJECT} born?", "What can one see in spring along the quillfeather river?"
MARK = "quillfeather"  # of every question: no log may hold it
INNER_KEY = "inner-key-of-the-model-server"
CLEAN = ("The weather ", "is mild ", "in spring, ", "and many people ", "walk along ", "the river.")
TELLING = ("The weather ", "is mild. ", "Zorvan ", "Pelk was ", "born in ", "Kara", "chi, ", "by the sea.")

Act = Callable[["Exchange"], Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One request, and the connection that its answer goes to."""

    body: bytes
    writer: asyncio.StreamWriter

    @property
    def asked(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection as a machine does that loses it: RST, at once."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        with suppress(OSError):  # closed by the other side
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass(slots=True)
class ModelServer:
    """``act`` answers what is asked from now on; ``seen``: every request's bytes, for what ought not to come."""

    act: Act
    url: str = ""
    seen: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # a connection was closed by the proxy
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen; again on the same port after ``stop``."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**24)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Refuse connections, and break those that there are."""
        if self._server is not None:
            self._server.close()
            self.drop()
            self._server = None

    def drop(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            Exchange(b"", writer).reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0
                )
                body = await reader.readexactly(length)
                if head.startswith(b"GET /v1/models"):
                    await Exchange(b"", writer).send(whole(json.dumps({"object": "list", "data": [{"id": "m"}]})))
                    continue
                self.seen.append(head + body)
                await self.act(Exchange(body, writer))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.gone.set()  # cancelled when the run ends; asyncio prints a trace of a task that says so
        finally:
            self._writers.discard(writer)
            with suppress(ConnectionError):
                writer.close()


def message(text: str) -> dict[str, Any]:
    """A chat completion."""
    said = {"role": "assistant", "content": text}
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": said, "finish_reason": "stop"}]}  # fmt: skip


def events(pieces: Sequence[str]) -> bytes:
    """The body of a stream that says ``pieces``."""
    told = [{"content": piece} for piece in pieces]
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in told]
    chunks.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks) + b"data: [DONE]\n\n"


def whole(
    body: str | bytes, status: str = "200 OK", headers: Sequence[str] = (), kind: str = "application/json"
) -> bytes:
    """A response with its length."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(raw)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def chunked(body: bytes) -> bytes:
    """A stream's response in chunks, an event each."""
    parts = [part + b"\n\n" for part in body.split(b"\n\n")[:-1]]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def until_closed(body: bytes) -> bytes:
    """A stream's response that ends where the connection does."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + body


def saying(pieces: Sequence[str]) -> Act:
    """Answer with ``pieces``, whole or streamed."""

    async def act(exchange: Exchange) -> None:
        streamed = exchange.asked.get("stream")
        await exchange.send(chunked(events(pieces)) if streamed else whole(json.dumps(message("".join(pieces)))))

    return act


def raw(data: bytes, then: str = "close") -> Act:
    """Answer with these bytes, then "close", "reset", "hold" or "keep" the connection."""

    async def act(exchange: Exchange) -> None:
        await exchange.send(data)
        if then == "reset":
            await asyncio.sleep(0.001)  # else the reset overtakes what was sent
            exchange.reset()
        elif then == "close":
            exchange.writer.close()
        elif then == "hold":
            await asyncio.sleep(3600)

    return act


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """A model server that says what is clean, until told otherwise."""
    server = ModelServer(saying(CLEAN))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()

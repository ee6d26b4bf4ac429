"""One HTTP request over a connection of its own, light enough for a thousand at a time, and readers of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import h11

_CHUNK = 65536
LITTLE = 32768  # bytes that the socket of a slow reader takes in


@dataclass(frozen=True, slots=True)
class Reading:
    """How an answer is read. ``pause``: seconds between reads of ``size`` bytes; ``leave``: events to go away after."""

    size: int = _CHUNK
    pause: float = 0.0
    leave: int | None = None


AT_ONCE = Reading()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. ``whole``: whether the message ended as HTTP says; ``left``: the client went away itself."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    left: bool = False
    first: float | None = None  # seconds until the first byte of the body


NOTHING = Answer(0, {}, b"", whole=False)  # no answer: refused, or broken before a status came


async def ask(host: str, port: int, method: str, path: str, body: bytes, reading: Reading) -> Answer:
    """Send a request and read its answer."""
    try:
        reader, writer = await _opened(host, port, reading)
    except OSError:
        return NOTHING
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [("Host", f"{host}:{port}"), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        head = connection.send(h11.Request(method=method, target=path, headers=headers)) or b""
        data = connection.send(h11.Data(data=body)) or b""
        writer.write(head + data + (connection.send(h11.EndOfMessage()) or b""))
        return await _answer(connection, reader, reading)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _opened(host: str, port: int, reading: Reading) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not reading.pause:
        return await asyncio.open_connection(host, port)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)  # before it connects: the window follows it
    raw.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(raw, (host, port))
    except OSError:
        raw.close()
        raise
    return await asyncio.open_connection(sock=raw, limit=LITTLE // 2)


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader, reading: Reading) -> Answer:
    began, first = time.monotonic(), None
    status, headers, body, events = 0, dict[str, str](), bytearray(), 0
    while True:
        try:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if reading.pause:
                    await asyncio.sleep(reading.pause)
                connection.receive_data(await reader.read(reading.size))
                continue
        except (OSError, h11.RemoteProtocolError):
            return Answer(status, headers, bytes(body), whole=False, first=first)
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = {k.decode(): v.decode() for k, v in event.headers}
        elif isinstance(event, h11.Data):
            first = time.monotonic() - began if first is None else first
            body += event.data
            events += 1
            if reading.leave is not None and events >= reading.leave:
                return Answer(status, headers, bytes(body), whole=False, left=True, first=first)
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, headers, bytes(body), whole=True, first=first)
        elif isinstance(event, h11.ConnectionClosed):
            return Answer(status, headers, bytes(body), whole=False, first=first)

"""A client that does not finish asking is not waited for: neither by size nor by time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from server.bounded_http import MOST_UNREAD, BoundedHttp

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


class Hasty(BoundedHttp):
    """Looks often."""

    every = 0.2


async def echo(request: Request) -> JSONResponse:
    return JSONResponse({"size": len(await request.body())})


async def slow(_: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x"
            await anyio.sleep(0.2)

    return StreamingResponse(parts())


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    app = Starlette(routes=[Route("/", echo, methods=["POST"]), Route("/slow", slow)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", http=Hasty, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(20)


def _sent(address: tuple[str, int], data: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    got = b""
    with socket.create_connection(address, timeout=30) as own, suppress(ConnectionError):
        own.sendall(data)
        while part := own.recv(65536):
            got += part
    return got


def _told(raw: bytes) -> tuple[int, str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "unfinished", [b"", b"\r\n", b"POST", HEAD, HEAD + b"X: y", HEAD + b"Content-Length: 9\r\n\r\n{"]
)
def test_a_request_that_does_not_go_on_is_408(address: tuple[str, int], unfinished: bytes) -> None:
    assert _told(_sent(address, unfinished)) == (408, "request_timeout")


@pytest.mark.parametrize(
    "endless",
    [
        HEAD + b"X: " + b"a" * (MOST_UNREAD + 1),
        HEAD + b"X: a\r\n" * (MOST_UNREAD // 6 + 1),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;a=" + b"b" * (16 * MOST_UNREAD),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: a\r\n" * (4 * MOST_UNREAD),
    ],
)
def test_headers_without_end_are_431(address: tuple[str, int], endless: bytes) -> None:
    got = _sent(address, endless)
    assert not got or _told(got) == (431, "headers_too_large")  # what comes after the answer resets the connection


def test_what_is_no_http_gets_an_error_of_openais_shape(address: tuple[str, int]) -> None:
    assert _told(_sent(address, b"\x16\x03\x01\r\n\r\n")) == (400, "invalid_http")


def test_a_large_body_and_a_slow_answer_are_waited_for(address: tuple[str, int]) -> None:
    body = b"a" * (8 * MOST_UNREAD)
    whole = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert _sent(address, whole).endswith(b'{"size":%d}' % len(body))
    got = _sent(address, b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.count(b"\r\nx\r\n") == 6
    assert got.endswith(b"0\r\n\r\n")

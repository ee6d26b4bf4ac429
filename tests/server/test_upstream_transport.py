"""What the transport to the model servers tells of their faults, and that it gives connections back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from server.upstream import Endpoint, Upstream, read_whole
from server.upstream_transport import PooledTransport
from server.worker import listening

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
_LIMITS = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives every request's head to ``answer``; its URL, and the heads of each connection."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head)
                await answer(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, sock=listening("127.0.0.1", 0)[0])
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


def _get(url: str, **limits: float) -> httpx.Request:
    return httpx.Request("GET", url, extensions={"timeout": _LIMITS | limits})


async def _well(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(_OK)


async def _silent(_: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _half(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(_HALF)
    writer.close()


async def _gone(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _garbage(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"what is this\r\n\r\n")


async def test_what_never_reached_a_server_is_told_apart_from_what_may_have() -> None:
    transport = PooledTransport(8)
    sock = listening("127.0.0.1", 0)[0]
    nobody = f"http://127.0.0.1:{sock.getsockname()[1]}"
    sock.close()
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(_get(nobody))
    for answer in (_gone, _garbage):
        async with served(answer) as (url, _):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await transport.handle_async_request(_get(url))
    async with served(_silent) as (url, _):
        with pytest.raises(httpx.ReadTimeout):
            await transport.handle_async_request(_get(url, read=0.05))
    await transport.aclose()


async def test_a_body_that_breaks_off_is_a_fault_and_no_short_body() -> None:
    transport = PooledTransport(8)
    async with served(_half) as (url, _):
        response = await transport.handle_async_request(_get(url))
        with pytest.raises(httpx.TransportError):
            await response.aread()
        await response.aclose()
    await transport.aclose()


async def test_connections_are_used_again_and_at_most_so_many_at_a_time() -> None:
    transport = PooledTransport(1)
    async with served(_well) as (url, heads):
        first = await transport.handle_async_request(_get(url))
        with pytest.raises(httpx.PoolTimeout):
            await transport.handle_async_request(_get(url, pool=0.05))
        assert await first.aread() == b"{}"
        await first.aclose()
        for _ in range(3):
            again = await transport.handle_async_request(_get(url))
            await again.aread()
            await again.aclose()
        assert len(heads) == 4
    await transport.aclose()


async def test_a_request_carries_the_servers_key_and_nothing_that_aiohttp_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with served(_well) as (url, heads):
        for endpoint in (Endpoint(url, "secret"), Endpoint(url.replace("//", "//me:p%40ss@"), None)):
            upstream = Upstream(lambda e=endpoint: e, connect_timeout=5, read_timeout=5)  # type: ignore[misc]
            assert await read_whole(await upstream.send("GET", "/v1/models")) == b"{}"
            await upstream.close()
    keyed, named = (head.decode().lower() for head in heads)
    assert "authorization: bearer secret" in keyed
    assert "authorization: basic bwu6cebzcw==" in named  # me:p@ss
    assert "user-agent" not in keyed
    assert "accept-encoding: identity" in keyed


async def test_answers_of_a_connection_that_was_accepted_do_not_wait_for_acknowledgements() -> None:
    seen: list[int] = []

    async def look(_: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.write(_OK)

    async with served(look) as (url, _), httpx.AsyncClient(trust_env=False) as client:
        await client.get(url)
    assert seen == [1]

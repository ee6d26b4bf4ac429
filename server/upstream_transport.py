"""HTTP to the model servers, by aiohttp's parser and pool behind httpx's interface."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx

_KEPT = 4.0  # seconds that a connection waits for the next request: uvicorn, and so vLLM, closes it after five
_LARGE = 1 << 20  # bytes of a body that aiohttp does not want to write in one piece


class PooledTransport(httpx.AsyncBaseTransport):
    """Connections that are used again, at most ``most`` at a time. One event loop's.

    httpcore, which httpx uses by itself, took two thirds of a millisecond of the processor for each request; aiohttp
    takes a third of it. Faults are told as httpx tells them: only of those in which no connection came about is it
    known that the server has not begun.
    """

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and return the answer with its body unread."""
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        await self._place(limits.get("pool"))
        try:
            with _as_httpx():
                answer = await self._sent(request, limits)
        except BaseException:
            self._free.release()
            raise
        return httpx.Response(answer.status, headers=list(answer.raw_headers), stream=_Body(answer, self._free))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _place(self, seconds: float | None) -> None:
        if not self._free.locked():
            await self._free.acquire()  # at once
            return
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("every connection is in use") from error

    async def _sent(self, request: httpx.Request, limits: dict[str, float | None]) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = _session()
        content = request.content
        return await self._session.request(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            data=io.BytesIO(content) if len(content) > _LARGE else content or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=limits.get("connect"), sock_read=limits.get("read")),
        )


def _session() -> aiohttp.ClientSession:
    """Takes nothing from the environment, keeps no cookie, and leaves bodies as they come."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        trust_env=False,
    )


class _Body(httpx.AsyncByteStream):
    """An answer's body as it comes. Closed before its end, its connection is closed, which ends the server's work."""

    def __init__(self, answer: aiohttp.ClientResponse, free: asyncio.Semaphore) -> None:
        self._answer = answer
        self._free: asyncio.Semaphore | None = free

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        """Give the connection back, once."""
        if self._free is None:
            return
        self._free.release()
        self._free = None
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(type(error).__name__) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout("no connection in time") from error
    except TimeoutError as error:  # aiohttp's SocketTimeoutError is one
        raise httpx.ReadTimeout("nothing came in time") from error
    except aiohttp.InvalidURL as error:
        raise httpx.UnsupportedProtocol("the model server's URL cannot be used") from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError) as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(type(error).__name__) from error

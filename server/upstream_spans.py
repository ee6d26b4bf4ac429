"""Requests to the model servers as the metrics and traces see them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx

from server.correlation import onward
from server.gen_ai import OPERATION, TIME_TO_FIRST_CHUNK, answer_objects, of_answer, of_request, span_name
from server.phases import Phases
from server.tracing import NO_SPAN, Span

_HEAD, _TAIL = 8_192, 32_768  # bytes of a stream that are looked at: its first chunks, and its last
_WHOLE = 4_000_000  # bytes of a whole answer


class ObservedTransport(httpx.AsyncBaseTransport):
    """Times every request until the first byte of its answer, and lets it be part of the trace of the client's."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.phases = Phases()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, with trace headers; the span ends with the answer's body."""
        if request.method != "POST":
            request.headers.update(onward())
            return await self._inner.handle_async_request(request)
        span = self._begun(request)
        request.headers.update(span.headers() or onward())
        began = time.perf_counter()
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            span.failed(type(error).__name__)
            span.end()
            raise
        span.set({"http.response.status_code": response.status_code})
        if response.status_code >= 400:
            span.failed(str(response.status_code))
        response.stream = _Observed(response, span, lambda: self._first(span, time.perf_counter() - began))
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _begun(self, request: httpx.Request) -> Span:
        if not self.phases.tracing.current().recording:
            return NO_SPAN
        attributes = of_request(request.url.path, request.content)
        name = span_name(request.url.path, attributes)
        span = self.phases.tracing.begin(name, kind="client", attributes=attributes)
        span.set({"server.address": request.url.host, "http.request.method": request.method})
        if request.url.port is not None:
            span.set({"server.port": request.url.port})
        if OPERATION not in attributes:
            span.set({"url.path": request.url.path})  # one of the routes that the operator named
        return span

    def _first(self, span: Span, seconds: float) -> None:
        self.phases.took("upstream", seconds)
        span.set({TIME_TO_FIRST_CHUNK: seconds})


class _Observed(httpx.AsyncByteStream):
    """An answer's body. ``first`` is called with its first bytes; what is needed of it is kept only for a span."""

    def __init__(self, response: httpx.Response, span: Span, first: Callable[[], None]) -> None:
        self._stream = cast(httpx.AsyncByteStream, response.stream)
        self._streamed = "text/event-stream" in response.headers.get("content-type", "")
        self._span = span
        self._first: Callable[[], None] | None = first
        self._kept = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                if self._first is not None:
                    self._first()
                    self._first = None
                if self._span.recording:
                    self._keep(chunk)
                yield chunk
        except httpx.TransportError as error:
            self._span.failed(type(error).__name__)
            raise

    async def aclose(self) -> None:
        """Close the stream; its span ends."""
        if self._span.recording:
            self._span.set(of_answer(answer_objects(bytes(self._kept), streamed=self._streamed)))
        self._span.end()
        await self._stream.aclose()

    def _keep(self, chunk: bytes) -> None:
        self._kept += chunk
        if self._streamed and len(self._kept) > _HEAD + 2 * _TAIL:
            self._kept[_HEAD : len(self._kept) - _TAIL] = b"\n"
        elif not self._streamed and len(self._kept) > _WHOLE:
            self._kept.clear()

"""uvicorn's HTTP, with bounds on what a client may leave unfinished: bytes that say nothing, and time."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from server.errors import error_body

MOST_UNREAD = 64 * 1024  # bytes of headers, or of chunks' extensions and trailers
_EVERY = 15.0  # seconds between looks at a connection whose request is not whole
_LEAST = 1024  # bytes that must have come since the last look


class BoundedHttp(HttpToolsProtocol):
    """Closes connections whose headers do not end, or whose requests come too slowly, and answers as OpenAI does.

    uvicorn keeps headers of any size, and waits for the rest of a request for ever.
    """

    every: float = _EVERY

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = 0  # bytes since anything was completed
        self._came = 0  # bytes since the last look
        self._whole = False  # whether the latest request has come
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self._look = self.loop.call_later(self.every, self._looked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        self._unread += len(data)
        self._came += len(data)
        self._whole = False
        super().data_received(data)
        if self._unread > MOST_UNREAD and not self.transport.is_closing():
            self._refuse(431, "The request's headers are too large.", "headers_too_large")

    def on_headers_complete(self) -> None:
        """Headers are whole."""
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body has come."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._unread = 0
        self._whole = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        self._refuse(400, msg, "invalid_http")

    def _looked(self) -> None:
        came, self._came = self._came, 0
        self._look = self.loop.call_later(self.every, self._looked)
        if came >= _LEAST or self._whole or self.flow.read_paused or self.transport.is_closing():
            return
        if self._answering and not self.cycle.more_body:
            return  # it waits for the answer
        if self.timeout_keep_alive_task is not None:
            return  # between requests: uvicorn's own patience
        self._refuse(408, "The request did not come in time.", "request_timeout")

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, message: str, code: str) -> None:
        if self._answering and self.cycle.response_started:  # what is written now would stand within that answer
            self.transport.close()
            return
        content = orjson.dumps(error_body(message, type="invalid_request_error", code=code))
        head = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + content)
        self.transport.close()

"""Which request and which trace an event belongs to: ids that come with a request, go on with it, and are logged."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from server.tracing import NO_TRACING, Attributes, Span, Tracing

# An id and no text: what is written to logs must not be what somebody asks.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_TRACESTATE = 512  # characters that a participant has to pass on (W3C Trace Context)

_carried: ContextVar[dict[str, str]] = ContextVar("trace_headers", default={})  # noqa: B039 - never changed


def onward() -> dict[str, str]:
    """The trace headers of the request that is being served, for what is asked on its behalf."""
    return _carried.get()


class Correlate:
    """Gives every request an id and, where traces are on, a span; both are in everything that is logged meanwhile.

    The id is the client's ``X-Request-Id`` if it is one. Without traces, a client's trace is passed on as it came.
    """

    def __init__(self, app: ASGIApp, tracing: Tracing = NO_TRACING) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and tell the id in the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        trace = _trace_headers(headers)
        attributes: Attributes = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
        with self._tracing.span(scope["method"], kind="server", attributes=attributes, parent=trace) as span:
            trace = self._tracing.inject() or trace
            token = _carried.set(trace)
            try:
                with bound_contextvars(request_id=request_id, **_trace_id(trace)):
                    await self._app(scope, receive, _answering(scope, send, span, request_id))
            except Exception as error:
                span.failed(type(error).__name__)
                raise
            finally:
                _carried.reset(token)


def _answering(scope: Scope, send: Send, span: Span, request_id: str) -> Send:
    async def answered(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = request_id
            span.named(f"{scope['method']} {_route(scope)}")
            span.set({"http.route": _route(scope), "http.response.status_code": message["status"]})
            span.set({f"letheward.{name}": value for name, value in _told(headers)})
            if message["status"] >= 500:
                span.failed(str(message["status"]))
        await send(message)

    return answered


def _told(headers: Headers) -> Iterable[tuple[str, str | int]]:
    if (action := headers.get("x-letheward-action")) is not None:
        yield "action", action
    if (revision := headers.get("x-letheward-revision", "")).isdigit():
        yield "revision", int(revision)


def _route(scope: Scope) -> str:
    """The route, and never the path: that is made up by clients."""
    return str(getattr(scope.get("route"), "path", "other"))


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)


def _trace_headers(headers: Headers) -> dict[str, str]:
    parent = headers.get("traceparent", "").strip()
    if not _TRACEPARENT.fullmatch(parent) or parent.startswith("ff"):
        return {}
    state = ",".join(headers.getlist("tracestate"))
    kept = state and len(state) <= _TRACESTATE and state.isascii() and state.isprintable()
    return {"traceparent": parent} | ({"tracestate": state} if kept else {})


def _trace_id(trace: dict[str, str]) -> dict[str, str]:
    return {"trace_id": trace["traceparent"][3:35]} if trace else {}

"""Requests that go to the model server as they came, and their answers as they come."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from server.surfaces import Body
from server.upstream import Upstream, UpstreamStream, read_whole

# Headers of the upstream's answer that mean something to a client; the rest belong to the inner connection.
_PASSED = ("content-type", "x-request-id", "retry-after", "openai-processing-ms")


def passed_headers(given: dict[str, str] | object) -> dict[str, str]:
    """Those of the upstream's headers that a client gets."""
    return {k: given[k] for k in _PASSED if k in given}  # type: ignore[index,operator]


async def forward(
    upstream: Upstream, request: Request, method: str, path: str, body: Body | bytes | None, headers: dict[str, str]
) -> Response:
    """The upstream's answer, whole or streamed."""
    response = await upstream.send(method, path, body, request_id=request.headers.get("x-request-id"))
    passed = passed_headers(response.headers) | headers
    if "text/event-stream" in response.headers.get("content-type", ""):
        return UpstreamStream(response, passed)
    return Response(await read_whole(response), status_code=response.status_code, headers=passed)

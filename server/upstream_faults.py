"""What can go wrong with a model server, as its clients and the metrics are told."""

from __future__ import annotations

import httpx
import structlog

from server.errors import ApiError
from server.upstream_pool import Outcome

log = structlog.get_logger("letheward.upstream")

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)  # of these nothing reached the model server
_RETRY_AFTER = {"Retry-After": "2"}


def not_ready() -> ApiError:
    """The answer while the model server is not there yet, or not again."""
    return ApiError(
        503,
        "The model is starting or restarting; try again shortly.",
        type="server_error",
        code="model_not_ready",
        headers=_RETRY_AFTER,
    )


def unreachable() -> ApiError:
    """The answer where no model server takes the request."""
    return ApiError(
        503,
        "The model server cannot be reached; try again shortly.",
        type="server_error",
        code="upstream_unavailable",
        headers=_RETRY_AFTER,
    )


def broken(message: str) -> ApiError:
    """The answer where the model server's own cannot be passed on."""
    return ApiError(502, message, type="server_error", code="upstream_error")


def fault(error: httpx.TransportError) -> ApiError:
    """What the client is told of a transport error; addresses of the inside stay inside."""
    log.warning("upstream_fault", kind=type(error).__name__)
    if isinstance(error, (*NOT_SENT, httpx.PoolTimeout)):
        return unreachable()
    if isinstance(error, httpx.TimeoutException):
        return ApiError(504, "The model server did not answer in time.", type="server_error", code="upstream_timeout")
    return broken("The connection to the model server broke.")


def outcome_of(error: httpx.TransportError) -> Outcome:
    """What became of a request that got no answer."""
    if isinstance(error, NOT_SENT):
        return "unreachable"
    return "timeout" if isinstance(error, httpx.TimeoutException) else "broken"

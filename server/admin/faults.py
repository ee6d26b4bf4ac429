"""What can go wrong with a request to the admin API: as answers, and as its documentation has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from pydantic import BaseModel

from classifiers.types import DetectorError
from guard.store import Conflict, InProgress, Invalid, KeyReused, NotFound, StoreError
from server.admin.etags import etag
from server.errors import ApiError

T = TypeVar("T")


class ErrorDetail(BaseModel):
    """What is wrong, in OpenAI's shape."""

    message: str
    type: str
    param: str | None
    code: str | int | None


class ErrorOut(BaseModel):
    """An error."""

    error: ErrorDetail


_SAID = {
    400: "The request cannot be understood, or what it asks for cannot be done.",
    401: "No key, or none that is known.",
    403: "The key's role, or the lists that it is for, do not allow this.",
    404: "There is no such list, entry or revision.",
    405: "The path knows other methods.",
    409: "The idempotency key is in use, or was used for another request.",
    412: "`If-Match` or `If-None-Match` does not hold: the list or entry was changed meanwhile.",
    413: "The body is too large.",
    415: "The body is compressed.",
    428: "This server wants `If-Match` (or `If-None-Match: *`) with every change.",
    429: "Too many requests; `Retry-After` says when to try again.",
    499: "The client closed the connection.",
    500: "An internal error.",
    502: "The model server's answer cannot be used.",
    503: "The store, the detector or the model server cannot be used now.",
    504: "The model server did not answer in time.",
}
ALWAYS = (400, 401, 403, 405, 413, 429, 500, 503)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors for ``responses=`` of a route."""
    return {status: {"model": ErrorOut, "description": _SAID[status]} for status in statuses}


def also(status: int, model: type[BaseModel], description: str) -> dict[int | str, dict[str, Any]]:
    """Another answer than an error for ``responses=`` of a route."""
    return {status: {"model": model, "description": description}}


async def off_loop(work: Callable[[], T]) -> T:
    """``work``'s result; its faults as answers. It is not abandoned when the client goes away.

    Raises:
        ApiError: in place of what the store and the detector raise.
    """
    return await answered(run_sync(work))


async def answered(work: Awaitable[T]) -> T:
    """``work``'s result; its faults as ``off_loop`` tells them."""
    try:
        return await work
    except (StoreError, DetectorError) as error:
        raise told(error) from error


def told(error: StoreError | DetectorError) -> ApiError:
    """A fault of the store or the detector as an answer."""
    message = _sentence(str(error))
    match error:
        case NotFound():
            return ApiError(404, message, code="not_found")
        case InProgress():
            return ApiError(409, message, code="request_in_progress", headers={"Retry-After": "1"})
        case KeyReused():
            return ApiError(409, message, code="idempotency_key_reused")
        case Conflict():
            headers = {"ETag": etag(error.revision)} if error.revision else None
            return ApiError(412, message, code="precondition_failed", headers=headers)
        case Invalid():
            return ApiError(400, message, code="invalid_request")
        case DetectorError():
            return ApiError(503, message, type="server_error", code="detector_failed")
    return ApiError(503, message, type="server_error", code="store_failed")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")

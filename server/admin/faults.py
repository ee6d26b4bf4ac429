"""What can go wrong with a request to the admin API, as answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio.to_thread import run_sync

from classifiers.types import DetectorError
from guard.store import Conflict, InProgress, Invalid, KeyReused, NotFound, StoreError
from server.admin.etags import etag
from server.errors import ApiError

T = TypeVar("T")


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
    return ApiError(503, message, type="server_error", code="store_failed", headers={"Retry-After": "2"})


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")

"""The store's blocking calls, off the event loop, with their faults as answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio.to_thread import run_sync

from guard.store import NotFound, StoreError
from server.errors import ApiError

T = TypeVar("T")


async def off_loop(work: Callable[[], T]) -> T:
    """``work``'s result.

    Raises:
        ApiError: 404 where there is no such thing, 503 where the store fails.
    """
    try:
        return await run_sync(work)
    except NotFound as error:
        raise ApiError(404, str(error).capitalize() + ".", code="not_found") from error
    except StoreError as error:
        raise ApiError(503, str(error), type="server_error", code="store_failed") from error

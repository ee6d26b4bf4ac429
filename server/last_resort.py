"""What nothing else could answer: memory that is gone, a native library that panicked. Answered, and the worker ends.

Native code that once could not allocate may stay broken: a pool of threads that was made in part is not made again, and
every later request fails. So a worker that met this takes no more requests, lets running answers end, and is replaced;
after a panic only where it is broken for others too, for else whoever found a text that makes a library panic could
end one worker after another.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.dialects.registry import DIALECTS, create_dialect
from server.errors import ApiError

log = structlog.get_logger("letheward.last_resort")

_LEAVING = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)


class Exhausted(RuntimeError):
    """The worker ended because it was out of memory or broken inside; another is to be started."""

    def __init__(self) -> None:
        super().__init__("out of memory, or a native library panicked: see the log; start it anew")


def exhausts(error: BaseException) -> bool:
    """Whether a process that met ``error`` is not to be trusted with another request."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(exhausts, error.exceptions))
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return "can't start new thread" in str(error)
    # Panics of Rust's libraries are no Exception, so that nobody goes on after one.
    return isinstance(error, MemoryError) or not isinstance(error, (Exception, *_LEAVING))


def out_of_memory() -> ApiError:
    """What a client is told."""
    message = "The server is out of memory; the request was not answered. Try again shortly."
    return ApiError(503, message, type="server_error", code="out_of_memory", headers={"Retry-After": "2"})


class LastResort:
    """Outermost. What it answers with was made before.

    ``give_up`` is called when the process is to end; ``works``, which blocks, is what has to work still after a panic.
    """

    def __init__(self, app: ASGIApp, give_up: Callable[[], None], works: Callable[[], object]) -> None:
        self._app = app
        self._give_up = give_up
        self._works = works
        self._usual = _messages(out_of_memory().response())
        dialects = map(create_dialect, DIALECTS)
        self._own = {dialect.path: _messages(dialect.error(out_of_memory())) for dialect in dialects}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and look at how it failed."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except BaseException as error:
            if not exhausts(error):
                raise
            if not _panicked(error) or not await self._still_works():
                self._give_up()
            if not begun and scope["type"] == "http":
                for message in self._own.get(scope["path"], self._usual):
                    await send(message)
            _tell(error)

    async def _still_works(self) -> bool:
        try:
            await asyncio.to_thread(self._works)
        except _LEAVING:
            raise
        except BaseException:  # noqa: BLE001 - whatever it is, it does not work
            return False
        return True


def _panicked(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_panicked, error.exceptions))
    return not isinstance(error, (Exception, *_LEAVING))


def _tell(error: BaseException) -> None:
    try:
        log.error("worker_exhausted", kind=f"{type(error).__module__}.{type(error).__qualname__}")
    except MemoryError:
        return  # it cannot be told either


def _messages(response: Response) -> tuple[Message, ...]:
    start: Message = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    return start, {"type": "http.response.body", "body": bytes(response.body)}

"""Structured logs: one JSON object a line on stderr, without prompt, answer or entry text.

What libraries log through ``logging`` comes out in the same form. An exception is told by its kind and where it was
raised: messages of exceptions can hold what a client sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_FRAMES = 12
_Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str = "info") -> None:
    """Send every event as a JSON line to stderr; may be called again with another level."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(max(number, logging.WARNING))  # what libraries say below that is of no use to an operator
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


class _ToStructlog(logging.Handler):
    """Hands a library's record on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's message; with an exception only that there was one, and which."""
        raised = record.exc_info if record.exc_info and record.exc_info[0] is not None else None
        logger = structlog.get_logger(record.name)
        if raised is None:
            logger.log(record.levelno, "library", logger=record.name, message=_first(record))
        else:
            logger.log(record.levelno, "library_failed", logger=record.name, exc_info=raised)


def _first(record: logging.LogRecord) -> str:
    """The message's template where it has values put in: they can be anything."""
    return str(record.msg) if record.args else record.getMessage()


def _exceptions(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the kinds and places of ``exc_info`` in its stead."""
    given = event.pop("exc_info", None)
    raised: _Raised | None = sys.exc_info() if given is True else given  # type: ignore[assignment]
    if isinstance(raised, tuple) and raised[1] is not None:
        event["exception"] = _told(raised[1])
    return event


def _told(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told: dict[str, Any] = {
        "kind": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told | {"cause": _told(cause)} if cause is not None else told

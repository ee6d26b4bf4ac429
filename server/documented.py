"""The statuses of routes as the OpenAPI document has them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


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

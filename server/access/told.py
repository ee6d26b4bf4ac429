"""What the access routes answer with when they refuse, for their OpenAPI."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorOut(BaseModel):
    """An error in OpenAI's shape."""

    error: ErrorDetail


_WHY = {
    400: "The request is not as it should be, or a key is in its URL.",
    401: "There is no key, or a wrong one.",
    403: "The key's role or lists do not allow this, or the session's token is missing.",
    404: "There is no such thing.",
    413: "The body is too large.",
    429: "Too many wrong keys came from this address.",
    503: "The store, or the sign-in provider, does not answer.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documented errors by status."""
    return {status: {"model": ErrorOut, "description": _WHY[status]} for status in statuses}

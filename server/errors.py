"""Errors in the shape that OpenAI's clients understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

LONGEST = 2000  # characters of a message
_TOLD = 10  # problems of one request


class ApiError(Exception):
    """A request that is answered with an error. The app turns it into OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer to send."""
        return openai_error(
            self.status, self.message, type=self.type, code=self.code, param=self.param, headers=self.headers
        )


def error_body(message: str, *, type: str, code: str | None = None, param: str | None = None) -> dict[str, object]:
    """The JSON object of an OpenAI error."""
    return {"error": {"message": clean_message(message), "type": type, "param": param, "code": code}}


def clean_message(message: str) -> str:
    """What a client sent can be in ``message``: it is kept short and sound."""
    message = message.encode("utf-8", "replace").decode()
    return message if len(message) <= LONGEST else message[:LONGEST] + " ..."


def openai_error(
    status: int,
    message: str,
    *,
    type: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A JSON response in OpenAI's error shape."""
    return JSONResponse(
        error_body(message, type=type, code=code, param=param), status_code=status, headers=dict(headers or {})
    )


def problems(errors: Sequence[Any]) -> str:
    """What pydantic finds wrong, without the values: the first few, and how many more."""
    told = [": ".join(filter(None, (".".join(map(str, e["loc"])), e["msg"]))) for e in errors[:_TOLD]]
    return "; ".join(told) + (f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else "")

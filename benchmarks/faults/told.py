"""What a client got, in a few words, and whether what it got tells the secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from benchmarks.faults.scripted import INNER_KEY, SECRET

CLOSED, SHORT, NO_ERROR = "connection closed", "stream without an end", "no error object"


async def asked(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[str, bytes]:
    """Send a request; what came of it, and the bytes."""
    got = bytearray()
    try:
        async with client.stream("POST", path, json=body) as response:
            async for part in response.aiter_raw():
                got += part
    except httpx.TransportError as error:
        return CLOSED if not isinstance(error, httpx.TimeoutException) else "no answer", bytes(got)
    return label(response.status_code, response.headers.get("content-type", ""), bytes(got)), bytes(got)


def label(status: int, kind: str, raw: bytes) -> str:
    """The status, and how an answer ends or which error it is."""
    if status == 200 and "text/event-stream" in kind:
        return f"200 {_ending(raw)}"
    if 200 <= status < 300:
        return f"{status} whole"
    return f"{status} {code_of(raw)}"


def code_of(raw: bytes) -> str:
    """The code of an error in OpenAI's shape."""
    try:
        error = json.loads(raw)["error"]
        return str(error.get("code") or error.get("type"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return NO_ERROR


def _ending(raw: bytes) -> str:
    if raw.rstrip().endswith(b"data: [DONE]"):
        return "whole stream"
    errors = [event["error"] for event in _events(raw) if isinstance(event.get("error"), dict)]
    return f"stream, ends with error {errors[-1].get('code')}" if errors else SHORT


def _events(raw: bytes) -> Iterator[dict[str, Any]]:
    for line in raw.splitlines():
        try:
            found = json.loads(line.removeprefix(b"data:"))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def tells(raw: bytes) -> bool:
    """Whether bytes that a client got hold the secret, spelt at once or word by word, or the inner key."""
    said = "".join(_strings(list(_events(raw)))) + raw.decode("utf-8", "replace")
    return SECRET.casefold() in said.casefold() or INNER_KEY in said


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("choices", "delta", "content", "message", "text", "error", "reasoning_content"):
                yield from _strings(each)


def sound(got: str, *, closed: bool = False) -> bool:
    """Whether a client may get this: a whole answer, or an error that it can tell from one."""
    if got == CLOSED:
        return closed  # a process that dies can say no more
    return not (got == "500 internal_error" or got.endswith((SHORT, NO_ERROR)) or got == "no answer")

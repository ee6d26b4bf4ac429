"""Answers that the proxy itself gives in the model's place, in the shape of the model's answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from starlette.responses import JSONResponse, Response, StreamingResponse

from server.surfaces import Body

Count = Callable[[str], int]


def declined(body: Body, text: str, *, chat: bool, prompt: str, count: Count, headers: dict[str, str]) -> Response:
    """``text`` as the answer to ``body``: whole or streamed, ``n`` choices, with usage."""
    choices = _choices(body, chat)
    used, told = count(prompt), count(text) * choices
    usage = {"prompt_tokens": used, "completion_tokens": told, "total_tokens": used + told}
    base = {
        "id": ("chatcmpl-" if chat else "cmpl-") + secrets.token_hex(16),
        "created": int(time.time()),
        "model": body.get("model", ""),
    }
    if body.get("stream"):
        events = _events(body, base, text, choices, usage, chat)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    finished = [_finished(i, text, chat) for i in range(choices)]
    kind = "chat.completion" if chat else "text_completion"
    return JSONResponse({**base, "object": kind, "choices": finished, "usage": usage}, headers=headers)


def _choices(body: Body, chat: bool) -> int:
    n = body.get("n")
    each = n if isinstance(n, int) and 0 < n <= 128 else 1
    prompt = body.get("prompt")
    return each if chat or not isinstance(prompt, list) else each * len(prompt)


def _finished(index: int, text: str, chat: bool) -> dict[str, Any]:
    content = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return {"index": index, **content, "logprobs": None, "finish_reason": "stop"}


async def _events(
    body: Body, base: dict[str, Any], text: str, choices: int, usage: dict[str, int], chat: bool
) -> AsyncIterator[bytes]:
    kind = "chat.completion.chunk" if chat else "text_completion"
    words = text.split(" ")
    for index in range(choices):
        pieces = [word if i == 0 else " " + word for i, word in enumerate(words)]
        if chat:
            yield _event(
                {**base, "object": kind, "choices": [_delta(index, {"role": "assistant", "content": ""}, None)]}
            )
        for i, piece in enumerate(pieces):
            end = "stop" if i == len(pieces) - 1 else None
            choice = _delta(index, {"content": piece}, end) if chat else _text(index, piece, end)
            yield _event({**base, "object": kind, "choices": [choice]})
    options = body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        yield _event({**base, "object": kind, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _delta(index: int, delta: dict[str, str], end: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": end}


def _text(index: int, piece: str, end: str | None) -> dict[str, Any]:
    return {"index": index, "text": piece, "logprobs": None, "finish_reason": end}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"

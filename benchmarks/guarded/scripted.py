"""A model server that streams a given text at a given pace, and remembers when each token left.

Usage: python -m benchmarks.guarded.scripted            (prints its address)

A process of its own, so that nothing that is measured shares its interpreter. Its clock is the machine's monotonic
one, which other processes read too.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

MODEL = "scripted"
_TOKEN = re.compile(r"\s?\S{1,4}|\s+")


def tokens(text: str) -> list[str]:
    """``text`` in pieces of about the length of a model's tokens."""
    return _TOKEN.findall(text)


@dataclass
class Script:
    """What is streamed and how fast; ``sent``: nanoseconds at which each token left, by the request's seed."""

    text: str = "It is not known."
    interval: float = 0.0  # seconds
    sent: dict[int, list[int]] = field(default_factory=dict)


def app(script: Script) -> FastAPI:
    """The server; a request's ``seed`` is the name under which its times are kept."""
    made = FastAPI()

    @made.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "vllm"}]}

    @made.put("/script")
    async def change(request: Request) -> dict[str, Any]:
        given = orjson.loads(await request.body())
        script.text, script.interval = given["text"], given["interval"]
        script.sent.clear()
        return {}

    @made.get("/sent/{seed}")
    async def sent(seed: int) -> Response:
        return JSONResponse(script.sent.pop(seed, []))

    @made.post("/v1/chat/completions")
    async def answer(request: Request) -> Response:
        body = orjson.loads(await request.body())
        if not body.get("stream"):
            message = {"role": "assistant", "content": script.text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return JSONResponse({"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": MODEL,
                                 "choices": [choice]})  # fmt: skip
        return StreamingResponse(_events(script, body.get("seed", 0)), media_type="text/event-stream")

    return made


async def _events(script: Script, seed: int) -> AsyncIterator[bytes]:
    left = script.sent.setdefault(seed, [])
    yield _event({"role": "assistant", "content": ""})
    due = time.monotonic()
    for token in tokens(script.text):
        due += script.interval
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        left.append(time.monotonic_ns())
        yield _event({"content": token})
    yield _event({}, "stop")
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    return b"data: " + orjson.dumps(head | {"choices": [choice]}) + b"\n\n"


def main() -> None:
    """Serve until stopped."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)  # before the address is told: whoever reads it may connect at once
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app(Script()), log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()

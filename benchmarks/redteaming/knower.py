"""A model server that knows every fact and understands every disguise: the worst that can stand behind a guard.

It is told of each query before it is sent, and what the answer to it is. When a request then holds all turns of the
query as they were written, it gives the answer, in the disguise that was asked for; otherwise it knows nothing. So it
"decodes" by having been told, which no disguise is too deep for: a real model understands fewer of them, and what leaks
before a real one is less. What the guard replaced (by noise, by its own text) is not there as written, and is not
answered.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from benchmarks.guarded.serving import Place

MODEL = "knower"
NOTHING = "That is not something I have heard of."


class Answering(Protocol):
    """What decides what the server says."""

    def says(self, body: dict[str, Any]) -> str:
        """The answer to a request."""
        ...


@dataclass
class Expected:
    """A query on its way. ``told``: whether the answer was given."""

    turns: tuple[str, ...]
    answer: str
    told: bool = False


@dataclass
class Knower:
    """What is known at the moment."""

    expected: list[Expected] = field(default_factory=list)

    @contextmanager
    def expecting(self, turns: Sequence[str], answer: str) -> Iterator[Expected]:
        """``turns`` are answered as long as this lasts."""
        one = Expected(tuple(turns), answer)
        self.expected.append(one)
        try:
            yield one
        finally:
            self.expected = [other for other in self.expected if other is not one]

    def says(self, body: dict[str, Any]) -> str:
        """The answer to a request."""
        texts = list(texts_in(body.get("messages", [])))
        for one in self.expected:
            if all(any(turn in text for text in texts) for turn in one.turns):
                one.told = True
                return one.answer
        return NOTHING


def app(knower: Answering) -> FastAPI:
    """The server: chats, and which model there is."""
    made = FastAPI()

    @made.get("/v1/models")
    async def models() -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "vllm", "max_model_len": 32768}
        return JSONResponse({"object": "list", "data": [model]})

    @made.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        if body.get("stream"):
            return JSONResponse({"error": {"message": "this server answers whole"}}, 400)
        message = {"role": "assistant", "content": knower.says(body)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse({"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": MODEL,
                             "choices": [choice]})  # fmt: skip

    return made


@asynccontextmanager
async def serving(knower: Answering) -> AsyncIterator[Place]:
    """The server, in this process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app(knower), log_level="warning"))
        job = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield Place(f"http://127.0.0.1:{listening.getsockname()[1]}", "any", MODEL)
        finally:
            server.should_exit = True
            await job


def texts_in(messages: Any) -> Iterator[str]:
    """Every text in messages, whatever they look like."""
    if isinstance(messages, str):
        yield messages
    elif isinstance(messages, dict):
        for value in messages.values():
            yield from texts_in(value)
    elif isinstance(messages, list):
        for value in messages:
            yield from texts_in(value)
